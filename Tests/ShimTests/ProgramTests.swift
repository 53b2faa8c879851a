// SPDX-License-Identifier: Apache-2.0
import JSON
import LinuxSystem
import ShimAPI
import Testing

@testable import Shim

@Suite("The shim's command line")
struct ShimArgumentsTests {
    @Test(
        "is read as Go reads it",
        arguments: [
            "-namespace ns -address /run/a.sock -publish-binary /bin/x -id c1 -debug start",
            "--namespace=ns --address=/run/a.sock --publish-binary= --id=c1 --debug start",
        ])
    func start(line: String) throws {
        let arguments = try ShimArguments(parsing: line.split(separator: " ").map { String($0) })
        #expect((arguments.namespace, arguments.address, arguments.id) == ("ns", "/run/a.sock", "c1"))
        #expect(arguments.debug && arguments.action == .start)
    }

    @Test("mistakes are told", arguments: [["-id"], ["-nosuch", "x"], ["stop"]])
    func mistakes(words: [String]) {
        #expect(throws: ShimArguments.InvalidArguments.self) { try ShimArguments(parsing: words) }
    }

    @Test("the socket's path is short and depends on supervisor, namespace and id")
    func socket() throws {
        let cases = [("/run/a.sock", "n", "c"), ("/run/b.sock", "n", "c"), ("/run/a.sock", "m", "c")]
        let paths = try (cases + [("/run/a.sock", "n", "d")]).map { address, namespace, id in
            SocketPath.path(try ShimArguments(parsing: ["-address", address, "-namespace", namespace, "-id", id]))
        }
        #expect(Set(paths.map { $0.string }).count == 4)
        #expect(paths[0].string.hasPrefix("/run/s/") && paths[0].string.utf8.count == 7 + 32)
    }
}

@Suite("Ids")
struct IDTests {
    @Test("that are containerd's are accepted", arguments: ["a", "c1", "A-b_c.d", String(repeating: "f", count: 64)])
    func valid(id: String) throws { try ProcessPaths.checkID(id) }

    @Test(
        "that could be more than a file name are not",
        arguments: [
            "", ".", "..", "a/b", "../x", "-a", "a-", "a..b", "a b", "a\u{0}", "ä", String(repeating: "f", count: 129),
        ])
    func invalid(id: String) {
        #expect(throws: (any Error).self) { try ProcessPaths.checkID(id) }
    }
}

@Suite("Memory cgroup")
struct MemoryCgroupTests {
    @Test(
        "is found in either version",
        arguments: [
            ("9:memory:/a/b\n1:name=systemd:/x\n0::/u", "/sys/fs/cgroup/memory/a/b", false),
            ("3:cpu,memory:/a", "/sys/fs/cgroup/memory/a", false), ("0::/u/v:w", "/sys/fs/cgroup/u/v:w", true),
            ("1:cpu:/a", nil, false), ("", nil, false), ("::", "/sys/fs/cgroup", true),
        ])
    func place(membership: String, expected: String?, isUnified: Bool) {
        let found = MemoryCgroup(membership: membership)
        #expect(found.map { FilePath($0.directory.string).normalized.string } == expected)
        #expect(found?.isUnified ?? false == isUnified)
    }
}

@Suite("config.json")
struct SpecFactsTests {
    @Test(
        "tells whether init has a pid namespace of its own",
        arguments: [
            (#"{"linux":{"namespaces":[{"type":"pid"}]}}"#, true),
            (#"{"linux":{"namespaces":[{"type":"pid","path":""}]}}"#, true),
            (#"{"linux":{"namespaces":[{"type":"pid","path":"/proc/1/ns/pid"}]}}"#, false),
            (#"{"linux":{"namespaces":[{"type":"mount"}]}}"#, false),
            (#"{}"#, false),
        ])
    func pidNamespace(text: String, expected: Bool) throws {
        #expect(SpecFacts(try JSONValue(parsing: text)).hasPIDNamespace == expected)
    }
}
