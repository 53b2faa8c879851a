// SPDX-License-Identifier: Apache-2.0
import CLinux
import Cgroups
import Flags
import LinuxSystem
import OCISpec

var deleteCommand: Command {
    Command(
        name: "delete", help: "remove what a stopped container left", usage: "CONTAINER-ID",
        flags: [.bool("force", short: "f", "kill it if it is running, and be silent if there is none")],
        arity: .exactly(1)
    ) { invocation throws(RuntimeError) in
        let isForced = invocation.values.bool("force")
        let container: Container
        do throws(RuntimeError) { container = try invocation.container() } catch {
            guard isForced, error.message == "container does not exist" else { throw error }
            try removeUnfinished(invocation.id, in: invocation.store)
            return 0
        }
        let status = container.status
        if status != .stopped, status != .created, !isForced {
            throw RuntimeError(
                "cannot delete container " + invocation.id + " that is not stopped: " + status.rawValue)
        }
        try destroy(container, invocation.log)
        return 0
    }
}

/// A creation that was killed leaves a directory without a state, and perhaps a cgroup with processes.
private func removeUnfinished(_ id: String, in store: ContainerStore) throws(RuntimeError) {
    if let location = store.notedCgroup(id) {
        let cgroup = try ContainerCgroup.find(location)
        try step("remove the container's cgroup") { () throws(SysError) in try cgroup.remove() }
    }
    try store.resctrlGroup(of: id)?.remove()
    try store.remove(id)
}

/// Ends every process, and removes the cgroup and the state. What one step cannot do does not keep the others from
/// being done; the first failure is reported.
func destroy(_ container: Container, _ log: Log) throws(RuntimeError) {
    var failure: RuntimeError?
    func attempt(_ body: () throws(RuntimeError) -> Void) {
        do throws(RuntimeError) { try body() } catch { if failure == nil { failure = error } }
    }
    attempt { () throws(RuntimeError) in try killInit(container) }
    if let unit = container.record.unit { attempt { () throws(RuntimeError) in try unit.stop() } }
    attempt { () throws(RuntimeError) in
        try step("remove the container's cgroup") { () throws(SysError) in try container.cgroup.remove() }
    }
    attempt { () throws(RuntimeError) in try container.store.resctrlGroup(of: container.record.id)?.remove() }
    if let failure { throw failure }  // the state stays: a later delete can try again
    try container.store.remove(container.record.id)
    runFinalHooks(container.record.poststop, named: "poststop", state: container.state(.stopped), log)
}

private func killInit(_ container: Container) throws(RuntimeError) {
    guard let process = try container.openInit() else { return }
    try step("") { () throws(SysError) in
        try sendSignal(SIGKILL, to: process)
        if container.cgroup.isFrozen { try container.cgroup.setFrozen(false) }
        if try !waitForEnd(of: process, milliseconds: 10_000) {
            throw SysError("kill", String(container.record.pid), .busy, hint: "it did not end within ten seconds")
        }
    }
}
