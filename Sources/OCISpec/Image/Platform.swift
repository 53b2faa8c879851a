// SPDX-License-Identifier: Apache-2.0
package import JSON

/// What an image runs on (image-spec, image-index.md "platform"), in normal form: Go's names, and no variant where the
/// architecture implies it (`arm64/v8` is `arm64`, `arm` alone is `arm/v7`).
package struct Platform: Sendable, Equatable, Hashable {
    package var os: String
    package var architecture: String
    package var variant: String
    package var osVersion: String

    package init(os: String, architecture: String, variant: String = "", osVersion: String = "") {
        self.os = os == "macos" ? "darwin" : os
        (self.architecture, self.variant) = Platform.normalized(architecture, variant)
        self.osVersion = osVersion
    }

    /// The platform of this machine.
    package static var host: Platform {
        #if arch(x86_64)
            Platform(os: "linux", architecture: "amd64")
        #elseif arch(arm64)
            Platform(os: "linux", architecture: "arm64")
        #elseif arch(riscv64)
            Platform(os: "linux", architecture: "riscv64")
        #elseif arch(powerpc64le)
            Platform(os: "linux", architecture: "ppc64le")
        #elseif arch(s390x)
            Platform(os: "linux", architecture: "s390x")
        #else
            Platform(os: "linux", architecture: "arm")
        #endif
    }

    package init(_ json: JSONValue) throws(ImageSpecError) {
        guard json.members != nil else { throw ImageSpecError("platform must be an object") }
        self.init(
            os: json["os"]?.string ?? "", architecture: json["architecture"]?.string ?? "",
            variant: json["variant"]?.string ?? "", osVersion: json["os.version"]?.string ?? "")
    }

    /// Reads what `--platform` takes: `os/architecture[/variant]`, or only an operating system or an architecture.
    package init(parsing text: String) throws(ImageSpecError) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { String($0) }
        for part in parts {
            guard !part.isEmpty, part.utf8.count <= 64, part.utf8.allSatisfy(Platform.isAllowed) else {
                throw ImageSpecError("\"" + text + "\" is an invalid component of a platform specifier")
            }
        }
        let lower = parts.map { $0.lowercased() }
        switch lower.count {
        case 1 where Platform.operatingSystems.contains(lower[0]):
            self.init(os: lower[0], architecture: Platform.host.architecture)
        case 1:
            self.init(os: "linux", architecture: lower[0])
            guard Platform.architectures.contains(architecture) else {
                throw ImageSpecError("\"" + text + "\": unknown operating system or architecture: invalid argument")
            }
        case 2:
            self.init(os: lower[0], architecture: lower[1])
        case 3:
            self.init(os: lower[0], architecture: lower[1], variant: lower[2])
        default:
            throw ImageSpecError("\"" + text + "\": cannot parse platform specifier: invalid argument")
        }
    }

    package var json: JSONValue {
        var json: JSONValue = ["architecture": .string(architecture), "os": .string(os)]
        if !osVersion.isEmpty { json.set("os.version", .string(osVersion)) }
        if !variant.isEmpty { json.set("variant", .string(variant)) }
        return json
    }

    /// `linux/arm/v7`.
    package var string: String {
        os + "/" + architecture + (variant.isEmpty ? "" : "/" + variant)
    }

    package var description: String { string }

    /// The platform as docker prints it in errors, where arm64 carries its variant.
    package var dockerString: String { architecture == "arm64" && variant.isEmpty ? string + "/v8" : string }

    private static let operatingSystems = ["linux", "windows", "darwin", "macos", "freebsd"]

    /// Those of Go, in normal form.
    private static let architectures = [
        "386", "amd64", "arm", "arm64", "loong64", "mips", "mips64", "mips64le", "mipsle", "ppc64", "ppc64le",
        "riscv64",
        "s390x", "wasm",
    ]

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    private static func normalized(_ architecture: String, _ variant: String) -> (String, String) {
        switch architecture {
        case "x86_64", "x86-64", "amd64": ("amd64", variant == "v1" ? "" : variant)
        case "i386", "i686", "386": ("386", "")
        case "aarch64", "arm64": ("arm64", variant == "v8" || variant == "8" ? "" : variant)
        case "armhf": ("arm", "v7")
        case "armel": ("arm", "v6")
        case "arm" where variant.isEmpty: ("arm", "v7")
        case "arm" where ["5", "6", "7", "8"].contains(variant): ("arm", "v" + variant)
        default: (architecture, variant)
        }
    }
}

#if !SWRUN_EMBEDDED
    extension Platform: CustomStringConvertible {}
#endif

// MARK: Selection

extension Platform {
    /// What may run where this platform is asked for, best first: `arm/v7` also runs `arm/v6` and `arm/v5`.
    package var compatible: [Platform] {
        let levels: [String]
        switch (architecture, variant) {
        case ("arm", "v8"): levels = ["v8", "v7", "v6", "v5"]
        case ("arm", "v7"): levels = ["v7", "v6", "v5"]
        case ("arm", "v6"): levels = ["v6", "v5"]
        case ("amd64", "v4"): levels = ["v4", "v3", "v2", ""]
        case ("amd64", "v3"): levels = ["v3", "v2", ""]
        case ("amd64", "v2"): levels = ["v2", ""]
        default: levels = [variant]
        }
        var list: [Platform] = []
        for level in levels { list.append(Platform(os: os, architecture: architecture, variant: level)) }
        return list
    }

    /// How well `candidate` serves this platform, 0 being best; nil if it does not run here.
    package func rank(_ candidate: Platform) -> Int? {
        for (rank, platform) in compatible.enumerated()
        where platform.os == candidate.os && platform.architecture == candidate.architecture
            && platform.variant == candidate.variant
        {
            return rank
        }
        return nil
    }

    /// The index of the candidate that serves this platform best, the first of equals; nil if none does.
    package func best(among candidates: [Platform?]) -> Int? {
        var best: (index: Int, rank: Int)?
        for (index, candidate) in candidates.enumerated() {
            guard let candidate, let rank = rank(candidate) else { continue }
            if let found = best, found.rank <= rank { continue }
            best = (index, rank)
        }
        return best?.index
    }
}
