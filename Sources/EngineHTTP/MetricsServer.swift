// SPDX-License-Identifier: Apache-2.0
package import Engine
package import HTTPServer
package import LinuxSystem
package import Logging

/// Figures for Prometheus at `/metrics` of a socket of their own (`--metrics-addr`).
package struct MetricsServer: Responder {
    private let engine: Engine
    private let server: HTTPServer

    package let commonHeaders: [(name: String, value: String)] = []

    package init(_ engine: Engine, logger: Logger) {
        self.engine = engine
        server = HTTPServer(logger: logger)
    }

    package func respond(to head: RequestHead, body: RequestBody) async -> Response {
        guard head.path == "/metrics" else { return .text(.notFound, "404 page not found\n") }
        let text = await engine.system.metricsText(engine.containers.metrics)
        return .bytes(.ok, contentType: "text/plain; version=0.0.4; charset=utf-8", Array(text.utf8))
    }

    /// Serves until the task is cancelled.
    package func serve(_ listener: consuming OwnedFD) async throws { try await server.serve(listener, by: self) }

    package func shutDown() async { await server.shutDown() }
}
