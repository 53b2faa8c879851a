// SPDX-License-Identifier: Apache-2.0
import CLinux
package import Cgroups
import JSON
package import LinuxSystem

/// The runtime's root directory: one directory for each container, made by whoever creates it and nobody else.
package struct ContainerStore: Sendable {
    package let root: FilePath

    package init(root: FilePath) { self.root = root }

    /// 1 to 1024 characters `[A-Za-z0-9_+.-]`, and not `.` or `..`: ids become names of directories and cgroups.
    package static func check(_ id: String) throws(RuntimeError) {
        let isPlain = id.utf8.allSatisfy { byte in
            switch byte {
            case 48...57, 65...90, 97...122: true
            case UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."): true
            default: false
            }
        }
        if !isPlain || id.isEmpty || id.utf8.count > 1024 || id == "." || id == ".." {
            throw RuntimeError("invalid container ID format")
        }
    }

    package func directory(_ id: String) -> FilePath { root / id }
    package func fifo(_ id: String) -> FilePath { directory(id) / "exec.fifo" }
    package func filter(_ id: String) -> FilePath { directory(id) / "seccomp.bpf" }
    private func file(_ id: String) -> FilePath { directory(id) / "state.json" }

    /// Takes the id, or fails if it is taken.
    package func reserve(_ id: String) throws(RuntimeError) {
        try step("") { () throws(SysError) in try makeSpreadDirectory(root, mode: 0o700) }
        let path = directory(id).string
        if mkdir(path, 0o711) == 0 { return }
        let errno = Errno.current
        if errno == .exists { throw RuntimeError("container with given ID already exists") }
        throw RuntimeError(SysError("mkdir", path, errno).description)
    }

    /// A state describes a running process and is of no use after a crash of the machine: it is replaced as a whole,
    /// but not synced.
    package func save(_ record: ContainerRecord) throws(RuntimeError) {
        try step("save the container's state") { () throws(SysError) in
            try replaceFile(file(record.id), record.json.bytes(), mode: 0o600)
        }
    }

    /// Notes where the processes of a container will be before there are any: a creation that is killed half-way can
    /// then still be cleaned up.
    package func note(_ cgroup: CgroupLocation, of id: String) throws(RuntimeError) {
        let value: JSONValue = [.string(cgroup.path), cgroup.basesJSON]
        try step("save the container's state") { () throws(SysError) in
            try replaceFile(directory(id) / "cgroup", value.bytes(), mode: 0o600)
        }
    }

    /// The cgroup of a container whose creation was not finished; nil if there is none.
    package func notedCgroup(_ id: String) -> CgroupLocation? {
        guard let bytes = try? readFile(directory(id) / "cgroup"), let pair = try? JSONValue(parsing: bytes).array,
            pair.count == 2, let path = pair[0].string
        else { return nil }
        return CgroupLocation(path: path, bases: pair[1])
    }

    package func load(_ id: String) throws(RuntimeError) -> ContainerRecord {
        try ContainerStore.check(id)
        let bytes: [UInt8]
        do throws(SysError) { bytes = try readFile(file(id)) } catch {
            if error.errno == .noSuchFile { throw RuntimeError("container does not exist") }
            throw RuntimeError(error.description)
        }
        let value: JSONValue
        do throws(JSONError) { value = try JSONValue(parsing: bytes) } catch {
            throw RuntimeError("state.json of " + id + ": " + error.description)
        }
        return try ContainerRecord(value)
    }

    /// Another one may be removing it at the same time.
    package func remove(_ id: String) throws(RuntimeError) {
        try step("remove the container's state") { () throws(SysError) in
            do throws(SysError) { try removeTree(directory(id)) } catch {
                if error.errno != .noSuchFile || exists(directory(id)) { throw error }
            }
        }
    }

    /// The ids of all containers that are recorded, sorted.
    package func ids() throws(RuntimeError) -> [String] {
        guard exists(root) else { return [] }
        let names = try step("") { () throws(SysError) in try listDirectory(root) }
        return names.filter { exists(file($0)) }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}

/// Writes a file beside `path` and renames it: readers see the old content or the new.
func replaceFile(_ path: FilePath, _ bytes: [UInt8], mode: UInt32) throws(SysError) {
    let temporary = path.parent / ("." + path.lastComponent + "." + String(getpid()))
    do throws(SysError) {
        let file = try open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: mode)
        try writeAll(file, bytes)
        try rename(temporary, path)
    } catch {
        try? removeFile(temporary)
        throw error
    }
}
