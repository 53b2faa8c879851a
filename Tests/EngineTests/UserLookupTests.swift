// SPDX-License-Identifier: Apache-2.0
import Engine
import Testing

@Suite("Users of a container")
struct UserLookupTests {
    private let lookup = UserLookup(
        passwd: "root:x:0:0:root:/root:/bin/sh\nbroken\nbob:x:1000:100::/home/bob:/bin/sh\nhuge:x:4294967296:1::/:\n",
        group: "root:x:0:root\nusers:x:100:\nwheel:x:10:root,bob\nnofields\nstaff:x:50:bob")

    @Test(
        "names and numbers are found",
        arguments: [
            ("", ResolvedUser(uid: 0, gid: 0, additionalGIDs: [0, 0, 10])),
            ("bob", ResolvedUser(uid: 1000, gid: 100, additionalGIDs: [100, 10, 50])),
            ("1000", ResolvedUser(uid: 1000, gid: 100, additionalGIDs: [100, 10, 50])),
            ("1", ResolvedUser(uid: 1, gid: 0, additionalGIDs: [0])),
            ("1:1", ResolvedUser(uid: 1, gid: 1, additionalGIDs: [1])),
            ("bob:wheel", ResolvedUser(uid: 1000, gid: 10, additionalGIDs: [10])),
            ("01", ResolvedUser(uid: 1, gid: 0, additionalGIDs: [0])),
            ("2147483647", ResolvedUser(uid: 2_147_483_647, gid: 0, additionalGIDs: [0])),
        ])
    func resolves(_ text: String, _ expected: ResolvedUser) throws {
        #expect(try lookup.resolve(text) == expected)
    }

    @Test(
        "what is no user is refused in docker's words",
        arguments: [
            ("nosuch", "unable to find user nosuch: no matching entries in passwd file"),
            ("0x0", "unable to find user 0x0: no matching entries in passwd file"),
            (" 1000", "unable to find user  1000: no matching entries in passwd file"),
            ("bob:nosuch", "unable to find group nosuch: no matching entries in group file"),
            ("-1", "uids and gids must be in range 0-2147483647"),
            ("2147483648", "uids and gids must be in range 0-2147483647"),
            ("huge", "uids and gids must be in range 0-2147483647"),
            ("1:4294967296", "uids and gids must be in range 0-2147483647"),
        ])
    func refuses(_ text: String, _ message: String) {
        #expect(throws: SpecError(message, .other)) { try lookup.resolve(text) }
    }

    @Test("further groups are added by name and number")
    func groupAdd() throws {
        #expect(try lookup.resolve("1", groupAdd: ["users", "7"]).additionalGIDs == [0, 100, 7])
        #expect(throws: SpecError.self) { try lookup.resolve("1", groupAdd: ["nosuch"]) }
    }
}
