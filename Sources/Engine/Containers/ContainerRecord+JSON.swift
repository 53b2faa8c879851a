// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import JSON
import LinuxSystem

// The form in the database.
extension ContainerRecord {
    var json: JSONValue {
        [
            "id": .string(id), "name": .string(name), "created": .int(created.nanoseconds),
            "imageName": .string(imageName), "imageID": .string(imageID), "manifestDigest": .string(manifestDigest),
            "chainID": .string(chainID), "config": config.json, "hostConfig": hostConfig.json,
            "endpoints": .object(endpoints), "mounts": .array(mounts.map { $0.record }),
            "rootfs": .array(rootfs.map { $0.json }), "state": state.json, "restartCount": .int(Int64(restartCount)),
            "stoppedByUser": .bool(stoppedByUser), "network": network.json, "hasBeenStarted": .bool(hasBeenStarted),
            "removesVolumes": .bool(removesVolumes), "leftFirstNetwork": .bool(leftFirstNetwork),
            "health": health?.json ?? .null,
        ]
    }

    init(json: JSONValue) throws(FieldError) {
        guard let id = json["id"]?.string, let name = json["name"]?.string, let created = json["created"]?.int,
            let state = ContainerState(json: json["state"] ?? .null)
        else { throw FieldError("not a container record") }
        self.init(
            id: id, name: name, created: Timestamp(nanoseconds: created),
            imageName: json["imageName"]?.string ?? "", imageID: json["imageID"]?.string ?? "",
            config: try ContainerConfig(json: json["config"] ?? .null),
            hostConfig: try HostConfig(json: json["hostConfig"] ?? .null))
        manifestDigest = json["manifestDigest"]?.string ?? ""
        chainID = json["chainID"]?.string ?? ""
        endpoints = json["endpoints"]?.members ?? []
        mounts = (json["mounts"]?.array ?? []).compactMap { MountPoint(record: $0) }
        rootfs = (json["rootfs"]?.array ?? []).map { RootMount(json: $0) }
        self.state = state
        restartCount = Int(json["restartCount"]?.int ?? 0)
        stoppedByUser = json["stoppedByUser"]?.bool ?? false
        network = NetworkView(json: json["network"] ?? .null)
        hasBeenStarted = json["hasBeenStarted"]?.bool ?? false
        removesVolumes = json["removesVolumes"]?.bool ?? false
        leftFirstNetwork = json["leftFirstNetwork"]?.bool ?? false
        health = Health(json: json["health"] ?? .null)
    }
}

extension NetworkView {
    var json: JSONValue {
        [
            "sandboxKey": .string(sandboxKey), "networks": .object(networks),
            "ports": .array(
                ports.map { ["key": .string($0.key), "ip": .string($0.hostIP), "port": .int(Int64($0.hostPort))] }),
        ]
    }

    init(json: JSONValue) {
        self.init()
        sandboxKey = json["sandboxKey"]?.string ?? ""
        networks = json["networks"]?.members ?? []
        ports = (json["ports"]?.array ?? []).map {
            Port(key: $0["key"]?.string ?? "", hostIP: $0["ip"]?.string ?? "", hostPort: Int($0["port"]?.int ?? 0))
        }
    }
}

extension ContainerState {
    var json: JSONValue {
        var json: JSONValue = ["phase": .string(name)]
        if let run {
            json.set("pid", .int(Int64(run.pid)))
            json.set("startedAt", .int(run.startedAt.nanoseconds))
            if run.oomKilled { json.set("oomKilled", .bool(true)) }
        }
        if let exit = lastExit { json.set("exit", exit.json) }
        return json
    }

    init?(json: JSONValue) {
        let exit = json["exit"].map { Exit(json: $0) }
        var run = Run(
            pid: Int32(truncatingIfNeeded: json["pid"]?.int ?? 0),
            startedAt: Timestamp(nanoseconds: json["startedAt"]?.int ?? 0))
        run.oomKilled = json["oomKilled"]?.bool ?? false
        switch (json["phase"]?.string, exit) {
        case ("created", nil): self.init(phase: .created)
        case ("running", _): self.init(phase: .running(run))
        case ("paused", _): self.init(phase: .paused(run))
        case ("restarting", .some(let exit)): self.init(phase: .restarting(exit))
        case ("exited", .some(let exit)), ("created", .some(let exit)): self.init(phase: .exited(exit))
        case ("removing", _): self.init(phase: .removing(exit))
        case ("dead", _): self.init(phase: .dead(exit))
        default: return nil
        }
    }
}

extension ContainerState.Exit {
    var json: JSONValue {
        [
            "code": .int(Int64(code)), "finishedAt": .int(finishedAt.nanoseconds),
            "startedAt": startedAt.map { .int($0.nanoseconds) } ?? .null, "message": .string(message),
            "oomKilled": .bool(oomKilled),
        ]
    }

    init(json: JSONValue) {
        self.init(
            code: Int32(truncatingIfNeeded: json["code"]?.int ?? 0),
            finishedAt: Timestamp(nanoseconds: json["finishedAt"]?.int ?? 0),
            startedAt: json["startedAt"]?.int.map { Timestamp(nanoseconds: $0) },
            message: json["message"]?.string ?? "")
        oomKilled = json["oomKilled"]?.bool ?? false
    }
}
