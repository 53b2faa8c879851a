// SPDX-License-Identifier: Apache-2.0
import CLinux
package import Cgroups
package import LinuxSystem
package import OCISpec

/// A recorded container and what it is doing now. The status is always derived from the kernel, never believed from
/// disk.
package struct Container: Sendable {
    package let store: ContainerStore
    package let record: ContainerRecord
    package let cgroup: ContainerCgroup

    /// Reads the record. The cgroup is passed in by who knows it already.
    package init(_ id: String, in store: ContainerStore, cgroup: ContainerCgroup? = nil) throws(RuntimeError) {
        self.store = store
        record = try store.load(id)
        if let cgroup {
            self.cgroup = cgroup
        } else {
            self.cgroup = try ContainerCgroup.find(record.cgroup)
        }
    }

    /// Whether the init process still runs (and is not another process with its pid).
    package var isAlive: Bool {
        guard let stat = ProcessStat.read(record.pid) else { return false }
        return stat.startTime == record.startTime && !stat.hasEnded
    }

    package var status: RuntimeState.Status {
        guard isAlive else { return .stopped }
        if cgroup.isFrozen { return .paused }
        return exists(store.fifo(record.id)) ? .created : .running
    }

    package func state(_ status: RuntimeState.Status) -> RuntimeState {
        RuntimeState(
            ociVersion: record.ociVersion, id: record.id, status: status,
            pid: status == .stopped ? 0 : record.pid, bundle: record.bundle, annotations: record.annotations)
    }

    /// The init process as a pidfd; nil if it has ended.
    package func openInit() throws(RuntimeError) -> OwnedFD? {
        let process: OwnedFD
        do throws(SysError) { process = try openProcess(record.pid) } catch {
            if error.errno == .noSuchProcess || error.errno == .invalidArgument { return nil }
            throw RuntimeError(error.description)
        }
        if !isAlive { return nil }  // checked after opening: now the pid cannot change hands any more
        return process
    }

    package func isSeparate(_ type: RuntimeLinux.NamespaceType) -> Bool { record.namespaces.contains(type.rawValue) }
}

extension ContainerCgroup {
    /// The cgroup at a remembered location of this host; nil stands for none.
    static func find(_ location: CgroupLocation?) throws(RuntimeError) -> ContainerCgroup {
        guard let location else { return .missing }
        let layout = try step("find the cgroup hierarchies") { () throws(SysError) in try CgroupLayout.detect() }
        return ContainerCgroup(layout: layout, location: location)
    }
}
