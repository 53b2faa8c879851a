// SPDX-License-Identifier: Apache-2.0
import Engine
import HTTPServer
import JSON

/// Operations of the Engine API that are known and missing. Registered last, so that an implementation wins.
struct UnimplementedRoutes {
    func register(on router: inout Router) {
        for (method, pattern, what) in Self.missing {
            router.on(method, pattern) { _ in
                throw EngineError.unimplemented(what + " is not implemented by swrun yet")
            }
        }
        registerPlugins(on: &router)
        registerSwarm(on: &router)
    }

    private static let missing: [(HTTPMethod, String, String)] = [
        (.post, "/build", "build"),
        (.post, "/build/cancel", "build"), (.post, "/session", "BuildKit's session"),
        (.post, "/grpc", "BuildKit"), (.get, "/images/{name:.*}/attestations", "image attestations"),
    ]

    /// There are no plugins: listing works, finding one does not.
    private func registerPlugins(on router: inout Router) {
        router.on(.get, "/plugins") { _ in .json(.ok, []) }
        router.on(.get, "/plugins/{name:.*}/json") { request in
            throw EngineError.notFound("plugin \"\(try request.parameter("name"))\" not found")
        }
        for method in [HTTPMethod.get, .post, .delete] {
            router.on(method, "/plugins/{name:.*}") { _ in
                throw EngineError.unimplemented("installing plugins is not implemented by swrun yet")
            }
        }
    }

    /// As a docker daemon outside of a swarm answers.
    private func registerSwarm(on router: inout Router) {
        for path in ["/swarm/init", "/swarm/join"] {
            router.on(.post, path) { _ in throw EngineError.unimplemented("swarm is not implemented by swrun yet") }
        }
        router.on(.post, "/swarm/leave") { _ in throw EngineError(.unavailable, "This node is not part of a swarm") }
        for group in ["/swarm", "/nodes", "/services", "/tasks", "/secrets", "/configs"] {
            for method in [HTTPMethod.get, .post, .delete] {
                router.on(method, group) { _ in throw Self.noManager }
                router.on(method, group + "/{rest:.*}") { _ in throw Self.noManager }
            }
        }
    }

    private static let noManager = EngineError(
        .unavailable,
        "This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to connect this node to "
            + "swarm and try again.")
}
