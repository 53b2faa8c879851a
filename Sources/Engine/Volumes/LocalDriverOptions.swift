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
        guard let request = request(options), request.isBind else { return nil }
        return FilePath(request.device)
    }

    /// The mount that the options ask for; nil if they ask for none, or for a directory of the host.
    static func mount(_ options: [String: String]) -> LocalMount? {
        request(options).flatMap { $0.isBind ? nil : $0 }
    }

    /// What the options say, a mount or a directory of the host.
    static func request(_ options: [String: String]) -> LocalMount? {
        guard let type = options["type"], let device = options["device"] else { return nil }
        let list = (options["o"] ?? "").split(separator: ",").map { String($0) }
        return LocalMount(type: type, device: device, call: MountCall(list))
    }
}
