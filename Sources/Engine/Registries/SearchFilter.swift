// SPDX-License-Identifier: Apache-2.0
package import DockerAPI
import JSON

/// The filters of `docker search`: `is-official`, `is-automated` and `stars`.
package struct SearchFilter: Sendable, Equatable {
    private var isOfficial: Bool?
    private var isAutomated: Bool?
    private var minimumStars: Int64

    /// Checks what the client sent; all of its filters must be known and make sense.
    package init(_ filters: Filters) throws(EngineError) {
        do throws(FilterError) {
            try filters.allow(only: ["is-official", "is-automated", "stars"])
            isOfficial = try filters.bool("is-official")
            isAutomated = try filters.bool("is-automated")
        } catch {
            throw .invalidArgument(error.message)
        }
        minimumStars = 0
        for text in filters.values("stars") {
            guard let count = Int64(text), count >= 0 else { throw .invalidArgument("invalid filter 'stars=\(text)'") }
            minimumStars = max(minimumStars, count)
        }
    }

    func passes(_ result: JSONValue) -> Bool {
        if let isOfficial, isOfficial != (result["is_official"]?.bool ?? false) { return false }
        if isAutomated == true { return false }  // no registry builds by itself any more
        return (result["star_count"]?.int ?? 0) >= minimumStars
    }
}
