// SPDX-License-Identifier: Apache-2.0

/// Where a container's control group is: below a directory of the hierarchy, or a scope of systemd's in a slice
/// (`--exec-opt native.cgroupdriver=systemd`).
struct CgroupPlace: Sendable, Equatable {
    /// What the container or the daemon asks for; empty is the usual place.
    var parent: String
    var id: String
    var usesSystemd: Bool

    private static let scopePrefix = "docker"

    /// As the runtime takes it (`linux.cgroupsPath`).
    var specPath: String { usesSystemd ? "\(slice):\(Self.scopePrefix):\(id)" : path }

    /// From the root of the hierarchy.
    var path: String {
        if usesSystemd { return Self.path(ofSlice: slice) + "/\(Self.scopePrefix)-\(id).scope" }
        let base = parent.isEmpty ? "/swrun" : parent
        return (base.hasPrefix("/") ? base : "/" + base) + "/" + id
    }

    private var slice: String { parent.isEmpty ? "system.slice" : parent }

    /// Each dash in a slice's name is a slice that it is in (systemd.slice(5)).
    private static func path(ofSlice slice: String) -> String {
        var path = ""
        var name = ""
        for part in slice.dropLast(suffix.count).split(separator: "-") {
            name += (name.isEmpty ? "" : "-") + part
            path += "/" + name + suffix
        }
        return path
    }

    private static let suffix = ".slice"

    /// Whether a parent is one that systemd can have; docker looks at the end of the name alone.
    static func isSlice(_ parent: String) -> Bool {
        parent.isEmpty || parent.hasSuffix(suffix) && parent.utf8.count > suffix.utf8.count
    }

    /// What docker says of one that is none.
    static let refusal = "cgroup-parent for systemd cgroup should be a valid slice named as \"xxx.slice\""
}
