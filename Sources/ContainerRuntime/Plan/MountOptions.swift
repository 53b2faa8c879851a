// SPDX-License-Identifier: Apache-2.0
package import LinuxSystem

/// The options of one mount of a spec, sorted by what they act on.
package struct MountOptions: Sendable, Equatable {
    package var isBind = false
    package var isRecursiveBind = false
    package var set: MountAttributes = []
    package var clear: MountAttributes = []
    /// Whether any option was about these, even if only to take another one back.
    package var hasAttributes = false
    /// As `set` and `clear`, for the mount and all below it (`rro` and its kin).
    package var recursiveSet: MountAttributes = []
    package var recursiveClear: MountAttributes = []
    package var propagation: MountPropagation?
    package var isPropagationRecursive = false
    /// A link is made again in the container, instead of binding what it leads to (crun's option).
    package var copiesLink = false
    /// Copies what the image has at the destination into the new tmpfs.
    package var copiesUp = false
    /// Owners are shown as a user namespace maps them: on the mount, or on all below it as well.
    package var isIDMapped = false
    package var isIDMapRecursive = false
    /// What is left for the file system itself: `size=64m`, `gid=5`, and the flags of a superblock such as `sync`.
    package var fileSystem: [String] = []

    package init(_ options: [String]) throws(RuntimeError) {
        for option in options where !option.isEmpty { try add(option) }
    }

    private mutating func add(_ option: String) throws(RuntimeError) {
        if addSpecial(option) || addPropagation(option) { return }
        if addWithdrawal(option) {
            hasAttributes = true
        } else if let change = attributeChange(option) {
            hasAttributes = true
            apply(change, to: &set, &clear)
        } else if option.hasPrefix("r"), let change = attributeChange(String(option.dropFirst())) {
            apply(change, to: &recursiveSet, &recursiveClear)
        } else {
            fileSystem.append(option)
        }
    }

    private mutating func addSpecial(_ option: String) -> Bool {
        switch option {
        case "bind": isBind = true
        case "rbind":
            isBind = true
            isRecursiveBind = true
        case "tmpcopyup": copiesUp = true
        case "copy-symlink": copiesLink = true
        case "idmap": isIDMapped = true
        case "ridmap":
            isIDMapped = true
            isIDMapRecursive = true
        case "defaults", "remount", "async", "loud", "nomand", "noiversion", "nolazytime", "newinstance", "silent",
            "iversion", "rnorelatime":
            break  // what the kernel does anyway, or what has no meaning for a new mount
        default: return false
        }
        return true
    }

    /// These take an option before them back. By itself none changes anything, as in mount(2).
    private mutating func addWithdrawal(_ option: String) -> Bool {
        switch option {
        case "atime": withdraw(.noAccessTime)
        case "nostrictatime": withdraw(.strictAccessTime)
        case "diratime": set.subtract(.noDirectoryAccessTime)
        case "norelatime": break
        default: return false
        }
        return true
    }

    private mutating func withdraw(_ accessTime: MountAttributes) {
        if !set.contains(accessTime) { return }
        set.subtract(accessTime)
        clear.subtract(.accessTimeMask)
    }

    private mutating func addPropagation(_ option: String) -> Bool {
        let kinds: [(String, MountPropagation)] = [
            ("shared", .shared), ("slave", .slave), ("private", .isPrivate), ("unbindable", .unbindable),
        ]
        for (name, kind) in kinds where option == name || option == "r" + name {
            propagation = kind
            isPropagationRecursive = option != name
            return true
        }
        return false
    }

    private func apply(
        _ change: (set: MountAttributes, clear: MountAttributes), to set: inout MountAttributes,
        _ clear: inout MountAttributes
    ) {
        set.subtract(change.clear)
        clear.subtract(change.set.isDisjoint(with: .accessTimeMask) ? change.set : .accessTimeMask)
        set.formUnion(change.set)
        clear.formUnion(change.clear)
    }
}

/// What an option such as `nosuid` or `suid` does to a mount; nil for options of another kind.
private func attributeChange(_ option: String) -> (set: MountAttributes, clear: MountAttributes)? {
    switch option {
    case "ro": (.readOnly, [])
    case "rw": ([], .readOnly)
    case "nosuid": (.noSuid, [])
    case "suid": ([], .noSuid)
    case "nodev": (.noDev, [])
    case "dev": ([], .noDev)
    case "noexec": (.noExec, [])
    case "exec": ([], .noExec)
    case "nosymfollow": (.noSymlinkFollow, [])
    case "symfollow": ([], .noSymlinkFollow)
    case "nodiratime": (.noDirectoryAccessTime, [])
    case "diratime": ([], .noDirectoryAccessTime)
    case "noatime": (.noAccessTime, .accessTimeMask)
    case "strictatime": (.strictAccessTime, .accessTimeMask)
    case "relatime", "atime", "nostrictatime": ([], .accessTimeMask)
    default: nil
    }
}

extension MountOptions {
    /// The options that are more than text for the file system, sorted: what `features` lists.
    package static var names: [String] {
        let plain = [
            "async", "bind", "copy-symlink", "defaults", "dirsync", "idmap", "iversion", "lazytime", "loud", "mand",
            "newinstance", "noiversion", "nolazytime", "nomand", "norelatime", "private", "rbind", "remount", "ridmap",
            "rnorelatime", "rprivate", "rshared", "rslave", "runbindable", "shared", "silent", "slave", "sync",
            "tmpcopyup", "unbindable",
        ]
        let attributes = [
            "atime", "dev", "diratime", "exec", "noatime", "nodev", "nodiratime", "noexec", "nostrictatime", "nosuid",
            "nosymfollow", "relatime", "ro", "rw", "strictatime", "suid", "symfollow",
        ]
        let all = plain + attributes + attributes.map { "r" + $0 }
        return all.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}
