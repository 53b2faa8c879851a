// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem

/// The home directory of a user by the container's own /etc/passwd; `/` if it does not say. The file is hostile: it is
/// read only if it is a regular one, and only its first megabyte.
func homeDirectory(of uid: UInt32) -> String {
    guard let file = try? open(FilePath("/etc/passwd"), O_RDONLY | O_NONBLOCK | O_NOCTTY),
        let info = try? status(file), isRegularFile(info), let bytes = try? readAll(file, limit: 1 << 20)
    else { return "/" }
    return homeDirectory(of: uid, passwd: bytes)
}

/// The search itself: the sixth field of the first line with this uid (passwd(5)).
func homeDirectory(of uid: UInt32, passwd bytes: [UInt8]) -> String {
    let wanted = Array(String(uid).utf8)
    for line in bytes.split(separator: UInt8(ascii: "\n")) {
        let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard fields.count > 5, fields[2].elementsEqual(wanted), !fields[5].isEmpty, !fields[5].contains(0) else {
            continue
        }
        return String(decoding: fields[5], as: UTF8.self)
    }
    return "/"
}
