// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import TTRPC

/// The files that the shim keeps in a bundle for one process of the task.
struct ProcessPaths: Sendable, Equatable {
    let bundle: FilePath
    /// Nil for init.
    let execID: String?

    var pidFile: FilePath { bundle / (execID.map { "exec-" + $0 + ".pid" } ?? "init.pid") }
    /// The OCI `process` object of an exec.
    var processFile: FilePath { bundle / ("exec-" + (execID ?? "") + ".json") }

    /// The pid that the runtime wrote, if it is one.
    func readPid() -> Int32? {
        guard let text = try? readText(pidFile, limit: 64), let pid = Int32(text), pid > 0 else { return nil }
        return pid
    }

    /// Ids become file names: containerd's rule for them, which leaves no room for `/` and `..`.
    static func checkID(_ id: String) throws(RPCStatus) {
        var previousIsLetter = false
        for byte in id.utf8 {
            let isLetter = (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A) || (byte >= 0x30 && byte <= 0x39)
            guard isLetter || (previousIsLetter && (byte == 0x2D || byte == 0x2E || byte == 0x5F)) else {
                throw RPCStatus(.invalidArgument, "identifier \"\(id)\" is not valid")
            }
            previousIsLetter = isLetter
        }
        guard previousIsLetter, id.utf8.count <= 128 else {
            throw RPCStatus(.invalidArgument, "identifier \"\(id)\" is not valid")
        }
    }
}
