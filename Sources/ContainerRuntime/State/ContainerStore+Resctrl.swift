// SPDX-License-Identifier: Apache-2.0
import JSON
import LinuxSystem

extension ContainerStore {
    private func resctrlFile(_ id: String) -> FilePath { directory(id) / "resctrl" }

    /// Notes the group of a container before it is made, so that it goes with whatever becomes of the container.
    func note(_ group: ResctrlGroup, of id: String) throws(RuntimeError) {
        try step("save the container's state") { () throws(SysError) in
            try replaceFile(resctrlFile(id), group.json.bytes(), mode: 0o600)
        }
    }

    /// The group of a container; nil if it has none.
    func resctrlGroup(of id: String) throws(RuntimeError) -> ResctrlGroup? {
        let bytes: [UInt8]
        do throws(SysError) { bytes = try readFile(resctrlFile(id), limit: 65536) } catch {
            if error.errno == .noSuchFile { return nil }
            throw RuntimeError(error.description)
        }
        guard let value = try? JSONValue(parsing: bytes), let group = ResctrlGroup(value) else {
            throw RuntimeError("the note of the container's resctrl group is damaged")
        }
        return group
    }
}
