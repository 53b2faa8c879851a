// SPDX-License-Identifier: Apache-2.0
import Engine
import LinuxSystem
import Testing

final class RemappedRootTests: Sendable {
    private let directory: FilePath

    init() throws {
        directory = FilePath("/tmp/swrun-remap-test-\(monotonicNanoseconds())-\(UInt32.random(in: 0 ... .max))")
        try makeDirectory(directory, mode: 0o700)
        for (name, text) in [
            ("passwd", "root:x:0:0::/root:/bin/sh\nnat:x:1000:1000::/:\nlone:x:1001:7::/:\n"),
            ("group", "root:x:0:\nnat:x:1000:\n"),
            ("subuid", "nat:231072:65536\n1000:400000:10\nlone:100000:65536\n"), ("subgid", "nat:165536:100\n"),
        ] { try writeFileAtomically(directory / name, Array(text.utf8)) }
    }

    deinit { try? removeTree(directory) }

    private func identities(_ setting: String) throws(EngineError) -> IdentityMap {
        try RemappedRoot(directory: directory).identities(setting) { (name) throws(EngineError) in
            throw .internal("make \(name)")
        }
    }

    @Test(
        "names and numbers mean the subordinate ids of a user",
        arguments: ["nat", "1000", "nat:root", "1000:0", "nat:1000"])
    func users(_ setting: String) throws {
        let map = try identities(setting)
        #expect(map.uids.map(\.text) == ["0:231072:65536", "65536:400000:10"])
        #expect(map.gids.map(\.text) == ["0:165536:100"])
    }

    @Test("root is nobody else")
    func root() throws { #expect(try identities("root").isEmpty && identities("0").isEmpty) }

    @Test(
        "whoever is not there, or has no ids, is refused",
        arguments: ["nosuch", "55", "lone", "nat:nosuch", "nat:55", "a:b:c", "root:x"])
    func refused(_ setting: String) {
        #expect(throws: EngineError.self) { try self.identities(setting) }
    }

    @Test("a new user gets the next ids that nobody has")
    func made() throws {
        let map = try RemappedRoot(directory: directory).identities("default") { (name) throws(EngineError) in
            #expect(name == "dockremap")
            for (file, line) in [("passwd", "dockremap:x:999:999::/:"), ("group", "dockremap:x:999:")] {
                let path = self.directory / file
                do throws(SysError) {
                    try writeFileAtomically(path, Array((try readText(path) + "\n" + line + "\n").utf8))
                } catch { throw EngineError(error) }
            }
        }
        #expect(map.uids.map(\.text) == ["0:165536:65536"])
        #expect(map.gids.map(\.text) == ["0:100000:65536"])
    }
}
