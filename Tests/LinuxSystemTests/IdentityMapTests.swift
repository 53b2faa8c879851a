// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import Testing

struct IdentityMapTests {
    private let map = IdentityMap(
        uids: [.init(containerID: 0, hostID: 100_000, size: 10), .init(containerID: 10, hostID: 500, size: 2)],
        gids: [.init(containerID: 0, hostID: 200_000, size: 20)])

    @Test("ids go to the host and back, range by range")
    func both() {
        #expect(map.root == FileOwner(uid: 100_000, gid: 200_000))
        for (inside, outside) in [((9, 0), (100_009, 200_000)), ((11, 19), (501, 200_019))]
            as [((UInt32, UInt32), (UInt32, UInt32))]
        {
            let owner = FileOwner(uid: inside.0, gid: inside.1)
            let onHost = FileOwner(uid: outside.0, gid: outside.1)
            #expect(map.onHost(owner) == onHost && map.inside(onHost) == owner)
        }
    }

    @Test("what has no place on the other side has none")
    func unmapped() {
        #expect(map.onHost(FileOwner(uid: 12, gid: 0)) == nil && map.onHost(FileOwner(uid: 0, gid: 20)) == nil)
        #expect(map.inside(.root) == nil)
        #expect(IdentityMap().onHost(FileOwner(uid: 7, gid: 8)) == FileOwner(uid: 7, gid: 8))
    }

    @Test("a range as text", arguments: ["0:1:2", "1:4294967294:1"])
    func text(_ text: String) { #expect(IdentityMap.Range(text)?.text == text) }

    @Test("no range", arguments: ["", "0:1", "0:1:0", "0:1:2:3", "0:4294967295:2", "-1:0:1", "a:b:c"])
    func malformed(_ text: String) { #expect(IdentityMap.Range(text) == nil) }
}
