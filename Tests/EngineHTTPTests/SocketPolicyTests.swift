// SPDX-License-Identifier: Apache-2.0
import Engine
import HTTPServer
import Testing

@testable import EngineHTTP

@Suite("Sockets with less power")
struct SocketPolicyTests {
    private static func request(_ method: HTTPMethod, _ path: String, _ query: String = "") -> Request {
        Request(
            method: method, path: path, version: .newest, query: Query(query), headers: HeaderFields(),
            body: RequestBody([]), wantsUpgrade: false)
    }

    private static func allows(
        _ policy: SocketPolicy, _ method: HTTPMethod, _ path: String
    ) -> Bool {
        var request = request(method, path)
        do throws(EngineError) {
            try policy.check(&request) { $0 == "ours" ? [("team", "blue")] : $0 == "theirs" ? [("team", "red")] : nil }
            return true
        } catch { return false }
    }

    @Test(
        "read-only lets reading through",
        arguments: [
            ("/info", true), ("/containers/x/attach/ws", false), ("/containers/checkpoints/json", true),
            ("/containers/x/checkpoints", false),
        ])
    func reading(_ path: String, _ isAllowed: Bool) {
        let policy = SocketPolicy(access: .readOnly, label: "")
        #expect(Self.allows(policy, .get, path) == isAllowed)
        for method in [HTTPMethod.post, .put, .delete] { #expect(!Self.allows(policy, method, path)) }
    }

    @Test(
        "events lets four paths through",
        arguments: [
            ("/events", true), ("/containers/json", true), ("/_ping", true), ("/info", false), ("/images/json", false),
        ])
    func watching(_ path: String, _ isAllowed: Bool) {
        #expect(Self.allows(SocketPolicy(access: .events, label: ""), .get, path) == isAllowed)
    }

    @Test(
        "a label hides all else",
        arguments: [
            ("/containers/ours/start", true), ("/containers/ours/checkpoints", false),
            ("/containers/theirs/start", false), ("/containers/absent/start", false),
            ("/containers/create", false), ("/containers/prune", false), ("/exec/x/start", false), ("/commit", false),
            ("/build", false),
        ])
    func label(_ path: String, _ isAllowed: Bool) {
        for label in ["team=blue"] {
            #expect(Self.allows(SocketPolicy(access: .full, label: label), .post, path) == isAllowed)
        }
    }

    @Test("a label narrows lists down")
    func narrowing() throws {
        var request = Self.request(.get, "/containers/json", "filters=%7B%22label%22%3A%7B%22a%22%3Atrue%7D%7D")
        try SocketPolicy(access: .full, label: "team").check(&request) { _ in nil }
        #expect(request.query.get("filters") == #"{"label":["a","team"]}"#)
    }
}
