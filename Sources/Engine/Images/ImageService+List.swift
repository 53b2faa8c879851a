// SPDX-License-Identifier: Apache-2.0
package import DockerAPI
package import JSON
import LinuxSystem
package import OCISpec

extension ImageService {
    /// The images that pass the filters, newest first. With a `reference` filter each has only its matching names.
    ///
    /// - Parameter all: with those that are only a step on the way to another image.
    package func list(filters: Filters, all isComplete: Bool = false) async throws -> [LocalImage] {
        try filters.allow(only: ["dangling", "label", "label!", "before", "since", "reference", "until"])
        let dangling = try filters.bool("dangling")
        guard filters.values("reference").allSatisfy(Glob.isWellFormed) else {
            throw EngineError.invalidArgument("syntax error in pattern")
        }
        let before = try await creation(filters.values("before").first)
        let since = try await creation(filters.values("since").first)
        let until = try Self.until(filters)
        return try await all().compactMap { image in
            let created = image.details.created
            if image.isIntermediate, !isComplete || dangling == true { return nil }
            if let dangling, dangling != image.isDangling { return nil }
            if let before, created >= before { return nil }
            if let since, created <= since { return nil }
            if let until, created >= until { return nil }
            guard filters.matches(labels: image.details.labels) else { return nil }
            return Self.restrict(image, to: filters.values("reference"))
        }
    }

    private func creation(_ name: String?) async throws -> Timestamp? {
        guard let name else { return nil }
        return try await find(name).0.created
    }

    /// `until`: a time before which, or a duration ago.
    static func until(_ filters: Filters) throws(EngineError) -> Timestamp? {
        try filters.untilTimes().first
    }

    /// nil if no name matches any of the patterns.
    private static func restrict(_ image: LocalImage, to patterns: [String]) -> LocalImage? {
        if patterns.isEmpty { return image }
        var copy = image
        copy.names = image.names.filter { name in
            guard let reference = name.reference else { return false }
            return patterns.contains {
                Glob.matches($0, reference.familiar) || Glob.matches($0, reference.familiarName)
            }
        }
        return copy.names.isEmpty ? nil : copy
    }

    /// The IDs of the images that have all layers up to `chainID`, and others above them.
    func images(above image: ImageRecord) async throws -> [String] {
        let all = try await all()
        var found = Set(all.filter { $0.details.chain.dropLast().contains(image.chainID) }.map { $0.details.id })
        // A commit that changed no file has no layer of its own.
        var parents = found.union([image.id])
        while true {
            let next = Set(all.filter { parents.contains($0.parentID) }.map { $0.details.id })
            if next.isSubset(of: found) { return Array(found) }
            found.formUnion(next)
            parents.formUnion(next)
        }
    }

    /// `GET /images/{name}/history`.
    package func history(_ nameOrID: String, platform: Platform? = nil) async throws -> JSONValue {
        let image = try await inspect(nameOrID, platform: platform)
        let all = try await all()
        var ancestors: [LocalImage] = []
        var next = image.parentID
        while let parent = all.first(where: { $0.id == next }), ancestors.count < 128 {
            ancestors.append(parent)
            next = parent.parentID
        }
        return image.historyJSON(ancestors: ancestors)
    }

    /// One image with all its names.
    package func inspect(_ nameOrID: String, platform: Platform? = nil) async throws -> LocalImage {
        let (details, _) = try await find(nameOrID, platform: platform)
        let images = try await all()
        if let image = images.first(where: { $0.id == details.id }) { return image }
        let names = images.first { $0.details.target.digest == details.target.digest }?.names
        return LocalImage(details: details, names: names ?? [])
    }
}
