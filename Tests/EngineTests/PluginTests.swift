// SPDX-License-Identifier: Apache-2.0
import CLinux
import JSON
import LinuxSystem
import Testing

@testable import Engine

@Suite("Plugins")
struct PluginTests {
    @Test(
        "addresses",
        arguments: [
            ("unix:///run/a+b.sock\n", "http+unix://%2frun%2fa%2bb%2esock"),
            ("tcp://127.0.0.1:80", "http://127.0.0.1:80"),
            ("  http://plugin:1/ ", "http://plugin:1"), ("https://plugin", "https://plugin"),
        ])
    func addresses(_ text: String, _ url: String) throws { #expect(try PluginAddress(url: text).url == url) }

    @Test("no addresses", arguments: ["", "plugin", "ftp://plugin", "unix:relative"])
    func noAddresses(_ text: String) { #expect(throws: PluginError.self) { try PluginAddress(url: text) } }

    @Test("TLS is asked for in the description")
    func description() throws {
        let plain = try PluginAddress(json: ["Name": "x", "Addr": "tcp://h:1"])
        #expect(plain.url == "http://h:1" && plain.tls == PluginAddress.TLS())
        let checked = try PluginAddress(json: [
            "Addr": "tcp://h:1", "TLSConfig": ["CAFile": "/ca", "CertFile": "/cert", "KeyFile": "/key"],
        ])
        let tls = PluginAddress.TLS(authorities: "/ca", certificate: "/cert", key: "/key", verifies: true)
        #expect(checked.url == "https://h:1" && checked.tls == tls)
        let trusting = try PluginAddress(json: [
            "Addr": "https://h", "TLSConfig": ["CAFile": "/ca", "InsecureSkipVerify": true],
        ])
        #expect(!trusting.tls.verifies)
    }

    @Test("are found in directories, the first one first")
    func directories() throws {
        let root = FilePath("/tmp/swrun-plugins-\(getpid())-\(monotonicNanoseconds())")
        defer { try? removeTree(root) }
        for path in [root / "a", root / "b/deep", root / "b/other"] { try makeDirectories(path, mode: 0o700) }
        try writeFileAtomically(root / "a/one.spec", Array("http://first".utf8))
        try writeFileAtomically(root / "b/one.spec", Array("http://second".utf8))
        try writeFileAtomically(root / "b/deep/deep.json", Array(#"{"Addr": "http://third"}"#.utf8))
        try writeFileAtomically(root / "b/bad.json", Array("{".utf8))
        try writeFileAtomically(root / "b/file.sock", [])
        try writeFileAtomically(root / "b/other/unlike.spec", [])
        let directories = PluginDirectories([root / "a", root / "missing", root / "b"].map(\.string))
        #expect(directories.names() == ["bad", "deep", "file", "one"])
        #expect(try directories.address(of: "one")?.url == "http://first")
        #expect(try directories.address(of: "deep")?.url == "http://third")
        #expect(throws: PluginError.self) { try directories.address(of: "bad") }
        #expect(directories.mayCome("later") && !directories.mayCome("a/b"))
        #expect(!PluginDirectories([(root / "missing").string]).mayCome("later"))
        for name in ["file", "other", "..", "", "../a/one"] { #expect(try directories.address(of: name) == nil) }
    }

    @Test("volumes as plugins tell of them")
    func volumes() {
        #expect(VolumePlugin.Volume(json: nil) == nil)
        #expect(VolumePlugin.Volume(json: [:]) == nil)
        let bare = VolumePlugin.Volume(json: ["Name": "x", "Status": [:]])
        #expect(bare?.mountpoint == "" && bare?.created == VolumePlugin.unknownTime && bare?.status == nil)
        let whole = VolumePlugin.Volume(json: [
            "Name": "x", "Mountpoint": "/m", "CreatedAt": "2020-01-02T03:04:05Z", "Status": ["a": 1],
        ])
        #expect(whole?.mountpoint == "/m" && whole?.created == "2020-01-02T03:04:05Z" && whole?.status == ["a": 1])
    }
}
