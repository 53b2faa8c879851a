// SPDX-License-Identifier: Apache-2.0
import JSON
import Synchronization

/// Authorization plugins (`--authorization-plugin`): programs that are asked before each request and before each answer,
/// by docker's protocol. All must allow it, in the order in which they were named. One that does not answer refuses.
///
///     POST /AuthZPlugin.AuthZReq   {"User", "UserAuthNMethod", "RequestMethod", "RequestUri", "RequestBody" (base64),
///                                   "RequestHeaders"}                              → {"Allow", "Msg", "Err"}
///     POST /AuthZPlugin.AuthZRes   the same and "ResponseStatusCode", "ResponseHeaders",
///                                   "ResponseBody" (base64)                       → {"Allow", "Msg", "Err"}
package final class AuthorizationPlugins: Sendable {
    /// What is asked.
    package struct Question: Sendable {
        package var method: String
        /// With version and query, as the client sent it.
        package var uri: String
        package var headers: [(name: String, value: String)] = []
        /// The name in the client's certificate; empty without one.
        package var user = ""
        /// The body if it is JSON; more than a MiB is kept from plugins, as docker does.
        package var body: [UInt8] = []

        package init(method: String, uri: String) {
            self.method = method
            self.uri = uri
        }
    }

    private static let bodyLimit = 1 << 20
    private static let limit = Duration.seconds(30)

    private let plugins: Plugins
    private let state: Mutex<[String]>

    package init(names: [String], plugins: Plugins) {
        self.plugins = plugins
        state = Mutex(names)
    }

    package var names: [String] { state.withLock { $0 } }

    package var isActive: Bool { !names.isEmpty }

    /// Other plugins from now on.
    package func replace(names: [String]) {
        for name in names { plugins.forget(name) }
        state.withLock { $0 = names }
    }

    package func allowRequest(_ question: Question) async throws(EngineError) {
        let json = document(question)
        for name in names { try await ask(name, "AuthZPlugin.AuthZReq", json) }
    }

    /// - Parameter body: the answer's body if it is JSON and whole, else empty.
    package func allowResponse(
        _ question: Question, status: Int, headers: [(name: String, value: String)], body: [UInt8]
    ) async throws(EngineError) {
        var json = document(question)
        json.set("ResponseStatusCode", .int(Int64(status)))
        json.set("ResponseHeaders", Self.shown(headers))
        if body.count <= Self.bodyLimit { json.set("ResponseBody", .string(Base64.encode(body))) }
        for name in names { try await ask(name, "AuthZPlugin.AuthZRes", json) }
    }

    private func document(_ question: Question) -> JSONValue {
        var json: JSONValue = [
            "User": .string(question.user), "UserAuthNMethod": question.user.isEmpty ? "" : "TLS",
            "RequestMethod": .string(question.method), "RequestUri": .string(question.uri),
            "RequestHeaders": Self.shown(question.headers),
        ]
        if !question.body.isEmpty, question.body.count <= Self.bodyLimit {
            json.set("RequestBody", .string(Base64.encode(question.body)))
        }
        return json
    }

    /// Without what gives away credentials.
    private static func shown(_ headers: [(name: String, value: String)]) -> JSONValue {
        let secret = ["authorization", "x-registry-auth", "x-registry-config"]
        return .sorted(headers.filter { !secret.contains($0.name.lowercased()) }.map { ($0.name, .string($0.value)) })
    }

    private func ask(_ name: String, _ method: String, _ json: JSONValue) async throws(EngineError) {
        let answer: JSONValue
        do throws(PluginError) {
            let plugin = try await plugins.find(name, "authz", isPatient: false)
            answer = try await plugin.call(method, json, within: Self.limit, isPatient: false)
        } catch {
            plugins.forget(name)
            throw .internal("plugin \(name) failed with error: \(error.message)")
        }
        if answer["Allow"]?.bool != true {
            throw EngineError(
                .permissionDenied, "authorization denied by plugin \(name): \(answer["Msg"]?.string ?? "")")
        }
    }
}
