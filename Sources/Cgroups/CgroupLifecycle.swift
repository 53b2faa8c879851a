// SPDX-License-Identifier: Apache-2.0
import CLinux
package import LinuxSystem

extension ContainerCgroup {
    /// Every process in the container's cgroup and those below it.
    package func processes() -> [Int32] {
        var found: [Int32] = []
        for hierarchy in layout.hierarchies {
            // All hierarchies agree, unless a process moved itself: the first with any process is enough.
            collect(directory(in: hierarchy), into: &found)
            if !found.isEmpty { break }
        }
        return found
    }

    private func collect(_ directory: FilePath, into found: inout [Int32]) {
        guard let text = try? readText(directory / "cgroup.procs", limit: 64 << 20) else { return }
        for line in text.split(separator: "\n") { if let pid = Int32(line), pid > 0 { found.append(pid) } }
        for child in subdirectories(directory) { collect(child, into: &found) }
    }

    private func subdirectories(_ directory: FilePath) -> [FilePath] {
        // A cgroup's link count is 2 plus its children: most have none, and then nothing is listed.
        guard let info = try? status(directory, follow: false), info.st_nlink > 2,
            let names = try? listDirectory(directory)
        else { return [] }
        return names.map { directory / $0 }.filter { path in
            guard let info = try? status(path, follow: false) else { return false }
            return isDirectory(info)
        }
    }

    // MARK: Freezing

    private var freezer: (directory: FilePath, isUnified: Bool)? {
        if let v1 = layout.hierarchy(with: "freezer") { return (directory(in: v1), false) }
        return layout.unified.map { (directory(in: $0), true) }
    }

    /// Whose processes are stopped by it; nil if there is no freezer.
    package var freezerDirectory: FilePath? { freezer?.directory }

    package var isFrozen: Bool {
        guard let freezer else { return false }
        let file = freezer.directory / (freezer.isUnified ? "cgroup.freeze" : "freezer.self_freezing")
        return (try? readText(file)) == "1"
    }

    /// Stops or continues every process; returns when the kernel has done so.
    package func setFrozen(_ frozen: Bool) throws(SysError) {
        guard let freezer else { throw SysError("freeze", path, .notSupported, hint: "no freezer cgroup is mounted") }
        if freezer.isUnified {
            try writeText(freezer.directory / "cgroup.freeze", frozen ? "1" : "0")
        } else {
            try writeText(freezer.directory / "freezer.state", frozen ? "FROZEN" : "THAWED")
        }
        for _ in 0..<2000 {
            if try isSettled(freezer, frozen) { return }
            usleep(1000)
        }
        if frozen { try? setFrozen(false) }
        throw SysError("freeze", path, .busy, hint: "not all processes stopped within two seconds")
    }

    private func isSettled(_ freezer: (directory: FilePath, isUnified: Bool), _ frozen: Bool) throws(SysError) -> Bool {
        if freezer.isUnified {
            let events = try readText(freezer.directory / "cgroup.events")
            return events.split(separator: "\n").contains(frozen ? "frozen 1" : "frozen 0")
        }
        let state = try readText(freezer.directory / "freezer.state")
        if frozen, state == "FREEZING" { try writeText(freezer.directory / "freezer.state", "FROZEN") }
        return state == (frozen ? "FROZEN" : "THAWED")
    }

    // MARK: Ending

    /// Sends a signal to every process. For SIGKILL none escapes by forking: v2 has a call for it, v1 is frozen first.
    package func signalAll(_ signal: CInt) throws(SysError) {
        // The root of a hierarchy has the processes of the whole host.
        if FilePath(path).components.isEmpty { throw SysError("kill", path, .invalidArgument) }
        if signal == SIGKILL, let unified = layout.unified,
            (try? writeText(directory(in: unified) / "cgroup.kill", "1")) != nil
        {
            if layout.isUnifiedOnly { return }
        }
        let wasFrozen = isFrozen
        if !wasFrozen { try? setFrozen(true) }
        defer { if !wasFrozen || signal == SIGKILL { try? setFrozen(false) } }
        for pid in processes() {
            do throws(SysError) { try sys("kill", String(pid)) { kill(pid, signal) } } catch {
                if error.errno != .noSuchProcess { throw error }
            }
        }
    }

    /// Removes the directories and those that the container made below them. Processes that are just dying keep a
    /// cgroup busy for a moment; those that live are killed.
    package func remove() throws(SysError) {
        if FilePath(path).components.isEmpty { return }
        // Mostly nothing is left in any of them, and then nobody has to be looked for.
        let left = layout.hierarchies.map { directory(in: $0) }.filter { directory in
            rmdir(directory.string) != 0 && Errno.current != .noSuchFile
        }
        if left.isEmpty { return }
        if !processes().isEmpty { try? signalAll(SIGKILL) }
        var failure: SysError?
        for directory in left {
            do throws(SysError) { try remove(directory) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    private func remove(_ directory: FilePath) throws(SysError) {
        var pause: UInt32 = 500
        while true {
            do throws(SysError) { return try removeEmptyDirectory(directory) } catch {
                if error.errno == .noSuchFile { return }
                if error.errno != .busy && error.errno != .notEmpty || pause > 128_000 { throw error }
                for child in subdirectories(directory) { try? remove(child) }
                usleep(pause)
                pause *= 2
            }
        }
    }
}
