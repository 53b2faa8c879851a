// SPDX-License-Identifier: Apache-2.0

/// Which of the host's user and group ids those of a user namespace stand for (user_namespaces(7), "uid_map"). An empty
/// map changes nothing: there is no such namespace.
package struct IdentityMap: Sendable, Equatable {
    /// `size` ids in a row.
    package struct Range: Sendable, Equatable {
        package var containerID: UInt32
        package var hostID: UInt32
        package var size: UInt32

        package init(containerID: UInt32, hostID: UInt32, size: UInt32) {
            self.containerID = containerID
            self.hostID = hostID
            self.size = size
        }

        /// From `CONTAINER:HOST:SIZE`; nil if that is no range of ids.
        package init?(_ text: String) {
            let parts = text.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            let numbers = parts.map { UInt32(String(Substring($0))) }
            guard numbers.count == 3, let first = numbers[0], let host = numbers[1], let size = numbers[2], size > 0,
                !first.addingReportingOverflow(size).overflow, !host.addingReportingOverflow(size).overflow
            else { return nil }
            self.init(containerID: first, hostID: host, size: size)
        }

        /// `CONTAINER:HOST:SIZE`.
        package var text: String { "\(containerID):\(hostID):\(size)" }
    }

    package var uids: [Range]
    package var gids: [Range]

    package init(uids: [Range] = [], gids: [Range] = []) {
        self.uids = uids
        self.gids = gids
    }

    package var isEmpty: Bool { uids.isEmpty && gids.isEmpty }

    /// An owner in the namespace, by the host's ids; nil if the host has none for it.
    package func onHost(_ owner: FileOwner) -> FileOwner? {
        if isEmpty { return owner }
        guard let uid = Self.host(owner.uid, uids), let gid = Self.host(owner.gid, gids) else { return nil }
        return FileOwner(uid: uid, gid: gid)
    }

    /// An owner on the host, by the namespace's ids; nil if the namespace has none for it.
    package func inside(_ owner: FileOwner) -> FileOwner? {
        if isEmpty { return owner }
        guard let uid = Self.container(owner.uid, uids), let gid = Self.container(owner.gid, gids) else { return nil }
        return FileOwner(uid: uid, gid: gid)
    }

    /// The namespace's root on the host.
    package var root: FileOwner { onHost(.root) ?? .root }

    private static func host(_ id: UInt32, _ ranges: [Range]) -> UInt32? {
        ranges.first { id >= $0.containerID && id - $0.containerID < $0.size }.map { $0.hostID + (id - $0.containerID) }
    }

    private static func container(_ id: UInt32, _ ranges: [Range]) -> UInt32? {
        ranges.first { id >= $0.hostID && id - $0.hostID < $0.size }.map { $0.containerID + (id - $0.hostID) }
    }
}

/// The user and the group that a file belongs to.
package struct FileOwner: Sendable, Equatable {
    package var uid: UInt32
    package var gid: UInt32

    package static let root = FileOwner(uid: 0, gid: 0)

    package init(uid: UInt32, gid: UInt32) {
        self.uid = uid
        self.gid = gid
    }
}
