// SPDX-License-Identifier: Apache-2.0
import JSON
import LinuxSystem

/// `--security-opt`: a seccomp profile is a file here and its content on the wire.
enum RunSecurity {
    static func option(_ text: String) throws -> String {
        if text == "no-new-privileges" || text == "writable-cgroups" || text == "disable" { return text }
        guard let (key, value) = text.cut("=") ?? text.cut(":") else {
            throw RunRefusal("Invalid --security-opt: " + text.quoted)
        }
        guard key == "seccomp", value != "unconfined", value != "builtin" else { return text }
        let bytes: [UInt8]
        do throws(SysError) { bytes = try readFile(FilePath(value)) } catch {
            throw RunRefusal(
                "opening seccomp profile (" + value + ") failed: open " + value + ": " + error.errno.text)
        }
        guard let profile = try? JSONValue(parsing: bytes) else {
            throw RunRefusal("compacting json for seccomp profile (" + value + ") failed: not JSON")
        }
        return "seccomp=" + profile.serialized()
    }
}
