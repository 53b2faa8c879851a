// SPDX-License-Identifier: Apache-2.0
package import AsyncTTRPC
import ContainerdAPI
import LinuxSystem
import OCISpec
import SwiftProtobuf

/// containerd's images service over the image records.
package final class ImageRecordService: Sendable {
    private let images: ImageStore
    private let namespaces: NamespaceService
    private let events: EventService
    private let collector: ImageCollector

    package init(
        images: ImageStore, namespaces: NamespaceService, events: EventService, collector: ImageCollector
    ) {
        self.images = images
        self.collector = collector
        self.namespaces = namespaces
        self.events = events
    }

    package func register(on table: inout RPCHandlerTable) {
        let service = "containerd.services.images.v1.Images"
        table.unary(service, "Get", get)
        table.unary(service, "List", list)
        table.unary(service, "Create", create)
        table.unary(service, "Update", update)
        table.unary(service, "Delete", delete)
    }

    private func get(
        _ request: Containerd_Services_Images_V1_GetImageRequest, _ context: RPCContext
    ) throws -> Containerd_Services_Images_V1_GetImageResponse {
        let found = try images.get(try context.namespace(), request.name)
        return .with { $0.image = found.message }
    }

    private func list(
        _ request: Containerd_Services_Images_V1_ListImagesRequest, _ context: RPCContext
    ) throws -> Containerd_Services_Images_V1_ListImagesResponse {
        let filters = try FilterSet(request.filters)
        let found = try images.list(try context.namespace()).filter { image in
            filters.matches { path in
                switch path {
                case ["name"]: image.name
                case ["target", "digest"]: image.target.digest.string
                case ["target", "mediatype"]: image.target.mediaType
                default: labelField(path, image.labels)
                }
            }
        }
        return .with { $0.images = found.map { $0.message } }
    }

    private func create(
        _ request: Containerd_Services_Images_V1_CreateImageRequest, _ context: RPCContext
    ) throws -> Containerd_Services_Images_V1_CreateImageResponse {
        let namespace = try context.namespace()
        try namespaces.ensure(namespace)
        let record = ImageRecord(
            name: request.image.name, target: try Descriptor(message: request.image.target),
            labels: request.image.labels)
        try images.create(namespace, record)
        events.publish(
            namespace, topic: "/images/create",
            Containerd_Services_Images_V1_ImageCreate.with {
                $0.name = record.name
                $0.labels = record.labels
            })
        return .with { $0.image = record.message }
    }

    private func update(
        _ request: Containerd_Services_Images_V1_UpdateImageRequest, _ context: RPCContext
    ) throws -> Containerd_Services_Images_V1_UpdateImageResponse {
        let namespace = try context.namespace()
        let paths = request.updateMask.named ?? ["labels", "target"]
        // A client that changes labels sends an empty target along.
        let hasTarget = request.image.hasTarget && paths.contains("target")
        let target = hasTarget ? try Descriptor(message: request.image.target) : nil
        let updated = try images.update(namespace, request.image.name) { record in
            for path in paths {
                if path == "target" {
                    if let target { record.target = target }
                } else if !path.hasPrefix("annotations") {
                    try LabelUpdate([path]).apply(request.image.labels, to: &record.labels)
                }
            }
        }
        events.publish(
            namespace, topic: "/images/update",
            Containerd_Services_Images_V1_ImageUpdate.with {
                $0.name = updated.name
                $0.labels = updated.labels
            })
        return .with { $0.image = updated.message }
    }

    private func delete(
        _ request: Containerd_Services_Images_V1_DeleteImageRequest, _ context: RPCContext
    ) async throws -> Google_Protobuf_Empty {
        let namespace = try context.namespace()
        let target = request.hasTarget ? try parseDigest(request.target.digest) : nil
        let deleted = try images.delete(namespace, request.name, target: target)
        events.publish(
            namespace, topic: "/images/delete",
            Containerd_Services_Images_V1_ImageDelete.with { $0.name = request.name })
        if request.sync {
            try await collector.collect(namespace, deleted: deleted.target)
        } else {
            // Owned by nobody; ends by itself when what the image alone used is gone.
            Task { [collector] in try await collector.collect(namespace, deleted: deleted.target) }
        }
        return Google_Protobuf_Empty()
    }
}

extension ImageRecord {
    var message: ImageMessage {
        .with {
            $0.name = name
            $0.target = target.message
            $0.labels = labels
            $0.createdAt = Google_Protobuf_Timestamp(createdAt)
            $0.updatedAt = Google_Protobuf_Timestamp(updatedAt)
        }
    }
}

extension Descriptor {
    var message: DescriptorMessage {
        .with {
            $0.mediaType = mediaType
            $0.digest = digest.string
            $0.size = size
            for pair in annotations.pairs { $0.annotations[pair.key] = pair.value }
        }
    }

    init(message: DescriptorMessage) throws(ServiceError) {
        var annotations = Annotations()
        for (key, value) in message.annotations.sorted(by: { $0.key < $1.key }) { annotations[key] = value }
        self.init(
            mediaType: message.mediaType, digest: try parseDigest(message.digest), size: message.size,
            annotations: annotations)
    }
}
