// SPDX-License-Identifier: Apache-2.0
import Cgroups
import LinuxSystem
import OCISpec

var pauseCommand: Command {
    Command(
        name: "pause", help: "stop every process of a container", usage: "CONTAINER-ID", flags: [], arity: .exactly(1)
    ) { invocation throws(RuntimeError) in
        let container = try invocation.container()
        let status = container.status
        guard status == .running || status == .created else { throw RuntimeError("container not running") }
        try step("") { () throws(SysError) in try container.cgroup.setFrozen(true) }
        return 0
    }
}

var resumeCommand: Command {
    Command(
        name: "resume", help: "let a paused container go on", usage: "CONTAINER-ID", flags: [], arity: .exactly(1)
    ) { invocation throws(RuntimeError) in
        let container = try invocation.container()
        guard container.status == .paused else { throw RuntimeError("container not paused") }
        try step("") { () throws(SysError) in try container.cgroup.setFrozen(false) }
        return 0
    }
}
