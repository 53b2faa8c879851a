// SPDX-License-Identifier: Apache-2.0
package import DockerAPI
import JSON
import LinuxSystem

/// Reads every way to ask for a mount: `-v`, `--mount`, `--tmpfs` and the image's `VOLUME`.
package enum MountRequests {
    /// The mounts of a container, in the order in which they were asked for; one for each destination.
    package static func parse(config: ContainerConfig, hostConfig: HostConfig) throws(SpecError) -> [MountPoint] {
        var points = try parse(hostConfig: hostConfig)
        try addVolumes(config, driver: hostConfig.text("VolumeDriver"), to: &points)
        return points
    }

    /// Those without the anonymous volumes.
    static func parse(hostConfig: HostConfig) throws(SpecError) -> [MountPoint] {
        var points: [MountPoint] = []
        let driver = hostConfig.text("VolumeDriver")
        for bind in hostConfig.list("Binds") {
            try add(parseBind(bind, driver: driver), to: &points)
        }
        for mount in hostConfig.objects("Mounts") { try add(parseMount(mount), to: &points) }
        for (destination, options) in hostConfig.map("Tmpfs") {
            var point = MountPoint(.tmpfs, destination: try checked(destination))
            point.options = try tmpfsOptions(options)
            try add(point, to: &points)
        }
        return points
    }

    /// The anonymous volumes of `-v /path` and the image's `VOLUME`, where nothing else is mounted.
    static func addVolumes(
        _ config: ContainerConfig, driver: String, to points: inout [MountPoint]
    ) throws(SpecError) {
        for destination in config.volumes {
            let path = try checked(destination)
            if points.contains(where: { $0.destination == path }) { continue }
            var point = MountPoint(.volume, destination: path)
            point.anonymous = true
            point.driver = driver
            points.append(point)
        }
    }

    private static func add(_ point: MountPoint, to points: inout [MountPoint]) throws(SpecError) {
        if points.contains(where: { $0.destination == point.destination }) {
            throw SpecError("Duplicate mount point: \(point.destination)")
        }
        points.append(point)
    }

    // MARK: -v

    /// `[SOURCE:]DESTINATION[:OPTIONS]`.
    ///
    /// - Parameter driver: of a volume that has to be made; empty for the default.
    static func parseBind(_ text: String, driver: String = "") throws(SpecError) -> MountPoint {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map { String($0) }
        guard (1...3).contains(parts.count), !parts.contains("") else {
            throw SpecError("invalid volume specification: '\(text)'")
        }
        guard parts.count > 1 else {
            var point = MountPoint(.volume, destination: try checked(parts[0], text, "volume"))
            point.anonymous = true
            point.driver = driver
            return point
        }
        let isPath = parts[0].hasPrefix("/")
        let kind = MountPoint.Kind(rawValue: isPath ? "bind" : "volume") ?? .bind
        var point = MountPoint(kind, destination: try checked(parts[1], text, kind.rawValue))
        if isPath {
            point.source = FilePath(parts[0]).normalized.string
            point.createsSource = true
            point.propagation = "rprivate"
        } else {
            point.name = try checkedVolumeName(parts[0], driver)
            point.driver = driver
            point.mode = "z"
        }
        if parts.count == 3 {
            point.mode = parts[2]
            try apply(options: parts[2], of: text, to: &point)
        }
        return point
    }

    private static let propagations = ["private", "rprivate", "shared", "rshared", "slave", "rslave"]

    private static func apply(options: String, of text: String, to point: inout MountPoint) throws(SpecError) {
        let given = options.split(separator: ",", omittingEmptySubsequences: false).map { String($0) }
        for group in [["ro", "rw"], ["z", "Z"], ["cached", "delegated", "consistent"], ["nocopy"], propagations]
        where given.filter(group.contains).count > 1 {
            throw SpecError("invalid mode: \(options)")
        }
        for option in given {
            switch option {
            case "ro": point.writable = false
            case "rw", "z", "Z", "cached", "delegated", "consistent": break
            case "nocopy":
                guard point.kind == .volume else { throw stray("VolumeOptions", text, "bind") }
                point.copiesContent = false
            case _ where propagations.contains(option):
                guard point.kind == .bind else { throw stray("BindOptions", text, "volume") }
                point.propagation = option
                point.propagationIsGiven = true
            default: throw SpecError("invalid mode: \(options)")
            }
        }
    }

    private static func stray(_ field: String, _ text: String, _ type: String) -> SpecError {
        SpecError(
            "invalid volume specification: '\(text)': invalid mount config for type \"\(type)\": field \(field) must not "
                + "be specified")
    }

    // MARK: --mount

    private static func parseMount(_ mount: JSONValue) throws(SpecError) -> MountPoint {
        let type = mount["Type"]?.string ?? ""
        func fail(_ reason: String) -> SpecError { SpecError("invalid mount config for type \"\(type)\": \(reason)") }
        guard let kind = MountPoint.Kind(rawValue: type) else {
            throw fail("mount type unknown")
        }
        let target = mount["Target"]?.string ?? ""
        if target.isEmpty { throw fail("field Target must not be empty") }
        guard target.hasPrefix("/") else { throw fail("invalid mount path: '\(target)' mount path must be absolute") }
        guard FilePath(target).normalized.string != "/" else {
            throw fail("invalid specification: destination can't be '/'")
        }
        for (field, owner) in [("BindOptions", "bind"), ("VolumeOptions", "volume"), ("TmpfsOptions", "tmpfs")]
        where owner != type && mount[field].map({ !$0.isNull }) == true {
            throw fail("field \(field) must not be specified")
        }
        var point = MountPoint(kind, destination: try checked(target))
        point.writable = !(mount["ReadOnly"]?.bool ?? false)
        let source = mount["Source"]?.string ?? ""
        switch kind {
        case .bind:
            guard source.hasPrefix("/") else {
                throw fail(
                    source.isEmpty
                        ? "field Source must not be empty"
                        : "invalid mount path: '\(source)' mount path must be absolute")
            }
            point.source = FilePath(source).normalized.string
            try bindOptions(mount["BindOptions"] ?? .null, &point)
        case .volume:
            let driver = mount["VolumeOptions"]?["DriverConfig"]?["Name"]?.string ?? ""
            point.name = source.isEmpty ? "" : try checkedVolumeName(source, driver)
            point.driver = driver
            point.anonymous = source.isEmpty
            point.mode = "z"
            if source.isEmpty, mount["VolumeOptions"]?["Subpath"]?.string?.isEmpty == false {
                throw fail("must not set Subpath when using anonymous volumes")
            }
            try volumeOptions(mount["VolumeOptions"] ?? .null, &point)
        case .tmpfs:
            if !source.isEmpty { throw fail("field Source must not be specified") }
            point.options = tmpfsOptions(mount["TmpfsOptions"] ?? .null, readOnly: !point.writable)
        case .image:
            if source.isEmpty { throw fail("field Source must not be empty") }
            for options in ["BindOptions", "VolumeOptions"] where mount[options]?.members != nil {
                throw fail("field \(options) must not be specified")
            }
            point.name = source
            point.writable = false
            point.propagation = "rprivate"
            point.subpath = try subpath(mount["ImageOptions"] ?? .null, type)
        }
        return point
    }

    private static func bindOptions(_ options: JSONValue, _ point: inout MountPoint) throws(SpecError) {
        let propagation = options["Propagation"]?.string ?? ""
        guard propagation.isEmpty || propagations.contains(propagation) else {
            throw SpecError("invalid mount config for type \"bind\": invalid propagation mode: \(propagation)")
        }
        point.propagation = propagation.isEmpty ? "rprivate" : propagation
        point.propagationIsGiven = !propagation.isEmpty
        point.nonRecursive = options["NonRecursive"]?.bool ?? false
        let (never, always) = (options["ReadOnlyNonRecursive"]?.bool, options["ReadOnlyForceRecursive"]?.bool)
        if never == true || always == true {
            let field = "BindOptions.ReadOnly" + (never == true ? "NonRecursive" : "ForceRecursive")
            if point.writable { throw SpecError("mount options conflict: !ReadOnly && \(field)") }
            if never == true, always == true {
                throw SpecError("mount options conflict: ReadOnlyNonRecursive && BindOptions.ReadOnlyForceRecursive")
            }
            point.readOnlyBelow = never == true ? .never : .always
        }
        point.createsSource = options["CreateMountpoint"]?.bool ?? false
    }

    private static func volumeOptions(_ options: JSONValue, _ point: inout MountPoint) throws(SpecError) {
        point.copiesContent = !(options["NoCopy"]?.bool ?? false)
        point.volumeLabels = dictionary(options["Labels"])
        point.volumeOptions = dictionary(options["DriverConfig"]?["Options"])
        point.subpath = try subpath(options, "volume")
    }

    /// Of a volume or an image.
    private static func subpath(_ options: JSONValue, _ type: String) throws(SpecError) -> String {
        let subpath = options["Subpath"]?.string ?? ""
        guard !subpath.hasPrefix("/"), !subpath.split(separator: "/").contains("..") else {
            throw SpecError(
                "invalid mount config for type \"\(type)\": subpath must be a relative path within the volume")
        }
        return subpath
    }

    private static func dictionary(_ json: JSONValue?) -> [String: String]? {
        guard let pairs = json?.stringPairs, !pairs.isEmpty else { return nil }
        return Dictionary(pairs.map { ($0.key, $0.value) }) { $1 }
    }

    // MARK: tmpfs

    /// What docker lets through (docker's pkg/mount knows the same for this type).
    private static let tmpfsKnown: Set<String> = [
        "defaults", "size", "mode", "uid", "gid", "nr_inodes", "nr_blocks", "mpol", "huge", "ro", "rw", "suid",
        "nosuid",
        "dev", "nodev", "exec", "noexec", "sync", "async", "dirsync", "remount", "mand", "nomand", "atime", "noatime",
        "diratime", "nodiratime", "bind", "rbind", "unbindable", "runbindable", "private", "rprivate", "shared",
        "rshared", "slave", "rslave", "relatime", "norelatime", "strictatime", "nostrictatime",
    ]

    private static let tmpfsDefaults = [("noexec", "exec"), ("nosuid", "suid"), ("nodev", "dev")]

    /// docker's defaults, unless the user's own options say the opposite, then the user's.
    static func tmpfsOptions(_ text: String) throws(SpecError) -> [String] {
        let given = text.split(separator: ",").map { String($0) }
        for option in given where !tmpfsKnown.contains(String(option.prefix { $0 != "=" })) {
            throw SpecError("invalid tmpfs option \"\(option)\"")
        }
        let kept = tmpfsDefaults.filter { !given.contains($0.0) && !given.contains($0.1) }.map { $0.0 }
        return kept + given.filter { !$0.isEmpty }
    }

    private static func tmpfsOptions(_ options: JSONValue, readOnly: Bool) -> [String] {
        var list = tmpfsDefaults.map { $0.0 }
        if readOnly { list.append("ro") }
        if let mode = options["Mode"]?.int, mode != 0 { list.append("mode=" + String(mode, radix: 8)) }
        if let size = options["SizeBytes"]?.int, size != 0 { list.append("size=\(size)") }
        return list
    }

    // MARK: Checks

    /// - Parameters:
    ///   - specification: the whole text of `-v`; nil where there is none.
    ///   - type: of the mount, for the words of an error in it.
    private static func checked(
        _ destination: String, _ specification: String? = nil, _ type: String = ""
    ) throws(SpecError) -> String {
        let frame =
            specification.map { "invalid volume specification: '\($0)': invalid mount config for type \"\(type)\": " }
            ?? ""
        guard destination.hasPrefix("/") else {
            throw SpecError(frame + "invalid mount path: '\(destination)' mount path must be absolute")
        }
        let path = FilePath(destination).normalized.string
        guard path != "/" else { throw SpecError(frame + "invalid specification: destination can't be '/'") }
        return path
    }

    /// What names a plugin takes is the plugin's affair.
    private static func checkedVolumeName(_ name: String, _ driver: String) throws(SpecError) -> String {
        if !driver.isEmpty, driver != VolumeRecord.localDriver { return name }
        guard RestrictedName.isValid(name) else { throw SpecError("create \(name): " + VolumeName.invalid(name)) }
        return name
    }
}
