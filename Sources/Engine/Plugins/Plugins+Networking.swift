// SPDX-License-Identifier: Apache-2.0
import JSON
import Networking

extension Plugins {
    private static let networkLimit = Duration.seconds(60)

    /// What networks and their addresses are asked for.
    func callNetwork(
        _ name: String, _ kind: String, _ method: String, _ json: JSONValue
    ) async throws(NetworkError) -> JSONValue {
        let plugin: Plugin
        do throws(PluginError) { plugin = try await find(name, kind) } catch {
            let error = EngineError(error)
            throw NetworkError(error.kind == .notFound ? .notFound : .internal, error.message)
        }
        do throws(PluginError) {
            return try await plugin.call("\(kind).\(method)", json, within: Self.networkLimit)
        } catch {
            if error.reason == .unreachable { forget(name) }
            if error.isUnknownMethod { throw NetworkError(.unimplemented, error.message) }
            throw NetworkError(.internal, "remote: \(error.message)")
        }
    }
}
