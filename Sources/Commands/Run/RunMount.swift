// SPDX-License-Identifier: Apache-2.0
import JSON
import LinuxSystem

/// One `--mount type=bind,source=/a,target=/b,readonly`.
enum RunMount {
    static func parse(_ text: String) throws -> JSONValue {
        var mount = Parts()
        for field in csvFields(text) { try mount.read(field) }
        return try mount.json()
    }

    private struct Parts {
        var type = "volume"
        var source = ""
        var target = ""
        var readOnly = false
        var consistency = ""
        var bind: [(String, JSONValue)] = []
        var volume: [(String, JSONValue)] = []
        var tmpfs: [(String, JSONValue)] = []
        var image: [(String, JSONValue)] = []
        var labels: [(key: String, value: String)] = []
        var driver = ""
        var driverOptions: [(key: String, value: String)] = []

        mutating func read(_ field: String) throws {
            let (key, value): (String, String?) =
                field.cut("=").map { ($0.0.lowercased(), $0.1) } ?? (field.lowercased(), nil)
            guard let value else { return try readSwitch(key, field) }
            switch key {
            case "type": type = value.lowercased()
            case "source", "src":
                source = value
                if type == "bind", value.hasPrefix("./") || value.hasPrefix("../") || value == "." {
                    source = FilePath(value).absolute.string
                }
            case "target", "dst", "destination": target = value
            case "readonly", "ro": readOnly = try flag(key, value)
            case "consistency": consistency = value.lowercased()
            case "bind-propagation": bind.append(("Propagation", .string(value.lowercased())))
            case "bind-nonrecursive": bind.append(("NonRecursive", .bool(try flag(key, value))))
            case "bind-create-src": bind.append(("CreateMountpoint", .bool(try flag(key, value))))
            case "bind-recursive": try readRecursion(value)
            case "volume-nocopy": volume.append(("NoCopy", .bool(try flag(key, value))))
            case "volume-subpath": volume.append(("Subpath", .string(value)))
            case "volume-label": labels.append(value.cut("=").map { ($0.0, $0.1) } ?? (value, ""))
            case "volume-driver": driver = value
            case "volume-opt": driverOptions.append(value.cut("=").map { ($0.0, $0.1) } ?? (value, ""))
            case "image-subpath": image.append(("Subpath", .string(value)))
            case "tmpfs-size": tmpfs.append(("SizeBytes", .int(try size(key, value))))
            case "tmpfs-mode": tmpfs.append(("Mode", .int(try mode(key, value))))
            default: throw RunRefusal("unexpected key '" + key + "' in '" + field + "'")
            }
        }

        private mutating func readSwitch(_ key: String, _ field: String) throws {
            switch key {
            case "readonly", "ro": readOnly = true
            case "volume-nocopy": volume.append(("NoCopy", true))
            case "bind-nonrecursive": bind.append(("NonRecursive", true))
            case "bind-create-src": bind.append(("CreateMountpoint", true))
            default: throw RunRefusal("invalid field '" + field + "' must be a key=value pair")
            }
        }

        private mutating func readRecursion(_ value: String) throws {
            switch value {
            case "enabled": break
            case "disabled": bind.append(("NonRecursive", true))
            case "writable": bind.append(("ReadOnlyNonRecursive", true))
            case "readonly": bind.append(("ReadOnlyForceRecursive", true))
            default:
                throw RunRefusal(
                    "invalid value for bind-recursive: " + value
                        + " (must be \"enabled\", \"disabled\", \"writable\", or \"readonly\")")
            }
        }

        private func flag(_ key: String, _ value: String) throws -> Bool {
            switch value {
            case "1", "t", "T", "true", "TRUE", "True": return true
            case "0", "f", "F", "false", "FALSE", "False": return false
            default: throw RunRefusal("invalid value for " + key + ": " + value)
            }
        }

        private func size(_ key: String, _ value: String) throws -> Int64 {
            guard let size = try? SizeText.parse(value) else {
                throw RunRefusal("invalid value for " + key + ": " + value)
            }
            return size
        }

        private func mode(_ key: String, _ value: String) throws -> Int64 {
            guard let mode = Int64(value, radix: 8) else { throw RunRefusal("invalid value for " + key + ": " + value) }
            return mode
        }

        func json() throws -> JSONValue {
            if target.isEmpty { throw RunRefusal("target is required") }
            try refuseForeignOptions()
            try refuseRecursionOptions()
            var mount: JSONValue = ["Type": .string(type)]
            if !source.isEmpty { mount.set("Source", .string(source)) }
            mount.set("Target", .string(target))
            if readOnly { mount.set("ReadOnly", true) }
            if !consistency.isEmpty { mount.set("Consistency", .string(consistency)) }
            add("BindOptions", bind, to: &mount)
            var volume = volume
            if !labels.isEmpty { volume.append(("Labels", .map(labels))) }
            if !driver.isEmpty || !driverOptions.isEmpty {
                var config: JSONValue = .object([])
                if !driver.isEmpty { config.set("Name", .string(driver)) }
                if !driverOptions.isEmpty { config.set("Options", .map(driverOptions)) }
                volume.append(("DriverConfig", config))
            }
            add("VolumeOptions", volume, to: &mount)
            add("ImageOptions", image, to: &mount)
            add("TmpfsOptions", tmpfs, to: &mount)
            return mount
        }

        /// How deep read-only goes is a question only for read-only mounts, and the kernel's recursive form only for
        /// private ones.
        private func refuseRecursionOptions() throws {
            let isForced = bind.contains { $0.0 == "ReadOnlyForceRecursive" }
            guard isForced || bind.contains(where: { $0.0 == "ReadOnlyNonRecursive" }) else { return }
            let option = "option 'bind-recursive=" + (isForced ? "readonly" : "writable") + "' requires "
            if !readOnly { throw RunRefusal(option + "'readonly' to be specified in conjunction") }
            if isForced, !bind.contains(where: { $0.0 == "Propagation" && $0.1.string == "rprivate" }) {
                throw RunRefusal(option + "'bind-propagation=rprivate' to be specified in conjunction")
            }
        }

        private func refuseForeignOptions() throws {
            let hasVolumeOptions = !volume.isEmpty || !labels.isEmpty || !driver.isEmpty || !driverOptions.isEmpty
            if type != "volume", hasVolumeOptions {
                throw RunRefusal("cannot mix 'volume-*' options with mount type '" + type + "'")
            }
            if type != "bind", !bind.isEmpty {
                throw RunRefusal("cannot mix 'bind-*' options with mount type '" + type + "'")
            }
            if type != "tmpfs", !tmpfs.isEmpty {
                throw RunRefusal("cannot mix 'tmpfs-*' options with mount type '" + type + "'")
            }
            if type != "image", !image.isEmpty {
                throw RunRefusal("cannot mix 'image-*' options with mount type '" + type + "'")
            }
        }

        private func add(_ key: String, _ options: [(String, JSONValue)], to mount: inout JSONValue) {
            if options.isEmpty { return }
            mount.set(key, .object(options.map { JSONValue.Member($0.0, $0.1) }))
        }
    }
}

/// The fields of one line of comma-separated values; a field in double quotes may contain commas.
func csvFields(_ line: String) -> [String] {
    var fields: [String] = []
    var field: [UInt8] = []
    var inQuotes = false
    for byte in line.utf8 {
        if byte == UInt8(ascii: "\"") {
            inQuotes.toggle()
        } else if byte == UInt8(ascii: ","), !inQuotes {
            fields.append(String(decoding: field, as: UTF8.self))
            field = []
        } else {
            field.append(byte)
        }
    }
    fields.append(String(decoding: field, as: UTF8.self))
    return fields
}
