// SPDX-License-Identifier: Apache-2.0
package import LinuxSystem

/// `--userns-remap`: whose subordinate ids (subuid(5), subgid(5)) the users of containers are on the host.
package struct RemappedRoot: Sendable {
    /// Where passwd(5), group(5), subuid and subgid are.
    private let directory: FilePath

    package init(directory: FilePath = FilePath("/etc")) { self.directory = directory }

    private static let standardName = "dockremap"
    private static let standardSize: UInt64 = 65536
    private static let standardStart: UInt64 = 100_000

    /// The ids that a setting stands for; none for root, who cannot stand for himself.
    ///
    /// - Parameter setting: `default`, or `USER[:GROUP]` with names or numbers.
    /// - Parameter makeUser: makes a system user and group of this name; called for `default` if there is none yet.
    package func identities(
        _ setting: String, makeUser: (String) throws(EngineError) -> Void
    ) throws(EngineError) -> IdentityMap {
        let name = try userName(setting, makeUser)
        guard name != "root" else { return IdentityMap() }
        let uid = try lines("passwd").first { $0.first == name }.flatMap { $0.count > 2 ? $0[2] : nil }
        return IdentityMap(
            uids: try ranges("subuid", of: name, number: uid), gids: try ranges("subgid", of: name, number: uid))
    }

    private func userName(
        _ setting: String, _ makeUser: (String) throws(EngineError) -> Void
    ) throws(EngineError) -> String {
        let parts = setting.split(separator: ":", omittingEmptySubsequences: false).map { String($0) }
        guard parts.count <= 2, let user = parts.first else {
            throw .invalidArgument("Invalid user/group specification in --userns-remap: \"\(setting)\"")
        }
        let isDefault = user == "default"
        let name: String
        if let number = Int32(user) {
            name = try entry(
                "passwd", number: number, "Uid \(number) has no entry in /etc/passwd: getent unable to find entry")
            if parts.count == 1 {
                _ = try entry(
                    "group", number: number, "Gid \(number) has no entry in /etc/group: getent unable to find entry")
            }
        } else {
            name = isDefault ? Self.standardName : user
            if isDefault, try !has("passwd", name) {
                try makeUser(name)
                try addRanges(name)
                return name
            }
            try require("passwd", name, "Error during uid lookup for \"\(name)\"")
            if parts.count == 1 { try require("group", name, "Error during gid lookup for \"\(name)\"") }
        }
        if parts.count == 2 { try check(group: parts[1]) }
        return name
    }

    private func check(group: String) throws(EngineError) {
        guard let number = Int32(group) else {
            return try require("group", group, "Error during groupname lookup for \"\(group)\"")
        }
        _ = try entry(
            "group", number: number, "Gid \(number) has no entry in /etc/passwd: getent unable to find entry")
    }

    // MARK: Files

    private func lines(_ file: String) throws(EngineError) -> [[String]] {
        do throws(SysError) {
            return try readText(directory / file, limit: 16 << 20).split(separator: "\n").map { line in
                line.split(separator: ":", omittingEmptySubsequences: false).map { String($0) }
            }
        } catch {
            throw .internal("read \((directory / file).string): \(error.description)")
        }
    }

    private func has(_ file: String, _ name: String) throws(EngineError) -> Bool {
        try lines(file).contains { $0.first == name }
    }

    private func require(_ file: String, _ name: String, _ failure: String) throws(EngineError) {
        if try has(file, name) { return }
        throw .invalidArgument("\(failure): getent unable to find entry \"\(name)\" in \(file) database")
    }

    /// The name with this number.
    private func entry(_ file: String, number: Int32, _ failure: String) throws(EngineError) -> String {
        if let name = try lines(file).first(where: { $0.count > 2 && $0[2] == String(number) })?.first { return name }
        throw .invalidArgument("\(failure) \"\(number)\" in \(file) database")
    }

    /// All ranges of a user, one after the other from 0 on in the namespace.
    private func ranges(_ file: String, of name: String, number: String?) throws(EngineError) -> [IdentityMap.Range] {
        var ranges: [IdentityMap.Range] = []
        var next: UInt32 = 0
        for fields in try lines(file) where fields.count == 3 && (fields[0] == name || fields[0] == number) {
            guard let range = IdentityMap.Range("\(next):\(fields[1]):\(fields[2])") else {
                throw .invalidArgument("Can't create ID mappings: invalid range in /etc/\(file): \(fields)")
            }
            ranges.append(range)
            next += range.size
        }
        if ranges.isEmpty {
            throw .invalidArgument("Can't create ID mappings: no \(file) ranges found for user \"\(name)\"")
        }
        return ranges
    }

    /// Gives a new user the next ids that nobody has.
    private func addRanges(_ name: String) throws(EngineError) {
        for file in ["subuid", "subgid"] {
            let all = exists(directory / file) ? try lines(file) : []
            if all.contains(where: { $0.first == name }) { continue }  // whoever made the user did it
            let taken = all.compactMap { IdentityMap.Range("0:" + $0.dropFirst().joined(separator: ":")) }
            var start = Self.standardStart
            for range in taken.sorted(by: { $0.hostID < $1.hostID }) {
                let (first, end) = (UInt64(range.hostID), UInt64(range.hostID) + UInt64(range.size))
                if start < end, first < start + Self.standardSize { start = end }
            }
            let entries = all.map { $0.joined(separator: ":") } + ["\(name):\(start):\(Self.standardSize)"]
            do throws(SysError) {
                try writeFileAtomically(
                    directory / file, Array((entries.joined(separator: "\n") + "\n").utf8), mode: 0o644)
            } catch {
                throw .internal("Error during \"\(name)\" user creation: \(error.description)")
            }
        }
    }
}
