// SPDX-License-Identifier: Apache-2.0
package import ContainerdAPI
package import DockerAPI
import LinuxSystem
package import OCISpec

/// Turns the supervisor's progress of a pull into docker's lines. A value without I/O: events in, lines out.
package struct PullProgress: Sendable {
    private struct Layer {
        var wasAnnounced = false
        var isDownloaded = false
        var isDone = false
        var wasPresent = false
        var isStarted = false
        var lastLine: Int64 = 0
    }

    /// As many layers are downloaded at a time; the others are said to wait.
    private static let parallelDownloads = 3

    /// Two progress lines of one layer are at least this far apart.
    private static let interval: Int64 = 100_000_000

    private let reference: ImageReference
    /// The digest that the name pointed to before; pulling that again changes nothing and shows no layers.
    private let present: String?
    private var layers: [String: Layer] = [:]
    /// In the order in which they were first heard of.
    private var order: [String] = []
    private var isIntroduced = false
    private var saidWhoWaits = false
    private(set) package var digest: String?

    package init(_ reference: ImageReference, present: String?) {
        self.reference = reference
        self.present = present
    }

    /// The lines for one event.
    package mutating func take(_ event: TransferProgress, now: Int64) -> [ProgressMessage] {
        if event.event == "fetching image content" {
            if event.hasDesc { digest = event.desc.digest }
            return introduction()
        }
        guard event.hasDesc, !isUpToDate else { return [] }
        guard MediaType.isLayer(event.desc.mediaType) else { return waitingLines() }
        let id = shortImageID(event.desc.digest)
        let isAnnouncement = ["waiting", "already exists"].contains(event.event)
        let before = introduction() + (isAnnouncement ? [] : waitingLines())
        if layers[id] == nil { order.append(id) }
        var layer = layers[id] ?? Layer()
        defer { layers[id] = layer }
        return before + lines(event, id, &layer, now)
    }

    /// Once all layers are announced, those that have to wait for others.
    private mutating func waitingLines() -> [ProgressMessage] {
        if saidWhoWaits || order.isEmpty { return [] }
        saidWhoWaits = true
        let missing = order.filter { layers[$0].map { !$0.isDownloaded } ?? false }
        return missing.dropFirst(Self.parallelDownloads).map { .step("Waiting", id: $0) }
    }

    /// The lines at the end of a pull that went well. A layer that was unpacked before, out of another blob, is
    /// complete without more ado.
    package func end(digest final: String) -> [ProgressMessage] {
        let name = reference.familiar
        let complete = order.filter { layers[$0].map { !$0.isDone && !$0.wasPresent } ?? false }
        let news = present == final ? "Image is up to date for " : "Downloaded newer image for "
        return complete.map { .step("Pull complete", id: $0) }
            + [.status("Digest: \(final)", id: nil), .status("Status: " + news + name, id: nil)]
    }

    /// `latest: Pulling from library/busybox`, once.
    package mutating func introduction() -> [ProgressMessage] {
        if isIntroduced { return [] }
        isIntroduced = true
        return [.status("Pulling from \(reference.path)", id: reference.tag ?? reference.string)]
    }

    private var isUpToDate: Bool { present != nil && digest == present }

    private func lines(
        _ event: TransferProgress, _ id: String, _ layer: inout Layer, _ now: Int64
    ) -> [ProgressMessage] {
        if layer.isDone || layer.wasPresent { return [] }
        switch event.event {
        case "waiting": return announce(id, &layer)
        case "downloading":
            layer.isStarted = true
            return announce(id, &layer) + bar("Downloading", event, id, &layer, now)
        case "complete", "done":
            return finishDownload(id, &layer)
        case "already exists":
            if layer.isDownloaded { return [] }
            (layer.isDownloaded, layer.wasAnnounced, layer.wasPresent) = (true, true, true)
            return [.step("Already exists", id: id)]
        case "extracting":
            return finishDownload(id, &layer) + bar("Extracting", event, id, &layer, now)
        case "extracted", "unpacked":
            layer.isDone = true
            return finishDownload(id, &layer) + [.step("Pull complete", id: id)]
        default:
            guard let seconds = Self.seconds(event.event) else { return [] }
            layer.lastLine = 0  // the bar is to be there again at once
            let words = "Retrying in \(seconds) second" + (seconds == 1 ? "" : "s")
            return announce(id, &layer) + [.step(words, id: id)]
        }
    }

    private func announce(_ id: String, _ layer: inout Layer) -> [ProgressMessage] {
        if layer.wasAnnounced { return [] }
        layer.wasAnnounced = true
        return [.step("Pulling fs layer", id: id)]
    }

    private func finishDownload(_ id: String, _ layer: inout Layer) -> [ProgressMessage] {
        if layer.isDownloaded { return [] }
        layer.isDownloaded = true
        layer.lastLine = 0
        let check: [ProgressMessage] = layer.isStarted ? [.step("Verifying Checksum", id: id)] : []
        return announce(id, &layer) + check + [.step("Download complete", id: id)]
    }

    private func bar(
        _ status: String, _ event: TransferProgress, _ id: String, _ layer: inout Layer, _ now: Int64
    ) -> [ProgressMessage] {
        let isFirstOrLast = layer.lastLine == 0 || event.progress >= event.total
        guard event.total > 0, isFirstOrLast || now - layer.lastLine >= Self.interval else { return [] }
        layer.lastLine = now
        return [.progress(status, id: id, current: event.progress, total: event.total)]
    }

    /// N of `retrying in N`.
    private static func seconds(_ event: String) -> Int? {
        let words = "retrying in "
        return event.hasPrefix(words) ? Int(event.dropFirst(words.utf8.count)) : nil
    }
}
