// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import JSON
import LinuxSystem
import Networking
import Synchronization

/// The drivers of networks that containers are on, for events when nobody can be asked any more.
final class NetworkDrivers: Sendable {
    private let known = Mutex<[String: String]>([:])

    subscript(_ id: String) -> String {
        get { known.withLock { $0[id] ?? "bridge" } }
        set { known.withLock { $0[id] = newValue } }
    }
}

// What a container's start and end mean for the networks and volumes that it uses, in docker's order: the networks, the
// volumes, then the container itself.
extension ContainerService {
    /// Its network is there, and its volumes are about to be mounted.
    func publishUse(_ record: ContainerRecord) async {
        for (name, id) in networks(record) {
            networkDrivers[id] = (try? await networks.inspect(id).network.driver) ?? "bridge"
            publish("connect", network: name, id, record)
        }
        for mount in record.mounts where mount.kind == .volume {
            events.publish(
                type: .volume, action: "mount", id: mount.name,
                attributes: [
                    ("driver", mount.driver), ("container", record.id), ("destination", mount.destination),
                    ("read/write", mount.writable ? "true" : "false"), ("propagation", ""),
                ])
        }
    }

    /// The process has ended.
    func publishDisuse(_ record: ContainerRecord) {
        publishLeaving(record)
        for mount in record.mounts where mount.kind == .volume {
            events.publish(
                type: .volume, action: "unmount", id: mount.name,
                attributes: [("driver", mount.driver), ("container", record.id)])
        }
    }

    func publishLeaving(_ record: ContainerRecord) {
        for (name, id) in networks(record) { publish("disconnect", network: name, id, record) }
    }

    private func networks(_ record: ContainerRecord) -> [(name: String, id: String)] {
        if record.networkMode.hasPrefix("container:") { return [] }
        return record.network.networks.map { ($0.key, $0.value["NetworkID"]?.string ?? "") }
    }

    private func publish(_ action: String, network name: String, _ id: String, _ record: ContainerRecord) {
        events.publish(
            type: .network, action: action, id: id,
            attributes: [("name", name), ("type", networkDrivers[id]), ("container", record.id)])
    }
}
