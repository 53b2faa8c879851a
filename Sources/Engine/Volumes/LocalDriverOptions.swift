// SPDX-License-Identifier: Apache-2.0
import LinuxSystem

/// The options of the `local` driver (`-o type=… -o device=… -o o=…`): what a volume is instead of a directory of ours.
enum LocalDriverOptions {
    /// What each option needs beside it.
    private static let needed = ["device": ["type"], "o": ["device", "type"], "type": ["device"]]

    static func check(_ options: [String: String]) throws(EngineError) {
        for key in options.keys.sorted() where key != "size" && needed[key] == nil {
            throw .invalidArgument("invalid option: \"\(key)\"")
        }
        for key in options.keys.sorted() {
            for other in needed[key] ?? [] where options[other] == nil {
                throw .invalidArgument("missing required option: \"\(other)\"")
            }
        }
        if options["size"] != nil { throw .invalidArgument("quota size requested but no quota support") }
    }

    /// The host's directory for `type=none,o=bind,device=/path`, which needs no mount; nil for any other options.
    static func bindSource(_ options: [String: String]) -> FilePath? {
        let flags = (options["o"] ?? "").split(separator: ",")
        guard let device = options["device"], device.hasPrefix("/"), flags.contains("bind") || flags.contains("rbind")
        else { return nil }
        return FilePath(device)
    }

    /// The mount that the options ask for; nil if they ask for none.
    static func mount(_ options: [String: String]) -> LocalMount? {
        guard let type = options["type"], let device = options["device"], bindSource(options) == nil else { return nil }
        return LocalMount(type: type, device: device, call: MountCall(Self.list(options["o"] ?? "")))
    }

    private static func list(_ text: String) -> [String] { text.split(separator: ",").map { String($0) } }
}

/// A file system that a volume is while containers use it: a tmpfs, a share of another machine, a disk.
struct LocalMount: Sendable {
    var type: String
    var device: String
    var call: MountCall

    /// Mounts it, unless something is mounted there; docker's words for a failure.
    func mount(on path: FilePath) throws(EngineError) {
        if MountInfo.mount(of: path.string)?.place == path.string { return }
        let data = call.data.joined(separator: ",")
        do throws(SysError) {
            try LinuxSystem.mount(device, on: path, type: type, flags: call.flags, data: data)
        } catch {
            let flags = call.flags.isEmpty ? "" : ", flags: 0x" + String(call.flags.rawValue, radix: 16)
            throw .internal(
                "error while mounting volume '\(path.string)': failed to mount local volume: "
                    + "mount \(device):\(path.string)\(flags)"
                    + (data.isEmpty ? "" : ", data: \(data)") + ": \(error.errno.text)")
        }
    }
}
