// SPDX-License-Identifier: Apache-2.0
import Confinement
import LinuxSystem
import OCISpec

extension ContainerStore {
    /// The name cannot be a container's: ids have no tilde.
    var filterCache: SeccompCache { SeccompCache(directory: root / "seccomp~cache") }

    /// Keeps the filter for the processes that `exec` adds later.
    func save(_ filter: SeccompFilter, of id: String) throws(RuntimeError) {
        try step("save the seccomp filter") { () throws(SysError) in
            try replaceFile(self.filter(id), filter.serialized(key: []), mode: 0o600)
        }
    }

    /// The filter of a container's init; nil if it has none. A filter that cannot be read is an error: a process must
    /// not run without it.
    func loadFilter(of id: String) throws(RuntimeError) -> SeccompFilter? {
        guard exists(filter(id)) else { return nil }
        let bytes = try step("read the seccomp filter") { () throws(SysError) in try readFile(filter(id)) }
        guard let found = SeccompFilter(parsing: bytes, key: []) else {
            throw RuntimeError("the container's seccomp filter is damaged")
        }
        return found
    }
}

extension Launcher {
    func makeFilter() throws(RuntimeError) -> SeccompFilter? {
        guard let profile = plan.spec.linux.seccomp else { return nil }
        let filter = try step("error during seccomp setup") { () throws(SysError) in
            try store.filterCache.filter(profile)
        }
        // Those that a profile can name, not that there is a listener.
        log.debug("seccomp filter flags: \(filter.flags & ~SeccompFilter.newListener)")
        try store.save(filter, of: id)
        return filter
    }
}
