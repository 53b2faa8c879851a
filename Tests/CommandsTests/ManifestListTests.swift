// SPDX-License-Identifier: Apache-2.0
import Flags
import JSON
import LinuxSystem
import Testing

@testable import Commands

@Suite("Manifest lists")
struct ManifestListTests {
    private func member(_ type: String, platform: JSONValue = ["architecture": "amd64", "os": "linux"])
        -> StoredManifest
    {
        StoredManifest(
            reference: "r.example/a:1", descriptor: ["mediaType": .string(type), "digest": "sha256:00", "size": 2],
            platform: platform, raw: "{}", document: .object([]))
    }

    @Test(
        "the first image decides what kind of list it is",
        arguments: [
            ("application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json"),
            (
                "application/vnd.docker.distribution.manifest.v2+json",
                "application/vnd.docker.distribution.manifest.list.v2+json"
            ),
        ])
    func kinds(_ first: String, _ list: String) {
        #expect(ManifestList([member(first), member("application/vnd.x")]).mediaType == list)
    }

    @Test("the text is Go's, with three spaces and the size before the digest")
    func text() {
        let features: JSONValue = ["os.features": ["<x>"], "variant": "v8", "os": "linux", "architecture": "arm64"]
        let text = ManifestList([member("application/vnd.oci.image.manifest.v1+json", platform: features)]).text
        #expect(
            text == """
                {
                   "schemaVersion": 2,
                   "mediaType": "application/vnd.oci.image.index.v1+json",
                   "manifests": [
                      {
                         "mediaType": "application/vnd.oci.image.manifest.v1+json",
                         "size": 2,
                         "digest": "sha256:00",
                         "platform": {
                            "architecture": "arm64",
                            "os": "linux",
                            "os.features": [
                               "\\u003cx\\u003e"
                            ],
                            "variant": "v8"
                         }
                      }
                   ]
                }
                """)
    }

    @Test(
        "annotations replace what was there, and features add up",
        arguments: [
            (
                [("arch", "arm"), ("variant", "v7")],
                #"{"architecture":"arm","os":"linux","os.features":["a"],"variant":"v7"}"#
            ),
            (
                [("os-features", "b,a"), ("os-features", "c")],
                #"{"architecture":"amd64","os":"linux","os.features":["a","b","c"]}"#
            ),
            (
                [("os", ""), ("os-version", "1")],
                #"{"architecture":"amd64","os":"linux","os.version":"1","os.features":["a"]}"#
            ),
        ])
    func annotations(_ flags: [(String, String)], _ expected: String) throws {
        let words = flags.map { "--" + $0.0 + "=" + $0.1 }
        let values = try FlagSet(ManifestAnnotate.command.flags()).parse(words)
        let before = ManifestPlatform(["architecture": "amd64", "os": "linux", "os.features": ["a"]])
        #expect(ManifestAnnotate.annotated(before, values).json.serialized() == expected)
    }

    @Test("lists are kept under docker's file names, which need no other directory")
    func files() throws {
        let root = FilePath("/tmp/swrun-manifests-\(monotonicNanoseconds())")
        defer { try? removeTree(root) }
        let store = ManifestStore(root: root)
        let list = try ImageName("r.example:5000/a/b:1")
        #expect(try store.members(of: list) == nil && store.remove(list) == false)
        let entry = member("application/vnd.oci.image.manifest.v1+json")
        try store.save(entry, as: try ImageName("x"), in: list)
        try store.save(entry, as: try ImageName("../x@sha256:" + String(repeating: "0", count: 64)), in: list)
        #expect(try listDirectory(root) == ["r.example-5000_a_b-1"])
        let expected = [".._x@sha256-" + String(repeating: "0", count: 64), "docker.io_library_x-latest"]
        #expect(try listDirectory(root / "r.example-5000_a_b-1").sorted() == expected)
        #expect(try store.members(of: list)?.count == 2)
        #expect(try store.member(try ImageName("x"), of: list)?.bytes == Array("{}".utf8))
        #expect(try store.remove(list) && store.members(of: list) == nil)
    }

    @Test("a damaged file is named")
    func damaged() throws {
        let root = FilePath("/tmp/swrun-manifests-\(monotonicNanoseconds())")
        defer { try? removeTree(root) }
        try makeDirectories(root / "docker.io_library_x-latest")
        try writeFileAtomically(root / "docker.io_library_x-latest" / "y", Array("x".utf8))
        let error = #expect(throws: CommandFailure.self) {
            try ManifestStore(root: root).members(of: try ImageName("x"))
        }
        #expect(error?.message.contains("damaged manifest list: \(root.string)/docker.io_library_x-latest/y") == true)
    }
}
