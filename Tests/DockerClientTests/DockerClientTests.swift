// SPDX-License-Identifier: Apache-2.0
import JSON
import Testing

@testable import DockerClient

@Suite("Hosts of the daemon")
struct DaemonHostTests {
    @Test(
        "are read in all forms",
        arguments: [
            ("unix:///run/x.sock", DaemonHost.unix(path: "/run/x.sock")),
            ("unix://", .unix(path: "/run/swrun/swrun.sock")),
            ("tcp://1.2.3.4:2375", .tcp(host: "1.2.3.4", port: 2375)),
            ("tcp://box", .tcp(host: "box", port: 2375)),
            ("tcp://[::1]:99/", .tcp(host: "::1", port: 99)),
            ("box:123", .tcp(host: "box", port: 123)),
        ])
    func parses(_ text: String, _ host: DaemonHost) throws {
        #expect(try DaemonHost.parse(text) == host)
    }

    @Test(
        "are reached by ssh",
        arguments: [
            ("ssh://box", "-- box exec $(command -v swrun || echo docker) system dial-stdio"),
            ("ssh://me@box:99", "-l me -p 99 -- box exec $(command -v swrun || echo docker) system dial-stdio"),
            (
                "ssh://[::1]/run/x.sock",
                "-- ::1 exec $(command -v swrun || echo docker) --host 'unix:///run/x.sock' system dial-stdio"
            ),
        ])
    func ssh(text: String, command: String) throws {
        guard case .ssh(let host) = try DaemonHost.parse(text) else { throw ClientError.badHost(text) }
        #expect(host.arguments.joined(separator: " ") == "-o ConnectTimeout=30 -T " + command)
        #expect(host.description == text)
    }

    @Test(
        "are refused when they cannot be reached this way",
        arguments: ["npipe://x", "foo://x", "tcp://x:port", "ssh://", "ssh://a:b@x", "ssh://x:y", "ssh://x?y"]
    )
    func refuses(_ text: String) {
        #expect(throws: ClientError.self) { try DaemonHost.parse(text) }
    }
}

@Suite("Queries")
struct QueryTests {
    @Test("are sorted by name and escaped")
    func encodes() {
        var query = Query([("t", "a b"), ("all", "1")])
        query.add("x", if: false)
        query.add("names", "ü/1")
        query.add("names", "b")
        #expect(query.encoded == "?all=1&names=%C3%BC%2F1&names=b&t=a+b")
        #expect(Query().encoded == "")
    }

    @Test("carry filters as a map of sets")
    func filters() {
        let filters = Query.encode([("status", "b"), ("label", "x=y"), ("status", "a"), ("status", "b")])
        #expect(filters.serialized() == #"{"label":{"x=y":true},"status":{"a":true,"b":true}}"#)
    }

    @Test(
        "versions are compared number by number",
        arguments: [
            ("1.9", "1.24", true), ("1.50", "1.50", false), ("1.50", "1.9", false), ("1", "1.1", true),
        ])
    func versions(_ left: String, _ right: String, _ isLess: Bool) {
        #expect(APIVersion.isLess(left, right) == isLess)
    }

    @Test("errors read as docker's")
    func errors() {
        #expect(
            ClientError.daemon(status: 404, message: "No such container: x").message
                == "Error response from daemon: No such container: x")
        #expect(
            ClientError.cannotConnect(host: "unix:///x").message
                == "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?")
    }
}
