// SPDX-License-Identifier: Apache-2.0
// Saving a container's processes to files, and making them of such files.
import LinuxSystem
import ShimAPI
import TTRPC

extension ContainerTask {
    /// Saves init and what it has started to files in `path`. Unless the options say that it exits, the container goes on.
    func checkpoint(_ path: String, _ options: CheckpointOptions, _ responder: Responder) {
        queue.add { [self] done in
            guard request(.checkpoint, responder) != nil else { return done() }
            runtime.run(["checkpoint", "--image-path", path] + options.flags + [id]) { [self] result in
                if let failure = result.failure {
                    responder.fail(RPCStatus(.unknown, "OCI runtime checkpoint failed: " + failure))
                } else {
                    context.events.publish(.checkpointed(id: id, path: path))
                    responder.reply()
                }
                done()
            }
        }
    }

    /// Makes init of the checkpoint: it runs at once.
    func restore(_ responder: Responder, _ done: @escaping () -> Void) {
        let work = criuWorkPath.utf8.isEmpty ? [] : ["--work-path", criuWorkPath]
        makeInit("restore", ["--detach", "--image-path", checkpoint] + work) { [self] made in
            switch made {
            case .success(let pid):
                didMake(pid: pid, .restored(pid: pid))
                responder.reply(PidResponse(pid: UInt32(pid)).encoded())
            case .failure(let status):
                report(.restoreFailed(ExitStatus(code: 128, exitedAt: .now)))
                responder.fail(status)
            }
            done()
        }
    }
}

extension CheckpointOptions {
    /// The same as flags of the runtime.
    fileprivate var flags: [String] {
        var flags: [String] = []
        if !exits { flags.append("--leave-running") }
        if savesTCPConnections { flags.append("--tcp-established") }
        if savesExternalUnixSockets { flags.append("--ext-unix-sk") }
        if hasForeignTerminal { flags.append("--shell-job") }
        if savesFileLocks { flags.append("--file-locks") }
        for name in emptyNamespaces { flags += ["--empty-ns", name] }
        if !cgroupsMode.utf8.isEmpty { flags += ["--manage-cgroups-mode", cgroupsMode] }
        if !workPath.utf8.isEmpty { flags += ["--work-path", workPath] }
        if !parentPath.utf8.isEmpty { flags += ["--parent-path", parentPath] }
        return flags
    }
}
