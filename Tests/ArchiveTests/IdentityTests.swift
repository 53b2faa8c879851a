// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import Tar
import Testing

@testable import Archive

struct IdentityTests {
    private let capability: [UInt8] = [1, 0, 0, 2] + [UInt8](repeating: 7, count: 16)

    @Test("a file's capabilities belong to the root of its user namespace, and in an archive to nobody's")
    func capabilities() {
        let owned = FileCapability.owned(by: 0x0102_0304, capability)
        #expect(owned == [1, 0, 0, 3] + [UInt8](repeating: 7, count: 16) + [4, 3, 2, 1])
        #expect(FileCapability.unowned(owned) == capability)
        #expect(FileCapability.owned(by: 1, [1, 2]) == [1, 2] && FileCapability.unowned(capability) == capability)
    }

    @Test("an owner without an id on the host is refused")
    func unmapped() throws {
        let directory = FilePath("/tmp/swrun-identity-test-\(monotonicNanoseconds())")
        try makeDirectory(directory)
        defer { try? removeTree(directory) }
        var entry = TarEntry(kind: .directory, path: Array("a".utf8))
        entry.uid = 5
        let ids = IdentityMap.Range(containerID: 0, hostID: 1000, size: 5)
        var options = LayerOptions(preservesOwnership: false)
        options.identities = IdentityMap(uids: [ids], gids: [ids])
        let bytes = TarWriter.header(entry) + TarWriter.end
        #expect(throws: ArchiveError.self) {
            try LayerApplier(directory: directory, options: options).apply(MemorySource(bytes))
        }
    }
}
