// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import OCISpec

/// Writes the id maps of a process that was made in a new user namespace (user_namespaces(7)).
func writeIDMaps(_ plan: ContainerPlan, of pid: Int32) throws(RuntimeError) {
    for (file, mappings) in [("uid_map", plan.uidMappings), ("gid_map", plan.gidMappings)] {
        let lines = mappings.map { "\($0.containerID) \($0.hostID) \($0.size)\n" }
        try step("write " + file) { () throws(SysError) in
            try writeText(FilePath("/proc/\(pid)/\(file)"), lines.joined())
        }
    }
}
