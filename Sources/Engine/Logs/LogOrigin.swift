// SPDX-License-Identifier: Apache-2.0

/// Tells of which file a compressed log was made, so that who follows that file finds its place among the others again:
/// by its inode, in front of the log, in the extra field of a gzip member without content (RFC 1952, sections 2.2 and
/// 2.3.1.1). Times do not tell files apart: a busy container fills several in one tick of the kernel's clock.
enum LogOrigin {
    private static let start: [UInt8] = [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, 12, 0] + "sw".utf8 + [8, 0]
    private static let end: [UInt8] = [3, 0] + [UInt8](repeating: 0, count: 8)

    static let bytes = start.count + 8 + end.count

    static func member(_ inode: UInt64) -> [UInt8] {
        start + (0..<8).map { UInt8(truncatingIfNeeded: inode >> ($0 * 8)) } + end
    }

    /// nil unless the file begins with such a member.
    static func inode(in head: [UInt8]) -> UInt64? {
        guard head.count == bytes, head.starts(with: start) else { return nil }
        return head[start.count...].prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
