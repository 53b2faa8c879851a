// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import Testing

@testable import Supervisor

@Suite("Bundles")
struct BundleTests {
    @Test("hold what is needed to find the shim again")
    func roundTrip() throws {
        let shims = FilePath("/tmp/swrun-bundle-test-\(monotonicNanoseconds())")
        try makeDirectory(shims)
        defer { try? removeTree(shims) }
        let bundle = Bundle(TaskKey(namespace: "ns", id: "c1"), shims: shims)
        try bundle.create(spec: Array("{}".utf8), runtime: FilePath("/bin/shim"))
        #expect(bundle.address() == nil)
        #expect(bundle.exit() == nil)
        try bundle.writeAddress(FilePath("/run/s/abc"))
        let exit = TaskExit(pid: 7, status: 137, exitedAt: Timestamp(nanoseconds: 5))
        try bundle.writeExit(exit)

        let found = try Bundle.all(shims: shims)
        #expect(found.map { $0.key } == [bundle.key])
        #expect(found.first?.address() == FilePath("/run/s/abc"))
        #expect(try found.first?.runtime() == FilePath("/bin/shim"))
        #expect(found.first?.exit() == exit)
        #expect(throws: SysError.self) { try bundle.create(spec: [], runtime: FilePath("/bin/shim")) }
        try bundle.remove()
        #expect(try Bundle.all(shims: shims).isEmpty)
    }
}

@Suite("Shim programs")
struct ShimProgramTests {
    private let program = ShimProgram(
        supervisorAddress: FilePath("/run/s.sock"), programs: FilePath("/opt/swrun"), isDebug: false)

    @Test("our runtime is beside us, and a path is taken as it is")
    func path() throws {
        #expect(try program.path(runtime: "io.containerd.swrun.v2") == FilePath("/opt/swrun/swrun-shim"))
        #expect(try program.path(runtime: "/usr/bin/other-shim") == FilePath("/usr/bin/other-shim"))
    }

    @Test("names that are no runtime names are refused", arguments: ["", "runc", "io/../x.v2"])
    func malformed(_ name: String) {
        let error = #expect(throws: ServiceError.self) { try program.path(runtime: name) }
        #expect(error?.kind == .invalidArgument)
    }

    @Test("a program that is not installed is not found")
    func missing() {
        let error = #expect(throws: ServiceError.self) { try program.path(runtime: "io.containerd.nowhere.v9") }
        #expect(error?.kind == .notFound)
    }

    @Test(
        "the address is understood in both forms",
        arguments: [
            "unix:///run/s/1", "unix:///run/s/1\n",
            "{\"version\":2,\"address\":\"unix:///run/s/1\",\"protocol\":\"ttrpc\"}",
        ])
    func address(_ output: String) throws {
        #expect(try ShimProgram.address(Array(output.utf8)) == FilePath("/run/s/1"))
    }

    @Test("other output is an error", arguments: ["", "tcp://x", "{}", "unix://relative"])
    func noAddress(_ output: String) {
        #expect(throws: ServiceError.self) { try ShimProgram.address(Array(output.utf8)) }
    }
}
