// SPDX-License-Identifier: Apache-2.0
package import JSON
import LinuxSystem

extension ImageService {
    /// For `system df`: the bytes of all layers, each counted once, and the images with what they share with others.
    package func usage(legacy: Bool) async throws -> (layers: Int64, images: [JSONValue]) {
        let images = try await all()
        var sizes: [String: Int64] = [:]
        var owners: [String: Int] = [:]
        for image in images {
            for (key, size) in zip(image.details.chain, image.details.layerSizes) {
                sizes[key] = size
                owners[key, default: 0] += 1
            }
        }
        var summaries: [JSONValue] = []
        for image in images {
            let shared = image.details.chain.filter { owners[$0] ?? 0 > 1 }.reduce(Int64(0)) {
                $0.addingSaturating(sizes[$1] ?? 0)
            }
            var summary = image.summary(containers: await users(of: image.id).count, legacy: legacy)
            summary.set("SharedSize", .int(shared))
            summaries.append(summary)
        }
        return (sizes.values.reduce(Int64(0)) { $0.addingSaturating($1) }, summaries)
    }
}
