// SPDX-License-Identifier: Apache-2.0
package import LinuxSystem

/// The directories that a process's figures are read from: one for each v1 controller, or v2's one.
///
/// They stay the same when the process ends or moves, so look for them while the process is known to be where its
/// container is.
package struct CgroupFigures: Sendable, Equatable {
    package struct Place: Sendable, Equatable {
        package var hierarchy: CgroupHierarchy
        package var directory: FilePath
    }

    package private(set) var places: [Place] = []
    package let isUnified: Bool

    /// The cgroups of a container that are made by us.
    package init(_ cgroup: ContainerCgroup) {
        isUnified = cgroup.layout.isUnifiedOnly
        places = cgroup.layout.hierarchies.map { Place(hierarchy: $0, directory: cgroup.directory(in: $0)) }
    }

    /// The cgroups that a process is in.
    ///
    /// - Parameter membership: the text of /proc/PID/cgroup (cgroups(7)).
    package init(layout: CgroupLayout, membership: String) {
        isUnified = layout.isUnifiedOnly
        for line in membership.utf8.split(separator: UInt8(ascii: "\n")) {
            let parts = line.split(separator: UInt8(ascii: ":"), maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            let names = parts[1].split(separator: UInt8(ascii: ",")).map { String(decoding: $0, as: UTF8.self) }
            let found = layout.hierarchies.first { hierarchy in
                names.isEmpty ? hierarchy.kind == .unified : names.contains { hierarchy.has($0) }
            }
            guard let found else { continue }
            let path = FilePath("/" + String(decoding: parts[2], as: UTF8.self)).normalized.string
            places.append(Place(hierarchy: found, directory: found.mountPoint / path))
        }
    }

    /// Where a controller's files are; nil if the host has not got it.
    package func directory(_ controller: String) -> FilePath? {
        places.first { isUnified ? $0.hierarchy.kind == .unified : $0.hierarchy.has(controller) }?.directory
    }

    /// All figures. What the host does not count, and what is gone with its cgroup, is zero.
    package func read() -> CgroupStatistics { isUnified ? readUnified() : readV1() }

    /// Whether the cgroups still are there.
    package var exist: Bool { places.contains { exists($0.directory) } }

    /// A file of the v1 cpuset; empty if there is none.
    package func text(cpusetFile name: String) -> String { text("cpuset", "cpuset." + name) }

    /// How long tasks waited for a resource (`cpu`, `memory`, `io`): the text of version 2's pressure file; empty if the
    /// kernel does not say.
    package func pressure(_ resource: String) -> String { isUnified ? text(resource, resource + ".pressure") : "" }

    // MARK: Files

    func text(_ controller: String, _ file: String) -> String {
        guard let directory = directory(controller) else { return "" }
        return (try? readText(directory / file)) ?? ""
    }

    /// A file with one number; `max` and a missing file are nil.
    func value(_ controller: String, _ file: String) -> UInt64? { number(text(controller, file).utf8) }

    func counters(_ controller: String, _ file: String) -> CgroupCounters { CgroupCounters(text(controller, file)) }

    /// The sizes of huge pages that the host has, from the names `hugetlb.SIZE.<suffix>` in the cgroup.
    func hugepageSizes(_ suffix: String) -> [String] {
        guard let directory = directory("hugetlb"), let names = try? listDirectory(directory) else { return [] }
        var sizes: [String] = []
        for name in names where name.hasPrefix("hugetlb.") && name.hasSuffix("." + suffix) {
            let size = name.utf8.dropFirst(8).dropLast(suffix.utf8.count + 1)
            if !size.contains(UInt8(ascii: ".")) { sizes.append(String(decoding: size, as: UTF8.self)) }
        }
        return sizes.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}

/// Two numbers with a colon between them, as devices are named.
func deviceNumbers(_ word: Substring.UTF8View) -> (major: UInt64, minor: UInt64)? {
    let parts = word.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    guard parts.count == 2, let major = number(parts[0]), let minor = number(parts[1]) else { return nil }
    return (major, minor)
}

/// The numbers of a list such as `0-2,7`, as cpuset files have them; none if it is something else.
package func expandedList(_ text: String) -> [UInt64] {
    var numbers: [UInt64] = []
    for part in text.utf8.split(separator: UInt8(ascii: ",")) {
        let ends = part.split(separator: UInt8(ascii: "-"))
        guard let first = ends.first.flatMap({ number($0) }), let last = ends.last.flatMap({ number($0) }),
            first <= last, last - first < 65536
        else { return [] }
        numbers += first...last
    }
    return numbers
}
