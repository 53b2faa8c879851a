// SPDX-License-Identifier: Apache-2.0
import Flags
import LinuxSystem
import OCISpec

private let isUnsupported = "checkpoint and restore are not supported by this runtime"

var checkpointCommand: Command {
    Command(
        name: "checkpoint", help: "checkpoint a running container (not supported)", usage: "CONTAINER-ID",
        flags: criuFlags + [
            .string("parent-path", "path for previous criu image files in pre-dump"),
            .bool("leave-running", "leave the process running after checkpointing"),
            .string("page-server", "ADDRESS:PORT of the page server"),
            .bool("pre-dump", "dump container's memory information only, leave the container running after this"),
            .string("status-fd", "criu writes \\0 to this FD once lazy-pages is ready"),
        ], arity: .exactly(1)
    ) { invocation throws(RuntimeError) in
        let status = try invocation.container().status
        if status == .created || status == .stopped {
            throw RuntimeError("Container cannot be checkpointed in " + status.rawValue + " state")
        }
        throw RuntimeError(isUnsupported)
    }
}

var restoreCommand: Command {
    Command(
        name: "restore", help: "restore a container from a checkpoint (not supported)", usage: "CONTAINER-ID",
        flags: criuFlags + [
            .string("bundle", short: "b", "path to the root of the bundle directory"),
            .bool("detach", short: "d", "detach from the container's process"),
            .string("pid-file", "specify the file to write the process id to"),
            .string("console-socket", "socket that the terminal is sent to"),
            .bool("no-subreaper", "disable the use of the subreaper"),
            .bool("no-pivot", "do not use pivot root"),
            .string("lsm-profile", "specify an LSM profile to be used during restore"),
            .string("lsm-mount-context", "specify an LSM mount context to be used during restore"),
        ], arity: .exactly(1)
    ) { invocation throws(RuntimeError) in
        try ContainerStore.check(invocation.id)
        throw RuntimeError(isUnsupported)
    }
}

/// What both take. podman looks for some of them before it says that it cannot checkpoint.
private var criuFlags: [Flag] {
    [
        .string("image-path", "path for criu image files"), .string("work-path", "path for criu work files and logs"),
        .bool("tcp-established", "allow open tcp connections"),
        .bool("tcp-skip-in-flight", "skip in-flight connections"),
        .bool("link-remap", "allow one to link unlinked files back when possible"),
        .bool("ext-unix-sk", "allow external unix sockets"), .bool("shell-job", "allow shell jobs"),
        .bool("lazy-pages", "use userfaultfd to lazily move memory pages"), .bool("file-locks", "handle file locks"),
        .string("manage-cgroups-mode", "cgroups mode: soft, full, strict or ignore"),
        .list("empty-ns", "create a namespace, but don't restore its properties"),
        .bool("auto-dedup", "enable auto deduplication of memory images"),
    ]
}
