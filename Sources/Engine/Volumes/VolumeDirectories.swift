// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem

/// The directories of volumes on the disk, `<root>/<name>/_data`. Trees that are on their way out are under
/// `<root>/.removing-<random>/`, which no volume can be called: whatever stops a removal, nothing of it is ever served
/// as a volume's content again.
struct VolumeDirectories: Sendable {
    let root: FilePath
    /// Whom a new volume belongs to.
    var owner = FileOwner.root

    private static let asidePrefix = ".removing-"
    private static let listableByName: mode_t = 0o701  // as docker has it: users in containers pass, nobody lists

    func volume(_ name: String) -> FilePath { root / name }

    /// What containers see.
    func data(_ name: String) -> FilePath { root / name / "_data" }

    /// Makes the directory of a new volume. An empty one that a crash left behind is replaced; one with anything in it
    /// is an error (EEXIST), since it is not the new volume's.
    func make(_ name: String) throws(SysError) {
        try makeDirectories(root, mode: Self.listableByName)
        do throws(SysError) { try makeNew(volume(name), Self.listableByName) } catch {
            guard error.errno == .exists else { throw error }
            removeIfEmpty(name)
            try makeNew(volume(name), Self.listableByName)
        }
        try makeNew(data(name), 0o755)
        try changeOwner(data(name), owner)
        try syncDirectory(volume(name))
        try syncDirectory(root)
    }

    private func makeNew(_ path: FilePath, _ mode: mode_t) throws(SysError) {
        do throws(SysError) { try sys("mkdir", path.string) { mkdir(path.string, mode) } } catch {
            guard error.errno == .exists else { throw error }
            throw SysError(
                "mkdir", path.string, .exists, hint: "it has files, but is no volume's: move it away or remove it")
        }
    }

    /// Removes the volume's directories if there is no file in them.
    func removeIfEmpty(_ name: String) {
        try? removeEmptyDirectory(data(name))
        try? removeEmptyDirectory(volume(name))
    }

    // MARK: Removal

    /// Renames the volume's directory out of the way, durably; returns what is to be removed then, or nil if there is
    /// no such directory.
    func setAside(_ name: String, _ random: String) throws(SysError) -> FilePath? {
        guard exists(volume(name)) else { return nil }
        let aside = root / (Self.asidePrefix + random)
        try makeDirectory(aside, mode: 0o700)
        do throws(SysError) { try rename(volume(name), aside / name) } catch {
            try? removeEmptyDirectory(aside)
            throw error
        }
        try syncDirectory(root)
        return aside
    }

    /// Undoes `setAside`.
    func putBack(_ name: String, from aside: FilePath) {
        try? rename(aside / name, volume(name))
        try? removeEmptyDirectory(aside)
    }

    /// What removals that were cut short have left.
    func leftOvers() -> [FilePath] {
        names().filter { $0.hasPrefix(Self.asidePrefix) }.map { root / $0 }
    }

    /// The names in the root that could be volumes'.
    func volumes() -> [String] { names().filter(RestrictedName.isValid) }

    private func names() -> [String] { (try? listDirectory(root)) ?? [] }
}
