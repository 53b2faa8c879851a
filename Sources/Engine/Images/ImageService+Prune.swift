// SPDX-License-Identifier: Apache-2.0
package import DockerAPI
import LinuxSystem

extension ImageService {
    /// Removes images that nothing uses: those without a name, or with `dangling=false` all of them. Of one that a
    /// container uses only the last name stays, as with docker.
    package func prune(filters: Filters) async throws -> (removed: [ImageRemoval], reclaimed: Int64) {
        try filters.allow(only: ["dangling", "label", "label!", "until"])
        let onlyDangling = try filters.bool("dangling") ?? true
        let until = try Self.until(filters)
        var removed: [ImageRemoval] = []
        var reclaimed: Int64 = 0
        for image in try await all() where !image.isIntermediate {
            try Task.checkCancellation()
            if onlyDangling, !image.isDangling { continue }
            if let until, image.details.created >= until { continue }
            guard filters.matches(labels: image.details.labels) else { continue }
            let removals = try await removeUnused(image)
            removed += removals
            for (key, size) in zip(image.details.chain, image.details.layerSizes)
            where removals.contains(.deleted(key)) { reclaimed = reclaimed.addingSaturating(size) }
        }
        try await supervisor.collectGarbage()  // what transfers left that did not come to their end
        events.publish(type: .image, action: "prune", id: "", attributes: [("reclaimed", "\(reclaimed)")])
        return (removed, reclaimed)
    }

    /// Removes all names and then the image. What came into use meanwhile stays, as do names that stand alone for it.
    private func removeUnused(_ image: LocalImage) async throws -> [ImageRemoval] {
        var removals: [ImageRemoval] = []
        for name in image.repoTags.isEmpty ? [image.id] : image.repoTags {
            do { removals += try await remove(name, force: false) } catch let error as EngineError {
                guard error.kind == .conflict || error.kind == .notFound else { throw error }
            }
        }
        return removals
    }
}
