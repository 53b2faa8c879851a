// SPDX-License-Identifier: Apache-2.0
import Engine
import HTTPServer

/// `/_ping`, `/version`, `/info`.
struct SystemRoutes {
    let system: SystemService

    func register(on router: inout Router) {
        router.on(.get, "/_ping") { _ in ping("OK") }
        router.on(.head, "/_ping") { _ in ping("") }
        router.on(.get, "/version") { _ in .json(.ok, await system.version(Self.api)) }
        router.on(.get, "/info") { _ in .json(.ok, try await system.info()) }
    }

    private static let api = SystemService.APIRange(
        newest: APIVersion.newest.description, oldest: APIVersion.oldest.description)

    private func ping(_ text: String) -> Response {
        .with(
            headers: [
                ("Builder-Version", "1"), ("Cache-Control", "no-cache, no-store, must-revalidate"),
                ("Pragma", "no-cache"), ("Swarm", "inactive"),
            ], .text(.ok, text))
    }
}
