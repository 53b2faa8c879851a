// SPDX-License-Identifier: Apache-2.0
import CLinux
import DockerAPI
import JSON
import LinuxSystem

/// Looks up the device nodes of the host that a container gets.
enum HostDevices {
    static func collect(_ host: HostConfig) throws(SpecError) -> [HostDevice] {
        if host.privileged { return all() }
        var devices: [HostDevice] = []
        for entry in host.objects("Devices") {
            let source = entry["PathOnHost"]?.string ?? ""
            let target = entry["PathInContainer"]?.string ?? ""
            let access = entry["CgroupPermissions"]?.string ?? ""
            devices += try lookUp(source, as: target.isEmpty ? source : target, access: access.isEmpty ? "rwm" : access)
        }
        return devices
    }

    /// One node, or all nodes below a directory.
    static func lookUp(
        _ source: String, as target: String, access: String
    ) throws(SpecError) -> [HostDevice] {
        do throws(SysError) {
            let info = try status(FilePath(source))
            if isDirectory(info) {
                let devices = try walk(FilePath(source), as: FilePath(target), access: access)
                if !devices.isEmpty { return devices }
            } else if let device = device(info, path: target, access: access) {
                return [device]
            }
        } catch {
            throw failure(source, error.errno.text)
        }
        throw failure(source, "not a device node")
    }

    /// The numbers of a device whose reads or writes are limited, by its path on the host.
    static func number(_ path: String) throws(SpecError) -> (major: Int64, minor: Int64) {
        do throws(SysError) {
            let info = try status(FilePath(path))
            guard let device = device(info, path: path, access: "") else {
                throw SysError("stat", path, .invalidArgument)
            }
            return (device.major, device.minor)
        } catch {
            throw SpecError("stat \(path): \(error.errno.text)", .other)
        }
    }

    private static func failure(_ path: String, _ reason: String) -> SpecError {
        SpecError(
            "error gathering device information while adding custom device \"\(path)\": \(reason)", .other)
    }

    /// Every node of the host but those that a container has of its own.
    private static func all() -> [HostDevice] {
        let own = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/ptmx"]
        let nodes = (try? walk(FilePath("/dev"), as: FilePath("/dev"), access: "rwm")) ?? []
        return nodes.filter { !own.contains($0.path) }
    }

    private static let skipped = ["pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", ".udev", "console"]

    private static func walk(
        _ directory: FilePath, as target: FilePath, access: String
    ) throws(SysError) -> [HostDevice] {
        var devices: [HostDevice] = []
        for name in try listDirectory(directory).sorted() where !skipped.contains(name) {
            guard let info = try? status(directory / name, follow: false) else { continue }  // gone meanwhile
            if isDirectory(info) {
                devices += (try? walk(directory / name, as: target / name, access: access)) ?? []
            } else if let device = device(info, path: (target / name).string, access: access) {
                devices.append(device)
            }
        }
        return devices
    }

    private static func device(_ info: stat, path: String, access: String) -> HostDevice? {
        let format = info.st_mode & 0o170000
        guard format == 0o020000 || format == 0o060000 else { return nil }
        let number = UInt64(info.st_rdev)
        return HostDevice(
            path: path, type: format == 0o020000 ? "c" : "b",
            major: Int64(number >> 8 & 0xfff | number >> 32 & ~0xfff),
            minor: Int64(number & 0xff | number >> 12 & ~0xff), mode: UInt32(info.st_mode & 0o7777),
            uid: info.st_uid, gid: info.st_gid, access: access)
    }
}
