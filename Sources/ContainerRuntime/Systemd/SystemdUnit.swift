// SPDX-License-Identifier: Apache-2.0
import CLinux
import Cgroups
import JSON
import LinuxSystem
import OCISpec

/// A container's unit of systemd: a transient scope or slice, whose cgroup is the container's (org.freedesktop.systemd1(5),
/// systemd.scope(5)).
package struct SystemdUnit: Sendable, Equatable {
    package var name: String
    package var slice: String
    /// Of the user's own manager, not of the host's.
    package var isUser: Bool

    /// - Parameter cgroupsPath: the config's: `slice:prefix:name`; empty for the usual slice and the id.
    init(cgroupsPath: String, id: String, isUser: Bool) throws(RuntimeError) {
        self.isUser = isUser
        slice = isUser ? "user.slice" : "system.slice"
        var (prefix, name) = ("runc", id)
        if !cgroupsPath.isEmpty {
            let parts = cgroupsPath.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 3 else {
                throw RuntimeError(
                    "expected cgroupsPath to be of format \"slice:prefix:name\" for systemd cgroups, got \""
                        + cgroupsPath + "\" instead")
            }
            if !parts[0].isEmpty { slice = String(parts[0]) }
            (prefix, name) = (String(parts[1]), String(parts[2]))
        }
        self.name = name.hasSuffix(".slice") ? name : prefix + "-" + name + ".scope"
        _ = try cgroupPath(below: "")
    }

    /// Nil if it is not what `json` gives.
    init?(_ value: JSONValue) {
        guard let name = value["name"]?.string, let slice = value["slice"]?.string, let isUser = value["user"]?.bool
        else {
            return nil
        }
        (self.name, self.slice, self.isUser) = (name, slice, isUser)
    }

    var json: JSONValue { ["name": .string(name), "slice": .string(slice), "user": .bool(isUser)] }

    /// The unit's cgroup. The name of a slice says where it is: `a-b.slice` is in `a.slice`.
    func cgroupPath(below manager: String) throws(RuntimeError) -> String {
        let suffix = ".slice"
        guard slice.hasSuffix(suffix), !slice.utf8.contains(UInt8(ascii: "/")), !name.utf8.contains(UInt8(ascii: "/"))
        else {
            throw RuntimeError("invalid slice name: " + slice)
        }
        var path = manager
        if slice != "-.slice" {
            var prefix = ""
            for part in slice.dropLast(suffix.utf8.count).split(separator: "-", omittingEmptySubsequences: false) {
                if part.isEmpty { throw RuntimeError("invalid slice name: " + slice) }
                path += "/" + prefix + part + suffix
                prefix += part + "-"
            }
        }
        return path + "/" + name
    }

    /// Where the container's cgroup will be.
    func location(unified: Bool) throws(RuntimeError) -> CgroupLocation {
        guard exists(FilePath("/run/systemd/system")) else {
            throw RuntimeError("systemd not running on this host, cannot use systemd cgroups manager")
        }
        if isUser, !unified { throw RuntimeError("cannot use rootless systemd cgroups manager on cgroup v1") }
        guard isUser else { return CgroupLocation(path: try cgroupPath(below: "")) }
        var manager = try SystemdManager(of: self)
        return CgroupLocation(path: try cgroupPath(below: try manager.property("ControlGroup")))
    }

    /// Makes the unit, with this process in it.
    func start(_ pid: Int32, id: String, properties: [BusValue]) throws(RuntimeError) {
        var all: [BusValue] = [.property("Description", .string("libcontainer container " + id))]
        if name.hasSuffix(".slice") {
            all.append(.property("Wants", .strings([slice])))
        } else {
            all += [.property("Slice", .string(slice)), .property("Delegate", .boolean(true))]
        }
        all.append(.property("PIDs", .array([.uint32(UInt32(bitPattern: pid))], of: "u")))
        for name in ["MemoryAccounting", "CPUAccounting", "IOAccounting", "TasksAccounting"] {
            all.append(.property(name, .boolean(true)))
        }
        all.append(.property("DefaultDependencies", .boolean(false)))
        var manager = try SystemdManager(of: self)
        do throws(RuntimeError) { try manager.startOverFailed(name, all + properties) } catch {
            throw RuntimeError("unable to start unit \"" + name + "\": " + error.message)
        }
    }

    func set(_ properties: [BusValue]) throws(RuntimeError) {
        if properties.isEmpty { return }
        var manager = try SystemdManager(of: self)
        do throws(RuntimeError) {
            try manager.call(
                "SetUnitProperties", .string(name), .boolean(true), .array(properties, of: "(sv)"))
        } catch { throw RuntimeError("unable to set unit properties: " + error.message) }
    }

    /// Ends the unit, if it still is there.
    func stop() throws(RuntimeError) {
        var manager = try SystemdManager(of: self)
        try manager.stop(name)
    }
}

/// systemd's manager object, on the bus of the host or of the user.
private struct SystemdManager: ~Copyable {
    private var bus: BusConnection
    private var isSubscribed = false

    private static let destination = "org.freedesktop.systemd1"
    private static let path = "/org/freedesktop/systemd1"
    private static let interface = "org.freedesktop.systemd1.Manager"

    init(of unit: SystemdUnit) throws(RuntimeError) {
        let given = Environment.nonEmpty(unit.isUser ? "DBUS_SESSION_BUS_ADDRESS" : "DBUS_SYSTEM_BUS_ADDRESS")
        let directory = unit.isUser ? Environment.nonEmpty("XDG_RUNTIME_DIR") ?? "/run/user/\(geteuid())" : ""
        bus = try BusConnection.open(
            given ?? "unix:path=" + (unit.isUser ? directory + "/bus" : "/run/dbus/system_bus_socket"))
    }

    @discardableResult
    mutating func call(_ method: String, _ arguments: BusValue...) throws(RuntimeError) -> BusMessage {
        try bus.call(SystemdManager.destination, SystemdManager.path, SystemdManager.interface, method, arguments)
    }

    mutating func property(_ name: String) throws(RuntimeError) -> String {
        let reply = try bus.call(
            SystemdManager.destination, SystemdManager.path, "org.freedesktop.DBus.Properties", "Get",
            [.string(SystemdManager.interface), .string(name)])
        return reply.texts.first ?? ""
    }

    /// A unit of this name that failed earlier stays until somebody has seen it, and goes then.
    mutating func startOverFailed(_ unit: String, _ properties: [BusValue]) throws(RuntimeError) {
        do throws(RuntimeError) { try start(unit, properties) } catch {
            guard error.message.hasPrefix("StartTransientUnit: org.freedesktop.systemd1.UnitExists:") else {
                throw error
            }
            try call("ResetFailedUnit", .string(unit))
            try start(unit, properties)
        }
    }

    private mutating func start(_ unit: String, _ properties: [BusValue]) throws(RuntimeError) {
        try watchJobs()
        let job = try call(
            "StartTransientUnit", .string(unit), .string("replace"), .array(properties, of: "(sv)"),
            .array([], of: "(sa(sv))"))
        let result = try end(of: job)
        if result == "done" { return }
        _ = try? call("ResetFailedUnit", .string(unit))
        throw RuntimeError("error creating systemd unit `" + unit + "`: got `" + result + "`")
    }

    mutating func stop(_ unit: String) throws(RuntimeError) {
        try watchJobs()
        if let job = try? call("StopUnit", .string(unit), .string("replace")) { _ = try end(of: job) }
        _ = try? call("ResetFailedUnit", .string(unit))
    }

    private mutating func watchJobs() throws(RuntimeError) {
        if isSubscribed { return }
        _ = try bus.call(
            "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "AddMatch",
            [.string("type='signal',interface='" + SystemdManager.interface + "',member='JobRemoved'")])
        try call("Subscribe")
        isSubscribed = true
    }

    /// How a job ended, `done` if it did what it was for.
    private mutating func end(of job: BusMessage) throws(RuntimeError) -> String {
        while true {
            let texts = try bus.signal("JobRemoved").texts  // the job, the unit, the result
            if texts.count == 3, texts[0] == job.texts.first { return texts[2] }
        }
    }
}
