// SPDX-License-Identifier: Apache-2.0
import Cgroups
import LinuxSystem

/// Where below the container's cgroups an added process goes: the values of `exec --cgroup`.
struct Subcgroups {
    /// By controller; the empty name stands for all.
    let paths: [CgroupDoors.Subpath]

    /// Each value is a path, or a path behind names of v1 controllers and a colon.
    init(_ values: [String]) throws(RuntimeError) {
        var found: [CgroupDoors.Subpath] = []
        for value in values {
            let parts = value.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else {
                if values.count > 1 {
                    throw RuntimeError("invalid --cgroup argument: " + value + " (missing <controller>: prefix)")
                }
                found.append(.init(controller: "", path: try checked(value)))
                continue
            }
            for name in parts[0].split(separator: ",", omittingEmptySubsequences: false) {
                if name.isEmpty {
                    throw RuntimeError("invalid --cgroup argument: " + value + " (empty <controller> prefix)")
                }
                if found.contains(where: { $0.controller == name }) {
                    throw RuntimeError(
                        "invalid --cgroup argument(s): controller " + name + " specified multiple times")
                }
                found.append(.init(controller: String(name), path: try checked(String(parts[1]))))
            }
        }
        paths = found
    }
}

private func checked(_ path: String) throws(RuntimeError) -> String {
    if path.split(separator: "/").contains("..") { throw RuntimeError("bad sub cgroup path: " + path) }
    return path
}
