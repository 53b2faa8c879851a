// SPDX-License-Identifier: Apache-2.0
import ContainerdAPI
import LinuxSystem
import SwiftProtobuf

/// What the shim is told about the runtime: containerd's options of the runc shims, which ours takes too.
enum RuntimeOptions {
    /// - Parameter checkpoint: a directory of criu's files that a task is to be made of.
    static func message(
        _ runtime: RuntimeEntry?, _ configuration: EngineConfiguration, checkpoint: FilePath? = nil
    ) throws(EngineError) -> Google_Protobuf_Any {
        let program = try runtime.map { (runtime) throws(EngineError) in
            try self.program(runtime, in: configuration.dataRoot / "runtimes")
        }
        let options = Containerd_Runc_V1_Options.with {
            $0.binaryName = program ?? ""
            $0.root = configuration.runtimeRoot.string
            $0.systemdCgroup = configuration.usesSystemdCgroups
            $0.criuImagePath = checkpoint?.string ?? ""
            $0.criuWorkPath = checkpoint?.string ?? ""  // so that its log can be read afterwards
            ($0.ioUid, $0.ioGid) = (configuration.identities.root.uid, configuration.identities.root.gid)
        }
        do { return try Google_Protobuf_Any(packing: options) } catch {
            throw .internal("cannot encode the runtime's options: \(error)")
        }
    }

    /// The runtime's program. A shim takes no arguments for it, so a script has those that are configured.
    private static func program(_ runtime: RuntimeEntry, in directory: FilePath) throws(EngineError) -> String {
        if runtime.arguments.isEmpty { return runtime.path }
        let words = ([runtime.path] + runtime.arguments).map(quoted).joined(separator: " ")
        let text = "#!/bin/sh\nexec \(words) \"$@\"\n"
        let file = directory / runtime.name
        do throws(SysError) {
            if (try? readFile(file)) == Array(text.utf8) { return file.string }
            try makeDirectories(directory, mode: 0o700)
            try writeFileAtomically(file, Array(text.utf8), mode: 0o700)
        } catch {
            throw .internal("write the script of runtime \(runtime.name): \(error.description)")
        }
        return file.string
    }

    /// As one word of a shell.
    private static func quoted(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}
