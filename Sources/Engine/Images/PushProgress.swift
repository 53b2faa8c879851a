// SPDX-License-Identifier: Apache-2.0
package import ContainerdAPI
package import DockerAPI
import JSON
package import OCISpec

/// Turns the supervisor's progress of a push into docker's lines. A value without I/O: events in, lines out.
package struct PushProgress: Sendable {
    private struct Layer {
        var wasAnnounced = false
        var isDone = false
        var lastLine: Int64 = 0
    }

    /// Two progress lines of one layer are at least this far apart, in nanoseconds.
    private static let interval: Int64 = 100_000_000
    /// So many layers go at once; the others wait.
    private static let parallel = 5

    private let tag: String
    /// docker shows layers by their diffIDs, the top one first.
    private let names: [(blob: String, id: String)]
    private var layers: [String: Layer] = [:]
    /// The manifest or index that the tag points to in the registry; known at the end.
    private(set) package var pushed: DescriptorMessage?

    /// - Parameter details: the image, or one of an index; it names the layers.
    package init(tag: String, _ details: ImageDetails) {
        self.tag = tag
        names = zip(details.layers, details.config.diffIDs).reversed().map {
            ($0.digest.string, shortImageID($1.string))
        }
    }

    /// `Preparing` for all layers, and `Waiting` for those that have no turn at once.
    package mutating func start() -> [ProgressMessage] {
        var ids: [String] = []
        for (_, id) in names where !ids.contains(id) { ids.append(id) }
        for id in ids { layers[id, default: Layer()].wasAnnounced = true }
        return ids.map { .step("Preparing", id: $0) } + ids.dropFirst(Self.parallel).map { .step("Waiting", id: $0) }
    }

    /// The lines for one event.
    package mutating func take(_ event: TransferProgress, now: Int64) -> [ProgressMessage] {
        if event.event == "pushed content", event.hasDesc { pushed = event.desc }
        guard event.hasDesc, MediaType.isLayer(event.desc.mediaType) else { return [] }
        let id = names.first { $0.blob == event.desc.digest }?.id ?? shortImageID(event.desc.digest)
        var layer = layers[id] ?? Layer()
        defer { layers[id] = layer }
        if layer.isDone { return [] }
        let announcement: [ProgressMessage] = layer.wasAnnounced ? [] : [.step("Preparing", id: id)]
        layer.wasAnnounced = true
        return announcement + lines(event, id, &layer, now)
    }

    private func lines(
        _ event: TransferProgress, _ id: String, _ layer: inout Layer, _ now: Int64
    ) -> [ProgressMessage] {
        switch event.event {
        case "uploading":
            let isFirstOrLast = layer.lastLine == 0 || event.progress >= event.total
            guard event.total > 0, isFirstOrLast || now - layer.lastLine >= Self.interval else { return [] }
            layer.lastLine = now
            return [.progress("Pushing", id: id, current: event.progress, total: event.total)]
        case "complete", "done": return end("Pushed", id, &layer)
        case "already exists": return end("Layer already exists", id, &layer)
        case "skipped foreign layer": return end("Skipped foreign layer", id, &layer)
        default:
            let prefix = "mounted from "
            guard event.event.hasPrefix(prefix) else { return [] }
            return end("Mounted from " + event.event.dropFirst(prefix.utf8.count), id, &layer)
        }
    }

    private func end(_ status: String, _ id: String, _ layer: inout Layer) -> [ProgressMessage] {
        layer.isDone = true
        return [.step(status, id: id)]
    }

    /// The lines at the end of a push that went well.
    ///
    /// - Parameter target: what the image is here; if that is an index and a part of it was pushed, that is said too.
    package func end(target: Descriptor) -> [ProgressMessage] {
        guard let pushed else { return [] }
        var lines: [ProgressMessage] = [
            .status("\(tag): digest: \(pushed.digest) size: \(pushed.size)", id: nil),
            .aux(["Tag": .string(tag), "Digest": .string(pushed.digest), "Size": .int(pushed.size)]),
        ]
        if MediaType.isIndex(target.mediaType), !MediaType.isIndex(pushed.mediaType) {
            let manifest: JSONValue = [
                "mediaType": .string(pushed.mediaType), "digest": .string(pushed.digest), "size": .int(pushed.size),
            ]
            lines.append(
                .aux([
                    "manifestPushedInsteadOfIndex": true, "originalIndex": target.json, "selectedManifest": manifest,
                ]))
        }
        return lines
    }
}
