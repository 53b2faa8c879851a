// SPDX-License-Identifier: Apache-2.0
import Engine
import HTTPServer
import JSON

/// `/_ping`, `/version`, `/info`.
struct SystemRoutes {
    let system: SystemService

    func register(on router: inout Router) {
        router.on(.get, "/_ping") { _ in ping("OK") }
        router.on(.head, "/_ping") { _ in ping("") }
        router.on(.get, "/version") { _ in .json(.ok, await system.version(Self.api)) }
        router.on(.get, "/info") { request in
            var info = try await system.info()
            adapt(&info, to: request.version)
            return .json(.ok, info)
        }
    }

    /// Members that later versions of the API leave out or have in another form.
    private func adapt(_ info: inout JSONValue, to version: APIVersion) {
        if version < APIVersion(1, 25) {
            let names = (info["SecurityOptions"]?.strings ?? []).map { option in
                String(option.split(separator: ",").first { $0.hasPrefix("name=") }?.dropFirst(5) ?? option[...])
            }
            info.set("SecurityOptions", .strings(names))
            info.set("ExecutionDriver", "<not supported>")
        }
        if version < APIVersion(1, 49) {
            for program in ["ContainerdCommit", "RuncCommit", "InitCommit"] {
                guard var commit = info[program], let id = commit["ID"] else { continue }
                commit.set("Expected", id)
                info.set(program, commit)
            }
        }
        if version < APIVersion(1, 50) {
            info.set("BridgeNfIptables", false)
            info.set("BridgeNfIp6tables", false)
        }
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
