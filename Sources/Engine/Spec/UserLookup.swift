// SPDX-License-Identifier: Apache-2.0

/// Who the container's process is.
package struct ResolvedUser: Sendable, Equatable {
    package var uid: UInt32
    package var gid: UInt32
    package var additionalGIDs: [UInt32]

    package init(uid: UInt32, gid: UInt32, additionalGIDs: [UInt32]) {
        self.uid = uid
        self.gid = gid
        self.additionalGIDs = additionalGIDs
    }
}

/// Resolves `--user` and `--group-add` with the container's own /etc/passwd and /etc/group, whose content is hostile:
/// malformed lines are skipped, numbers must be plain decimals in 0 ... 2^31-1.
package struct UserLookup: Sendable {
    private struct User {
        var name: String
        var uid: Int
        var gid: Int
    }

    private struct Group {
        var name: String
        var gid: Int
        var members: [String]
    }

    private var users: [User]
    private var groups: [Group]

    package init(passwd: String, group: String) {
        users = Self.lines(passwd).compactMap { fields in
            guard fields.count >= 4, let uid = Int(fields[2]), let gid = Int(fields[3]) else { return nil }
            return User(name: fields[0], uid: uid, gid: gid)
        }
        groups = Self.lines(group).compactMap { fields in
            guard fields.count >= 3, let gid = Int(fields[2]) else { return nil }
            let members = fields.count > 3 ? fields[3].split(separator: ",").map { String($0) } : []
            return Group(name: fields[0], gid: gid, members: members)
        }
    }

    /// - Parameter specification: `user`, `uid`, `user:group`, …; empty means uid 0.
    package func resolve(_ specification: String, groupAdd: [String] = []) throws(SpecError) -> ResolvedUser {
        let parts = specification.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let userPart = String(parts.first ?? "")
        let groupPart = parts.count > 1 ? String(parts[1]) : ""
        let user = try find(user: userPart)
        var gid = user.gid
        var supplementary: [Int] = []
        if groupPart.isEmpty {
            if !user.name.isEmpty {
                supplementary = groups.filter { $0.members.contains(user.name) }.map { $0.gid }
            }
        } else {
            gid = try find(group: groupPart, "unable to find group \(groupPart): no matching entries in group file")
        }
        for name in groupAdd {
            supplementary.append(
                try find(group: name, "Unable to find group \(name): no matching entries in group file"))
        }
        let own = try Self.checked(gid)
        var all = [own]
        for gid in supplementary { all.append(try Self.checked(gid)) }
        return ResolvedUser(uid: try Self.checked(user.uid), gid: own, additionalGIDs: all)
    }

    private func find(user: String) throws(SpecError) -> User {
        let number = Int(user)
        let match = users.first { entry in
            user.isEmpty ? entry.uid == 0 : entry.name == user || (number != nil && entry.uid == number)
        }
        if let match { return match }
        if user.isEmpty { return User(name: "", uid: 0, gid: 0) }
        guard let number else {
            throw SpecError("unable to find user \(user): no matching entries in passwd file", .other)
        }
        return User(name: "", uid: number, gid: 0)
    }

    private func find(group: String, _ missing: String) throws(SpecError) -> Int {
        let number = Int(group)
        if let match = groups.first(where: { $0.name == group || (number != nil && $0.gid == number) }) {
            return match.gid
        }
        guard let number else { throw SpecError(missing, .other) }
        return number
    }

    private static func checked(_ id: Int) throws(SpecError) -> UInt32 {
        guard (0...Int(Int32.max)).contains(id) else {
            throw SpecError("uids and gids must be in range 0-2147483647", .other)
        }
        return UInt32(id)
    }

    private static func lines(_ text: String) -> [[String]] {
        text.split(separator: "\n").map { line in
            line.split(separator: ":", omittingEmptySubsequences: false).map { String($0) }
        }
    }
}
