// SPDX-License-Identifier: Apache-2.0
package import OCISpec

/// One node to make under /dev, or elsewhere if the spec says so.
package struct DevicePlan: Sendable, Equatable {
    package var path: String
    /// The type bits of mknod(2) and the permission bits.
    package var mode: UInt32
    package var major: UInt32
    package var minor: UInt32
    package var uid: UInt32
    package var gid: UInt32

    package init(_ device: RuntimeLinux.Device) throws(RuntimeError) {
        path = device.path
        guard path.utf8.first == UInt8(ascii: "/"), !path.split(separator: "/").contains("..") else {
            throw RuntimeError("device path must be absolute and plain: " + path)
        }
        let type: UInt32
        switch device.type {
        case "b": type = 0o060000
        case "p": type = 0o010000
        default: type = 0o020000
        }
        mode = type | (device.fileMode ?? 0o666) & 0o7777
        guard let major = UInt32(exactly: device.major), let minor = UInt32(exactly: device.minor) else {
            throw RuntimeError("device " + path + ": invalid number \(device.major):\(device.minor)")
        }
        self.major = major
        self.minor = minor
        uid = device.uid
        gid = device.gid
    }

    /// Those that every container has (config-linux.md, "Default Devices"), behind the spec's own: where both name a
    /// path, the spec's counts.
    package static func all(_ devices: [RuntimeLinux.Device]) throws(RuntimeError) -> [DevicePlan] {
        var plans: [DevicePlan] = []
        for device in devices { plans.append(try DevicePlan(device)) }
        for (name, major, minor) in [
            ("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0),
        ] as [(String, Int64, Int64)] {
            let device = RuntimeLinux.Device(type: "c", path: "/dev/" + name, major: major, minor: minor, fileMode: nil)
            if !plans.contains(where: { $0.path == device.path }) { plans.append(try DevicePlan(device)) }
        }
        return plans
    }
}
