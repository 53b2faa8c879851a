// SPDX-License-Identifier: Apache-2.0
import AsyncHTTPClient
import JSON
import LinuxSystem
import NIOCore
import NIOHTTP1
import Synchronization

/// Authorization plugins (`--authorization-plugin`): programs that are asked before each request and before each answer,
/// by docker's protocol. All must allow it, in the order in which they were named. One that does not answer refuses.
///
///     POST /Plugin.Activate        → {"Implements": ["authz"]}
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

    /// Where plugins' sockets and specifications are looked for, in this order.
    package static let standardDirectories = ["/run/docker/plugins", "/etc/docker/plugins", "/usr/lib/docker/plugins"]

    private struct State {
        var names: [String]
        /// The plugins that have said that they are authorization plugins.
        var activated: Set<String> = []
    }

    private static let bodyLimit = 1 << 20
    private static let timeout = TimeAmount.seconds(30)

    private let directories: [FilePath]
    private let state: Mutex<State>

    package init(names: [String], directories: [String] = standardDirectories) {
        self.directories = directories.map { FilePath($0) }
        state = Mutex(State(names: names))
    }

    package var names: [String] { state.withLock { $0.names } }

    package var isActive: Bool { !names.isEmpty }

    /// Other plugins from now on.
    package func replace(names: [String]) { state.withLock { $0 = State(names: names) } }

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
        do throws(EngineError) {
            try await activate(name)
            answer = try await call(name, method, json)
        } catch {
            state.withLock { _ = $0.activated.remove(name) }
            throw .internal("plugin \(name) failed with error: \(error.message)")
        }
        if let problem = answer["Err"]?.string, !problem.isEmpty {
            throw .internal("plugin \(name) failed with error: \(problem)")
        }
        if answer["Allow"]?.bool != true {
            throw EngineError(
                .permissionDenied, "authorization denied by plugin \(name): \(answer["Msg"]?.string ?? "")")
        }
    }

    private func activate(_ name: String) async throws(EngineError) {
        if state.withLock({ $0.activated.contains(name) }) { return }
        let answer = try await call(name, "Plugin.Activate", .null)
        guard answer["Implements"]?.strings?.contains("authz") == true else {
            throw .internal("plugin \"\(name)\" does not implement authz")
        }
        state.withLock { _ = $0.activated.insert(name) }
    }

    private func call(_ name: String, _ method: String, _ json: JSONValue) async throws(EngineError) -> JSONValue {
        var request = HTTPClientRequest(url: try address(name) + "/" + method)
        request.method = .POST
        request.headers.add(name: "Accept", value: "application/vnd.docker.plugins.v1.2+json")
        if !json.isNull {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(bytes: json.bytes()))
        }
        do {
            let response = try await HTTPClient.shared.execute(request, timeout: Self.timeout)
            let body = try await response.body.collect(upTo: 4 << 20)
            guard (200..<300).contains(response.status.code) else {
                let answer = try? JSONValue(parsing: Array(body.readableBytesView))
                if let problem = answer?["Err"]?.string, !problem.isEmpty {
                    throw EngineError.internal("\(method): \(problem)")
                }
                throw EngineError.internal("\(method): \(response.status.code): \(String(buffer: body))")
            }
            return try JSONValue(parsing: Array(body.readableBytesView))
        } catch {
            throw .internal((error as? EngineError)?.message ?? "\(method): \(error)")
        }
    }

    /// `NAME.sock` or `NAME/NAME.sock`, else the URL in `NAME.spec` or `NAME.json`.
    private func address(_ name: String) throws(EngineError) -> String {
        guard !name.isEmpty, !name.contains("/"), name != ".." else { throw .internal("invalid plugin name: \(name)") }
        for directory in directories {
            for path in [directory / "\(name).sock", directory / name / "\(name).sock"] where exists(path) {
                return Self.unixURL(path.string)
            }
            for path in [directory / "\(name).spec", directory / name / "\(name).spec"] {
                if let text = try? readText(path) { return Self.url(text) }
            }
            if let bytes = try? readFile(directory / "\(name).json"), let json = try? JSONValue(parsing: bytes) {
                return Self.url(json["Addr"]?.string ?? "")
            }
        }
        throw .internal("plugin \"\(name)\" not found")
    }

    private static func url(_ text: String) -> String {
        let text = String(text.split(whereSeparator: \.isWhitespace).first ?? "")
        if text.hasPrefix("unix://") { return unixURL(String(text.dropFirst(7))) }
        return text.hasPrefix("tcp://") ? "http://" + text.dropFirst(6) : text
    }

    private static func unixURL(_ path: String) -> String {
        "http+unix://"
            + path.utf8.map { byte in
                let isPlain = (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                return isPlain ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }.joined()
    }
}
