// SPDX-License-Identifier: Apache-2.0
import Archive
import DockerAPI
package import JSON
import LinuxSystem
import OCISpec

/// docker's JSON of images. `legacy` adds what API versions before 1.44 had.
extension LocalImage {
    /// An element of `GET /images/json`.
    package func summary(containers: Int, legacy: Bool) -> JSONValue {
        let labels = details.labels
        var object: JSONValue = [
            "Containers": .int(Int64(containers)),
            "Created": .int(details.created.seconds),
            "Id": .string(id),
            "Labels": labels.isEmpty ? .null : .sorted(labels.map { ($0.key, .string($0.value)) }),
            "ParentId": .string(parentID),
            "RepoDigests": .strings(legacy && repoDigests.isEmpty && isDangling ? ["<none>@<none>"] : repoDigests),
            "RepoTags": .strings(legacy && isDangling ? ["<none>:<none>"] : repoTags),
            "SharedSize": -1,
            "Size": .int(details.size),
        ]
        if legacy { object.set("VirtualSize", .int(details.size)) }
        return object
    }

    /// `GET /images/{name}/json`.
    ///
    /// - Parameters:
    ///   - legacy: with what API versions before 1.44 had.
    ///   - hasContainer: with the container that a build made the image of, which nobody knows: before 1.45.
    package func inspection(legacy: Bool, hasContainer: Bool = false) -> JSONValue {
        let document = details.config.document
        var object: JSONValue = [
            "Id": .string(id),
            "RepoTags": .strings(repoTags),
            "RepoDigests": .strings(repoDigests),
            "Parent": .string(parentID),
            "Comment": .string(lastComment),
            "Created": .string(document["created"]?.string ?? ""),
            "DockerVersion": .string(document["docker_version"]?.string ?? ""),
            "Author": .string(document["author"]?.string ?? ""),
            "Config": details.runConfig.isNull ? [:] : details.runConfig,
            "Architecture": .string(details.config.platform.architecture),
        ]
        if !details.config.platform.variant.isEmpty { object.set("Variant", .string(details.config.platform.variant)) }
        object.set("Os", .string(details.config.platform.os))
        object.set("Size", .int(details.size))
        if legacy { object.set("VirtualSize", .int(details.size)) }
        if hasContainer, let none = try? ContainerConfig(json: .null) {
            object.set("Container", "")
            object.set("ContainerConfig", none.inspectJSON)
        }
        let directories = Array(details.directories.reversed())
        let layers = LayerStack(upper: directories.first, lowers: Array(directories.dropFirst()))
        object.set("GraphDriver", GraphDriver.json(layers))
        object.set("RootFS", ["Type": "layers", "Layers": .strings(details.config.diffIDs.map(\.string))])
        let tagTime = lastTagTime?.rfc3339() ?? "0001-01-01T00:00:00Z"  // the zero time of Go
        object.set("Metadata", ["LastTagTime": .string(tagTime)])
        return object
    }

    private var history: [JSONValue] { details.config.document["history"]?.array ?? [] }

    private var lastComment: String {
        details.config.document["comment"]?.string ?? history.last?["comment"]?.string ?? ""
    }

    /// `GET /images/{name}/history`, newest first. Layers and history entries pair up, but for entries marked empty.
    ///
    /// - Parameter ancestors: the image that this one was made from, and so on; each made one entry.
    package func historyJSON(ancestors: [LocalImage] = []) -> JSONValue {
        var sizes = details.layerSizes[...]
        var entries: [JSONValue] = []
        for entry in history {
            let isEmpty = entry["empty_layer"]?.bool ?? false
            let size = isEmpty ? 0 : sizes.popFirst() ?? 0
            let created = entry["created"]?.string.flatMap { Timestamp(rfc3339: $0) }
            entries.append([
                "Comment": .string(entry["comment"]?.string ?? ""),
                "Created": .int(created?.seconds ?? 0),
                "CreatedBy": .string(entry["created_by"]?.string ?? ""),
                "Id": "<missing>",
                "Size": .int(size),
                "Tags": nil,
            ])
        }
        entries.reverse()
        for (index, image) in ([self] + ancestors).enumerated() where index < entries.count {
            entries[index].set("Id", .string(image.id))
            entries[index].set("Tags", image.repoTags.isEmpty ? .null : .strings(image.repoTags))
        }
        return .array(entries)
    }
}

extension ImageRemoval {
    package var json: JSONValue {
        switch self {
        case .untagged(let name): ["Untagged": .string(name)]
        case .deleted(let id): ["Deleted": .string(id)]
        }
    }
}
