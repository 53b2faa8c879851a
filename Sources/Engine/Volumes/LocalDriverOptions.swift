// SPDX-License-Identifier: Apache-2.0
import LinuxSystem

/// The options of the `local` driver (`-o type=… -o device=… -o o=…`). Of the mounts that they can ask for, a bind of
/// a host directory is what we do.
enum LocalDriverOptions {
    static func check(_ options: [String: String]) throws(EngineError) {
        for key in options.keys.sorted() where !["type", "device", "o"].contains(key) {
            throw .invalidArgument("invalid option: \"\(key)\"")
        }
        guard !options.isEmpty else { return }
        guard let device = options["device"], !device.isEmpty else {
            throw .invalidArgument("missing device in volume options")
        }
        guard bindSource(options) != nil else {
            throw .unimplemented(
                "volumes of type \"\(options["type"] ?? "")\" are not implemented: only a bind of an absolute path "
                    + "(type=none,o=bind,device=/path) is")
        }
    }

    /// The host's directory for `type=none,o=bind,device=/path`; nil for any other options.
    static func bindSource(_ options: [String: String]) -> FilePath? {
        let flags = (options["o"] ?? "").split(separator: ",")
        guard let device = options["device"], device.hasPrefix("/"), flags.contains("bind") || flags.contains("rbind")
        else { return nil }
        return FilePath(device)
    }
}
