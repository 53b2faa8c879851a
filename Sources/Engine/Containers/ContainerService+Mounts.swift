// SPDX-License-Identifier: Apache-2.0
import CLinux
import DockerAPI
import LinuxSystem
import Threads

// The sources of a container's mounts, made ready for a start. They are the host's, and its file systems may hang: they
// are looked at on threads that nobody else needs.
extension ContainerService {
    /// Volumes by their present place; sources of binds made or required.
    func readyMounts(_ record: ContainerRecord) async throws -> [MountPoint] {
        var mounts = record.mounts
        for index in mounts.indices where mounts[index].kind == .volume {
            let volume = try await volumes.mount(mounts[index].name, for: record.id)
            mounts[index].source = volume.source.string
            if volume.isReadOnly { mounts[index].writable = false }
        }
        if !host.mountsReadOnlyRecursively, mounts.contains(where: { $0.readOnlyBelow == .always }) {
            throw EngineError.invalidArgument("rro is not supported: requires kernel >= 5.12")
        }
        guard mounts.contains(where: { $0.kind == .bind }) else { return mounts }
        let owner = configuration.identities.root
        let all = mounts
        return try await runOnThread {
            var ready = all
            for index in ready.indices where ready[index].kind == .bind { try Self.ready(&ready[index], owner) }
            return ready
        }
    }

    /// What holds the daemon's own directory, or is in it, gets the host's mounts there and their ends, so that a container
    /// keeps no file system busy.
    func requireFittingPropagation(_ bind: inout MountPoint, in dataRoot: String) throws(SpecError) {
        guard bind.source.hasPrefix(dataRoot) || dataRoot.hasPrefix(bind.source) else { return }
        if !bind.propagationIsGiven { bind.propagation = "rslave" }
        if bind.propagation == "rslave" || bind.propagation == "rshared" { return }
        throw SpecError(
            "invalid mount config: must use either propagation mode \"rslave\" or \"rshared\" when mount source is within "
                + "the daemon root, daemon root: \"\(dataRoot)\", bind mount source: \"\(bind.source)\", propagation: "
                + "\"\(bind.propagation)\"")
    }

    /// Binds whose source is not to be made must have one.
    func requireSources(_ mounts: [MountPoint]) async throws {
        let binds = mounts.filter { $0.kind == .bind && !$0.createsSource }
        guard !binds.isEmpty else { return }
        try await runOnThread { for bind in binds { try Self.requireSource(bind) } }
    }

    private static func ready(_ bind: inout MountPoint, _ owner: FileOwner) throws {
        if bind.createsSource, !exists(FilePath(bind.source)) {
            return try makeDirectories(FilePath(bind.source), owner: owner)
        }
        try requireSource(bind)
        do throws(EngineError) { try checkPropagation(bind) } catch {
            // What we have chosen ourselves is not the user's fault.
            if bind.propagationIsGiven || bind.propagation != "rslave" { throw error }
            bind.propagation = "rprivate"
        }
    }

    private static func requireSource(_ bind: MountPoint) throws(EngineError) {
        guard !exists(FilePath(bind.source)) else { return }
        throw .invalidArgument(
            "invalid mount config for type \"bind\": bind source path does not exist: \(bind.source)")
    }

    /// Mounts images, and parts of them and of volumes (`volume-subpath`): those are looked up inside the volume, and
    /// mounted where no container can swap what the path means before the runtime mounts it.
    func stageMounts(_ mounts: [MountPoint], of id: String) async throws -> [MountPoint] {
        let parts = mounts.indices.filter { !mounts[$0].subpath.isEmpty || mounts[$0].kind == .image }
        guard !parts.isEmpty else { return mounts }
        var staged = mounts
        for index in parts { staged[index].source = stagedMount(id, index).string }
        let targets = staged
        try await runOnThread {
            for index in parts {
                let target = FilePath(targets[index].source)
                var mount = mounts[index]
                if let layers = mount.layers {
                    mount.source = target.string + (mount.subpath.isEmpty ? "" : ".whole")
                    try Self.mountImage(layers, at: FilePath(mount.source))
                }
                if !mount.subpath.isEmpty { try Self.stage(mount, at: target) }
            }
        }
        return staged
    }

    private static func mountImage(_ layers: RootMount, at target: FilePath) throws(SysError) {
        try makeDirectories(target, mode: 0o700)
        try mount(layers.source, on: target, type: layers.type, options: layers.options)
    }

    private static func stage(_ mount: MountPoint, at target: FilePath) throws(EngineError) {
        do throws(SysError) {
            let volume = try open(FilePath(mount.source), OpenFlags.directory)
            let part = try openBelow(volume, mount.subpath, O_PATH)
            try makeDirectories(target.parent, mode: 0o700)
            let place: OwnedFD
            if isDirectory(try status(part)) {
                try makeDirectories(target, mode: 0o700)
                place = try open(target, O_PATH | O_DIRECTORY)
            } else {
                _ = try open(target, O_WRONLY | O_CREAT, mode: 0o600)
                place = try open(target, O_PATH)
            }
            try MountTree.clone(of: part, recursive: true).attach(on: place)
        } catch {
            throw unreachablePart(mount, error)
        }
    }

    /// Why a part of a volume or an image cannot be mounted, in docker's words.
    static func unreachablePart(_ mount: MountPoint, _ error: SysError) -> EngineError {
        if error.errno == .crossDeviceLink {
            return .invalidArgument(
                "path concatenation escapes the base directory, base: \(mount.source), subpath: \(mount.subpath)")
        }
        let path = mount.source + "/" + mount.subpath
        return .internal("cannot access path \(path): lstat \(path): \(error.errno.text)")
    }

    private func stagingDirectory(_ id: String) -> FilePath { runDirectory(id) / "mounts" }

    /// Where the mount of this number is made ready.
    func stagedMount(_ id: String, _ index: Int) -> FilePath { stagingDirectory(id) / String(index) }

    /// Takes away what `stageMounts` mounted.
    func unstage(_ id: String) {
        for name in (try? listDirectory(stagingDirectory(id))) ?? [] {
            try? unmountAll(stagingDirectory(id) / name)
        }
    }

    /// Mounts go from the host to the container, or back, only where the host's own mount says so.
    private static func checkPropagation(_ mount: MountPoint) throws(EngineError) {
        guard mount.propagation.hasSuffix("shared") || mount.propagation.hasSuffix("slave") else { return }
        guard let found = MountInfo.mount(of: mount.source) else { return }
        let isShared = found.options.contains { $0.hasPrefix("shared:") }
        let isSlave = found.options.contains { $0.hasPrefix("master:") }
        if mount.propagation.hasSuffix("shared"), !isShared {
            throw .internal("path \(mount.source) is mounted on \(found.place) but it is not a shared mount")
        }
        if mount.propagation.hasSuffix("slave"), !isShared, !isSlave {
            throw .internal("path \(mount.source) is mounted on \(found.place) but it is not a shared or slave mount")
        }
    }
}

/// /proc/self/mountinfo (proc_pid_mountinfo(5)), as far as propagation needs it.
enum MountInfo {
    /// The mount that a path is on: its place, and its optional fields (`shared:7`, `master:3`).
    static func mount(of path: String) -> (place: String, options: [String])? {
        guard let text = try? readText(FilePath("/proc/self/mountinfo"), limit: 16 << 20) else { return nil }
        return mount(of: path, in: text)
    }

    static func mount(of path: String, in text: String) -> (place: String, options: [String])? {
        var best: (place: String, options: [String])?
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: " ").map { String($0) }
            guard fields.count > 6 else { continue }
            let place = fields[4]
            guard place == "/" || path == place || path.hasPrefix(place + "/") else { continue }
            // Of several mounts at one place the last one is on top.
            if place.utf8.count >= (best?.place.utf8.count ?? 0) {
                best = (place, Array(fields[6...].prefix { $0 != "-" }))
            }
        }
        return best
    }
}
