// SPDX-License-Identifier: Apache-2.0
import Engine
import HTTPServer
import JSON

/// What the clients of one socket may do (docs/api.md, "Sockets with less power"). A policy says what is allowed:
/// operations that it does not know of are refused.
package struct SocketPolicy: Sendable, Equatable {
    package enum Access: String, Sendable {
        /// Everything.
        case full
        /// What changes nothing: GET and HEAD, but not the streams that take input.
        case readOnly = "read-only"
        /// That the daemon is there, which containers there are, and what happens to them.
        case events
    }

    package typealias LabelLookup = @Sendable (String) -> [(key: String, value: String)]?

    package var access: Access
    /// `key` or `key=value`: only containers that have it exist for these clients, and nothing else does.
    package var label: String

    package static let full = SocketPolicy(access: .full, label: "")

    package init(access: Access, label: String) {
        self.access = access
        self.label = label
    }

    /// Refuses what the policy does not allow, with 403; narrows lists down to what it shows.
    func check(_ request: inout Request, labels: LabelLookup) throws(EngineError) {
        if self == .full { return }
        let isRead = request.method == .get || request.method == .head
        let path = request.path
        switch access {
        case .full: break
        case .readOnly:
            guard isRead, !path.hasSuffix("/attach/ws"), !Self.isOfCheckpoints(path) else { throw refusal(request) }
        case .events:
            guard isRead, Self.harmless.contains(path) || ["/events", "/containers/json"].contains(path) else {
                throw refusal(request)
            }
        }
        if !label.isEmpty { try checkLabel(&request, labels) }
    }

    private static let harmless: Set<String> = ["/_ping", "/version"]

    private func checkLabel(_ request: inout Request, _ labels: LabelLookup) throws(EngineError) {
        let path = request.path
        if Self.harmless.contains(path) { return }
        if path == "/containers/json" || path == "/events" {
            let filters = try narrowed(request.query.get("filters"), onlyContainers: path == "/events")
            return request.query.set("filters", filters)
        }
        let parts = path.split(separator: "/").map { String($0) }
        guard parts.count >= 2, parts[0] == "containers", !["create", "prune", "json"].contains(parts[1]),
            !Self.namesLink(request.method, parts), !Self.isOfCheckpoints(path)
        else { throw refusal(request) }
        guard let found = labels(parts[1]), matches(found) else {
            throw .notFound("No such container: \(parts[1])")  // for these clients there is none
        }
    }

    /// Whether a link's name `OWNER/ALIAS` may be in the path, which means another container than the owner.
    private static func namesLink(_ method: HTTPMethod, _ parts: [String]) -> Bool {
        if parts.suffix(2) == ["attach", "ws"] { return parts.count > 4 }
        return parts.count > (method == .delete ? 2 : 3)
    }

    /// What is about checkpoints may name any directory of the host.
    private static func isOfCheckpoints(_ path: String) -> Bool {
        let parts = path.split(separator: "/")
        return parts.count > 2 && parts[0] == "containers" && parts[2] == "checkpoints"
    }

    private func matches(_ labels: [(key: String, value: String)]) -> Bool {
        labels.contains { $0.key == label || $0.key + "=" + $0.value == label }
    }

    /// The client's filters with ours added to them.
    private func narrowed(_ text: String?, onlyContainers: Bool) throws(EngineError) -> String {
        var filters = JSONValue.object([])
        if let text, !text.isEmpty {
            guard let parsed = try? JSONValue(parsing: text), parsed.members != nil else {
                throw .invalidArgument("invalid filter")
            }
            filters = parsed
        }
        var wanted = filters["label"]?.strings ?? (filters["label"]?.members ?? []).map(\.key)
        wanted.append(label)
        filters.set("label", .strings(wanted))
        if onlyContainers { filters.set("type", ["container"]) }
        return filters.serialized()
    }

    private func refusal(_ request: Request) -> EngineError {
        EngineError(
            .permissionDenied,
            "\(request.method.rawValue) \(request.path) is not allowed on this socket by the daemon's socket-policies")
    }
}
