// SPDX-License-Identifier: Apache-2.0
import CLinux
import Cgroups
import Flags
import LinuxSystem
import OCISpec

var killCommand: Command {
    Command(
        name: "kill", help: "send a signal to a container's init process", usage: "CONTAINER-ID [SIGNAL]",
        flags: [.bool("all", short: "a", "send it to every process of the container")], arity: .atLeast(1)
    ) { invocation throws(RuntimeError) in
        let container = try invocation.container()
        let name = invocation.values.arguments.count > 1 ? invocation.values.arguments[1] : "SIGTERM"
        guard let signal = signalNumber(name) else { throw RuntimeError("unknown signal \"" + name + "\"") }
        if invocation.values.bool("all"), !container.cgroup.isMissing {
            try step("") { () throws(SysError) in try container.cgroup.signalAll(signal) }
            return 0
        }
        // Without a pid namespace of its own, the end of the init does not end the others, and neither does it hide them.
        if signal == SIGKILL, !container.isSeparate(.pid), !container.cgroup.isMissing {
            try step("unable to kill all processes") { () throws(SysError) in
                try container.cgroup.signalAll(signal)
            }
            return 0
        }
        guard let process = try container.openInit() else { throw RuntimeError("container not running") }
        try step("") { () throws(SysError) in try sendSignal(signal, to: process) }
        if signal == SIGKILL {
            // A frozen v1 cgroup keeps even a killed process.
            if container.cgroup.isFrozen, !container.cgroup.layout.isUnifiedOnly {
                try? container.cgroup.setFrozen(false)
            }
        }
        return 0
    }
}
