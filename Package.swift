// swift-tools-version: 6.2
// One package, four ways to build it (docs/architecture.md, "Building"):
//
//   swift build                        everything, as ordinary Swift, with every dependency
//   SWRUN_CORE=1 swift build           what needs no package and no C library: seconds, for day-to-day work
//   SWRUN_STATIC=1 swift build -c release
//                                      the static programs as Embedded Swift with musl; needs SWRUN_EMBEDDED_LIB, see
//                                      scripts/build
//   SWRUN_FUZZ=LIBRARY swift build     the parsers alone, instrumented, with libFuzzer: see scripts/fuzz
import PackageDescription

let environment = Context.environment
let isStatic = environment["SWRUN_STATIC"] != nil
let isCore = environment["SWRUN_CORE"] != nil
let isFuzzing = environment["SWRUN_FUZZ"] != nil

// MARK: Settings

let ordinarySettings: [SwiftSetting] =
    (isFuzzing ? [.unsafeFlags(["-sanitize=fuzzer", "-parse-as-library", "-enable-testing"])] : []) + [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        .treatAllWarnings(as: .error),
        .unsafeFlags(["-Xcc", "-D_GNU_SOURCE"]),  // Linux's own calls and constants from libc's headers
    ]

/// musl's headers come before all others; the kernel's and libseccomp's are nowhere else than beside glibc's.
let muslHeaders = [
    "-nostdlibinc", "-isystem", "/usr/include/x86_64-linux-musl", "-idirafter", "/usr/include", "-idirafter",
    "/usr/include/x86_64-linux-gnu",
]
let muslLib = "/usr/lib/x86_64-linux-musl"
let unicodeTables = (environment["SWRUN_EMBEDDED_LIB"] ?? "") + "/libswiftUnicodeDataTables.a"

let embeddedSettings: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .enableExperimentalFeature("Embedded"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .define("SWRUN_EMBEDDED"),
        .unsafeFlags(["-wmo", "-Osize", "-Xcc", "-D_GNU_SOURCE", "-Xfrontend", "-function-sections"]),
        .unsafeFlags(muslHeaders.flatMap { ["-Xcc", $0] }),
    ]

let embeddedLink: [LinkerSetting] = [
    .unsafeFlags([
        "-enable-experimental-feature", "Embedded", "-use-ld=lld", "-Xclang-linker", "-static", "-Xclang-linker",
        "-nostdlib", "-Xlinker", "--gc-sections", "-Xlinker", "--icf=all", "-Xlinker", "--no-eh-frame-hdr", "-Xlinker",
        "-s", muslLib + "/crt1.o", muslLib + "/crti.o", unicodeTables, muslLib + "/libc.a", muslLib + "/crtn.o",
    ])
]

/// CLinux's heap for a program of one thread that lives for milliseconds (heap.c).
let briefHeap: [LinkerSetting] = [
    .unsafeFlags(
        ["malloc", "free", "calloc", "realloc", "aligned_alloc", "memalign", "posix_memalign", "malloc_usable_size"]
            .flatMap { ["-Xlinker", "--defsym=\($0)=brief_\($0)"] })
]

/// The toolchain's lld, exporting nothing and with packed relocations (glibc 2.36): the daemons are 8 MB smaller, and the
/// pages of symbols and relocations are never read. Swift finds its metadata by section, so no section may go.
let ordinaryLink: [LinkerSetting] = [
    .unsafeFlags(
        [
            "-use-ld=lld", "-Xlinker", "--no-export-dynamic", "-Xlinker", "-z", "-Xlinker", "pack-relative-relocs",
            "-Xlinker", "-z", "-Xlinker", "nostart-stop-gc",
        ], .when(configuration: .release))
]

let cSettings: [CSetting] =
    [.define("_GNU_SOURCE"), .unsafeFlags(["-Wall", "-Wextra", "-Werror"])]
    + (isStatic
        ? [
            .unsafeFlags(
                muslHeaders + [
                    "-D_FORTIFY_SOURCE=0", "-fno-stack-protector",
                    "-Wno-sign-compare",  // in musl's CMSG_NXTHDR
                ])
        ] : [])

// MARK: Targets

/// A library that compiles both as Embedded Swift and as ordinary Swift.
/// In Embedded Swift the program's own compilation makes the code of all that it uses: libraries need none in their objects.
func embedded(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(
        name: name, dependencies: dependencies,
        swiftSettings: isStatic
            ? embeddedSettings + [.unsafeFlags(["-Xfrontend", "-emit-empty-object-file"])] : ordinarySettings)
}

/// A program that ships as Embedded Swift; the ordinary build of it exists only for development.
func embeddedProgram(
    _ name: String, _ dependencies: [Target.Dependency], link settings: [LinkerSetting] = []
) -> Target {
    .executableTarget(
        name: name, dependencies: dependencies, swiftSettings: isStatic ? embeddedSettings : ordinarySettings,
        linkerSettings: isStatic ? embeddedLink + settings : [])
}

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: ordinarySettings)
}

func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: name, dependencies: dependencies, swiftSettings: ordinarySettings, linkerSettings: ordinaryLink)
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: name + "Tests", dependencies: [.byName(name: name)] + dependencies, swiftSettings: ordinarySettings)
}

let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let asn1 = Target.Dependency.product(name: "SwiftASN1", package: "swift-asn1")
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let grpcCore = Target.Dependency.product(name: "GRPCCore", package: "grpc-swift-2")
let grpcTransport = Target.Dependency.product(name: "GRPCNIOTransportHTTP2Posix", package: "grpc-swift-nio-transport")

let embeddedLibraries: [Target] = [
    .target(name: "CLinux", cSettings: cSettings),
    embedded("LinuxSystem", ["CLinux"]),
    embedded("JSON"),
    embedded("Flags"),
    embedded("OCISpec", ["JSON"]),
    embedded("Cgroups", ["CLinux", "LinuxSystem", "OCISpec"]),
    embedded("TTRPC", ["CLinux", "LinuxSystem"]),
    embedded("ShimAPI", ["Cgroups", "TTRPC", "LinuxSystem"]),
    embedded("Shim", ["CLinux", "LinuxSystem", "JSON", "Cgroups", "TTRPC", "ShimAPI"]),
]

let runtimeLibraries: [Target] = [
    .systemLibrary(name: "CSeccomp", pkgConfig: "libseccomp", providers: [.apt(["libseccomp-dev"])]),
    embedded("Confinement", ["CLinux", "LinuxSystem", "JSON", "OCISpec", "CSeccomp"]),
    embedded(
        "ContainerRuntime", ["CLinux", "LinuxSystem", "JSON", "Flags", "OCISpec", "Cgroups", "Confinement", "TTRPC"]),
]

let shimProgram = embeddedProgram("swrun-shim", ["Shim", "CLinux", "LinuxSystem"])
let runtimeProgram = embeddedProgram("swrunc", ["ContainerRuntime", "CLinux", "LinuxSystem"], link: briefHeap)

let cliTargets: [Target] = [
    library("Tar"),
    library("GoTemplate", ["JSON"]),
    library("Proxies"),
    library("DockerClient", ["LinuxSystem", "JSON", "Proxies"]),
    library("Commands", ["DockerClient", "GoTemplate", "Flags", "CLinux", "LinuxSystem", "JSON", "Tar"]),
    program("swrun", ["Commands"]),
]

let daemonTargets: [Target] = [
    .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
    .systemLibrary(name: "CISAL", pkgConfig: "libisal", providers: [.apt(["libisal-dev"])]),
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(name: "CBzip2", providers: [.apt(["libbz2-dev"])]),
    .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
    .systemLibrary(name: "CLZMA", pkgConfig: "liblzma", providers: [.apt(["liblzma-dev"])]),
    .systemLibrary(name: "CCrypt", providers: [.apt(["libcrypt-dev"])]),
    .systemLibrary(name: "CNFTables", pkgConfig: "libnftables", providers: [.apt(["libnftables-dev"])]),
    library("Threads", ["CLinux", "LinuxSystem"]),
    library("Netlink", ["LinuxSystem"]),
    library("Archive", ["CLinux", "LinuxSystem", "Tar", "CISAL", "CZstd", "CBzip2", "CLZMA"]),
    library("ContentStore", ["CLinux", "LinuxSystem", "OCISpec", "Metadata", crypto]),
    library("Metadata", ["LinuxSystem", "JSON", "CSQLite"]),
    library(
        "Registry",
        ["LinuxSystem", "OCISpec", "JSON", "Proxies", httpClient, nioCore, nioPosix, nioHTTP1, nioSSL, crypto]),
    library(
        "RegistryServer",
        [
            "HTTPServer", "LinuxSystem", "JSON", "OCISpec", "ContentStore", "Metadata", "Threads", "CCrypt", logging,
        ]),
    library("Snapshots", ["CLinux", "LinuxSystem", "Metadata"]),
    library("ContainerdAPI", [protobuf]),
    library("AsyncTTRPC", ["LinuxSystem", "Threads", "TTRPC", protobuf]),
    library(
        "Supervisor",
        [
            "LinuxSystem", "JSON", "OCISpec", "Tar", "Archive", "ContentStore", "Metadata", "Registry", "Snapshots",
            "ContainerdAPI", "AsyncTTRPC", "TTRPC", "Threads", protobuf, logging,
        ]),
    library("SupervisorGRPC", ["AsyncTTRPC", "TTRPC", "LinuxSystem", grpcCore, grpcTransport, nioCore]),
    library("Networking", ["Netlink", "CLinux", "LinuxSystem", "JSON", "Metadata", "Threads", "CNFTables"]),
    library("DockerAPI", ["JSON"]),
    library(
        "Engine",
        [
            "CLinux", "CYAML", "LinuxSystem", "JSON", "OCISpec", "Cgroups", "ShimAPI", "Tar", "Archive", "DockerAPI",
            "GoTemplate", "Netlink", "Networking", "Metadata", "ContainerdAPI", "TTRPC", "AsyncTTRPC", "Threads",
            "Proxies", "Registry",
            protobuf, logging, crypto,
            httpClient, nioCore, nioHTTP1, nioPosix, nioSSL, nioTLS,
        ]),
    library("HTTPServer", ["JSON", "LinuxSystem", nioCore, nioPosix, nioSSL, asn1, logging]),
    library(
        "EngineHTTP",
        [
            "Engine", "HTTPServer", "Archive", "DockerAPI", "Netlink", "Networking", "OCISpec", "JSON", "LinuxSystem",
            "Tar", "Threads", crypto, logging,
        ]),
    program(
        "swrun-supervisor", ["Supervisor", "SupervisorGRPC", "AsyncTTRPC", "Flags", "LinuxSystem", "Threads", logging]),
    program("swrun-registry", ["RegistryServer", "HTTPServer", "Flags", "LinuxSystem", logging]),
    program(
        "swrund", ["Engine", "EngineHTTP", "HTTPServer", "Flags", "CLinux", "LinuxSystem", "Threads", "JSON", logging]),
]

let coreTests: [Target] = [
    tests("LinuxSystem", ["CLinux"]), tests("JSON"), tests("Flags"), tests("OCISpec", ["JSON"]), tests("TTRPC"),
    tests("ShimAPI", ["Cgroups", "LinuxSystem"]), tests("Shim", ["JSON", "LinuxSystem", "ShimAPI", "TTRPC"]),
    tests("GoTemplate", ["JSON"]), tests("DockerClient", ["JSON", "LinuxSystem"]), tests("Tar"), tests("Proxies"),
    tests("Commands", ["Flags", "GoTemplate", "JSON", "LinuxSystem"]),
]

let fullTests: [Target] = [
    tests("Cgroups", ["OCISpec", "JSON", "LinuxSystem"]), tests("Confinement", ["OCISpec", "JSON"]),
    tests("ContainerRuntime", ["CLinux", "Cgroups", "OCISpec", "JSON", "LinuxSystem"]),
    tests("Netlink", ["LinuxSystem"]),
    tests("Archive", ["CLinux", "LinuxSystem", "Tar"]),
    tests("ContentStore", ["CLinux", "LinuxSystem", "Metadata", "OCISpec"]),
    tests("Metadata", ["CLinux", "LinuxSystem"]), tests("Registry", ["JSON", "LinuxSystem", "OCISpec"]),
    tests("Snapshots", ["CLinux", "LinuxSystem", "Metadata"]), tests("Threads"),
    tests("AsyncTTRPC", ["LinuxSystem", "TTRPC", protobuf]),
    tests(
        "Supervisor",
        [
            "AsyncTTRPC", "ContainerdAPI", "ContentStore", "JSON", "LinuxSystem", "Metadata", "OCISpec", "Snapshots",
            "TTRPC", "Tar", "Threads", protobuf, logging,
        ]),
    tests("Networking", ["JSON", "LinuxSystem", "Netlink"]), tests("DockerAPI", ["JSON"]),
    tests(
        "Engine",
        ["CLinux", "Cgroups", "ContainerdAPI", "DockerAPI", "JSON", "LinuxSystem", "OCISpec", protobuf, logging]),
    tests("HTTPServer", ["LinuxSystem", "Threads", logging]),
    tests("RegistryServer", ["HTTPServer", "JSON", "LinuxSystem", "OCISpec", "ContentStore", logging]),
    tests("EngineHTTP", ["Engine", "HTTPServer", "LinuxSystem", logging]),
    tests("SupervisorGRPC", [nioCore, nioEmbedded]),
]

// MARK: Fuzzing (docs/debugging.md)

/// Those files of a module that need no package: what they parse is fuzzed, the rest is not built.
func part(of name: String, _ dependencies: [Target.Dependency], _ sources: [String]) -> Target {
    .target(
        name: name, dependencies: dependencies, path: "Sources/" + name, sources: sources,
        swiftSettings: ordinarySettings)
}

let fuzzedModules: Set = [
    "CISAL", "CZstd", "CBzip2", "CLZMA", "CYAML", "CSQLite", "CNFTables", "Threads", "Netlink", "Archive", "Metadata",
    "Networking", "DockerAPI", "Tar", "Proxies", "GoTemplate", "DockerClient", "Commands",
]

let fuzzTargets: [Target] = [
    part(
        of: "Registry", ["LinuxSystem", "OCISpec", "JSON", "Proxies"],
        [
            "AuthChallenge.swift", "HostsFile.swift", "RegistryConfiguration.swift", "RegistryEndpoint.swift",
            "RegistryError.swift", "RemoteURL.swift",
            "ResponseHeader.swift", "RetryPolicy.swift", "TOMLReader.swift",
        ]),
    part(
        of: "Engine",
        ["CLinux", "CYAML", "GoTemplate", "LinuxSystem", "JSON", "OCISpec", "DockerAPI", "Networking", "TTRPC"],
        [
            "EngineError.swift", "Spec", "IO/DetachKeys.swift", "System/TimeArgument.swift", "Logs/LogLine.swift",
            "Logs/LogLineScanner.swift",
            "Logs/LogRequest.swift", "Logs/LogOptions.swift", "Logs/LogOptions+Validation.swift",
            "Logs/ByteSize.swift", "Images/InstructionText.swift", "Images/HealthcheckText.swift",
            "Images/ImageChanges.swift", "Containers/ContainerValidation.swift",
            "Containers/ContainerValidation+Limits.swift", "Containers/ContainerLink.swift",
            "Containers/SignalName.swift",
            "Containers/ContainerState.swift", "System/MachineFacts.swift", "System/EngineConfiguration.swift",
            "System/LiveConfiguration.swift", "System/RestrictedName.swift", "Volumes/VolumeName.swift",
            "Volumes/VolumeRecord.swift", "Plugins/PluginAddress.swift", "Plugins/PluginDirectories.swift",
            "Plugins/PluginError.swift",
            "Registries/RegistryCredentials.swift",
        ]),
    part(
        of: "HTTPServer", ["LinuxSystem"],
        [
            "HeaderFields.swift", "Query.swift", "RequestDecoder.swift", "RequestHead.swift", "RequestHeadParser.swift",
            "Status.swift",
        ]),
    part(
        of: "EngineHTTP", ["Engine", "HTTPServer", "JSON", "LinuxSystem"],
        [
            "APIVersion.swift", "Query+Numbers.swift", "Routes/RegistryAuth.swift", "WebSocket/WebSocketDecoder.swift",
        ]),
    part(
        of: "RegistryServer", ["HTTPServer", "JSON", "OCISpec"],
        ["APIError.swift", "ByteRanges.swift", "RepositoryName.swift"]),
    .executableTarget(
        name: "Fuzzing",
        dependencies: [
            "Archive", "Cgroups", "Commands", "Confinement", "ContainerRuntime", "DockerAPI", "Engine", "EngineHTTP",
            "Flags", "GoTemplate", "HTTPServer", "JSON", "LinuxSystem", "Netlink", "Networking", "OCISpec", "Registry",
            "RegistryServer", "TTRPC", "Tar",
        ],
        path: "Tests/Fuzzing", exclude: ["Corpus"], swiftSettings: ordinarySettings,
        linkerSettings: [.unsafeFlags([environment["SWRUN_FUZZ"] ?? ""]), .linkedLibrary("stdc++")]),
]

let targets: [Target] =
    if isFuzzing {
        embeddedLibraries + runtimeLibraries + (cliTargets + daemonTargets).filter { fuzzedModules.contains($0.name) }
            + fuzzTargets
    } else if isStatic {
        embeddedLibraries + runtimeLibraries + [shimProgram, runtimeProgram]
    } else if isCore {
        embeddedLibraries + [shimProgram] + cliTargets + coreTests
    } else {
        embeddedLibraries + runtimeLibraries + [shimProgram, runtimeProgram] + cliTargets + daemonTargets + coreTests
            + fullTests
    }

// MARK: Dependencies (why each: docs/dependencies.md)

let dependencies: [Package.Dependency] = [
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0", traits: []),
    .package(url: "https://github.com/grpc/grpc-swift-2", from: "2.4.3"),
    .package(url: "https://github.com/grpc/grpc-swift-nio-transport", from: "2.9.2"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
]

let package = Package(
    name: "swrun",
    dependencies: isStatic || isCore || isFuzzing ? [] : dependencies,
    targets: targets
)
