// SPDX-License-Identifier: Apache-2.0
import Flags
import JSON

/// dockerd's settings that mean nothing here: those that are taken, so that a daemon.json written for dockerd works, and
/// those without which a container or a client would get something else than was asked for.
enum ForeignSettings {
    /// A setting without an effect, and its key in the file.
    struct Accepted: Sendable {
        var flag: Flag
        var key: String

        init(_ flag: Flag, key: String? = nil) {
            self.flag = flag
            self.key = key ?? flag.long
        }
    }

    static let accepted = [
        Accepted(.list("allow-nondistributable-artifacts", "")), Accepted(.string("api-cors-header", "")),
        Accepted(.string("containerd-plugins-namespace", "")), Accepted(.bool("cri-containerd", "")),
        // Our rules leave what is none of our bridges' alone in any case.
        Accepted(.bool("ip-forward-no-drop", "")),
        Accepted(.int("network-control-plane-mtu", "")), Accepted(.int("network-diagnostic-port", "")),
        Accepted(.list("node-generic-resource", ""), key: "node-generic-resources"), Accepted(.bool("raw-logs", "")),
        Accepted(.bool("selinux-enabled", "")), Accepted(.string("storage-driver", short: "s", "")),
        Accepted(.list("storage-opt", ""), key: "storage-opts"), Accepted(.string("swarm-default-advertise-addr", "")),
        Accepted(.string("userland-proxy-path", "")),
    ]

    /// A setting that cannot be had, and why.
    struct Refused: Sendable {
        var flag: Flag
        var reason: String

        init(_ flag: Flag, _ reason: String) {
            self.flag = flag
            self.reason = reason
        }
    }

    static let refused = [
        Refused(.int("cpu-rt-period", ""), "real-time scheduling of all containers is not supported by swrund"),
        Refused(.int("cpu-rt-runtime", ""), "real-time scheduling of all containers is not supported by swrund"),
        Refused(.bool("rootless", ""), "rootless mode is not supported by swrund"),
    ]

    /// Names of overlayfs, which is what there is.
    private static let storageDrivers = ["", "overlay2", "overlayfs", "overlay"]

    /// Refuses what cannot be had.
    static func check(_ settings: Settings) throws(DaemonError) {
        for setting in refused where isWanted(setting.flag.long, settings) {
            throw DaemonError("--\(setting.flag.long): \(setting.reason)")
        }
        let driver = try settings.string("storage-driver")
        guard storageDrivers.contains(driver) else {
            throw DaemonError("error initializing graphdriver: driver not supported: \(driver)")
        }
        if let option = try settings.list("storage-opt").first {
            throw DaemonError("error initializing graphdriver: overlay2: unknown option \(option)")
        }
        for option in try settings.list("exec-opt") {
            let (key, value) = Settings.pair(option) ?? (option, "")
            guard key.lowercased() == "native.cgroupdriver", !["cgroupfs", "systemd"].contains(value) else { continue }
            throw DaemonError("native.cgroupdriver option \(value) not supported")
        }
    }

    /// Off, 0 and nothing ask for nothing.
    private static func isWanted(_ flag: String, _ settings: Settings) -> Bool {
        if settings.flags.isSet(flag) { return !["", "0", "false"].contains(settings.flags.string(flag)) }
        switch settings.file[DaemonFlags.key(flag)] {
        case nil, .null?, .bool(false)?, .int(0)?, .string("")?: return false
        default: return true
        }
    }
}
