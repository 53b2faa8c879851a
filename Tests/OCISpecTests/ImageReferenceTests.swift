// SPDX-License-Identifier: Apache-2.0
import OCISpec
import Testing

private let hex = String(repeating: "0123456789abcdef", count: 4)
private let digest = "sha256:" + hex

@Suite("Image references")
struct ImageReferenceTests {
    @Test(
        "normalises names as docker does",
        arguments: [
            ("busybox", "docker.io/library/busybox:latest"),
            ("busybox:1.36", "docker.io/library/busybox:1.36"),
            ("docker.io/busybox", "docker.io/library/busybox:latest"),
            ("index.docker.io/library/busybox", "docker.io/library/busybox:latest"),
            ("user/app:1.2", "docker.io/user/app:1.2"),
            ("localhost/app", "localhost/app:latest"),
            ("localhost:5000/app", "localhost:5000/app:latest"),
            ("LOCALHOST/app", "LOCALHOST/app:latest"),
            ("127.0.0.1:5000/a/b/c:x", "127.0.0.1:5000/a/b/c:x"),
            ("[::1]:5000/app", "[::1]:5000/app:latest"),
            ("[fe80::a]/app", "[fe80::a]/app:latest"),
            ("ghcr.io/a/b@\(digest)", "ghcr.io/a/b@\(digest)"),
            ("a:t@\(digest)", "docker.io/library/a:t@\(digest)"),
            ("x/a__b--c.d_e/f---g", "docker.io/x/a__b--c.d_e/f---g:latest"),
            ("a:_x.Y-Z", "docker.io/library/a:_x.Y-Z"),
            ("xn--n3h.com/app", "xn--n3h.com/app:latest"),
        ])
    func normalises(_ input: String, _ expected: String) throws {
        #expect(try ImageReference(input).normalized == expected)
    }

    @Test(
        "refuses what docker refuses, in its words",
        arguments: [
            ("", "invalid reference format"),
            (":latest", "invalid reference format"),
            ("a:", "invalid reference format"),
            ("a@", "invalid reference format"),
            ("a//b", "invalid reference format"),
            ("/a", "invalid reference format"),
            ("a/", "invalid reference format"),
            ("a:b:c", "invalid reference format"),
            ("a___b", "invalid reference format"),
            ("a..b", "invalid reference format"),
            ("a._b", "invalid reference format"),
            ("-a", "invalid reference format"),
            ("a-", "invalid reference format"),
            ("a b", "invalid reference format"),
            ("ä", "invalid reference format"),
            ("a:\(String(repeating: "t", count: 129))", "invalid reference format"),
            ("host.com:port/a", "invalid reference format"),
            ("-host.com/a", "invalid reference format"),
            ("[::1/a", "invalid reference format"),
            ("a@sha256:short", "invalid reference format"),
            ("a@sha256:../../etc/passwd", "invalid reference format"),
            ("Busybox", "invalid reference format: repository name (library/Busybox) must be lowercase"),
            ("user/App:x", "invalid reference format: repository name (user/App) must be lowercase"),
            (hex, "invalid repository name (\(hex)), cannot specify 64-byte hexadecimal strings"),
        ])
    func refuses(_ input: String, _ message: String) {
        let error = #expect(throws: ImageSpecError.self) { try ImageReference(input) }
        #expect(error?.message == message)
    }

    @Test("limits the length of a repository name")
    func length() throws {
        _ = try ImageReference("h.com/" + String(repeating: "a", count: 255))
        let error = #expect(throws: ImageSpecError.self) {
            try ImageReference("h.com/" + String(repeating: "a", count: 256))
        }
        #expect(error?.message == "repository name must not be more than 255 characters")
    }

    @Test(
        "shows names as docker does",
        arguments: [
            ("docker.io/library/busybox:1", "busybox", "busybox:1"),
            ("user/app", "user/app", "user/app"),
            ("docker.io/library/a/b", "library/a/b", "library/a/b"),
            ("quay.io/library/a@\(digest)", "quay.io/library/a", "quay.io/library/a@\(digest)"),
        ])
    func familiar(_ input: String, _ name: String, _ full: String) throws {
        let reference = try ImageReference(input)
        #expect(reference.familiarName == name)
        #expect(reference.familiar == full)
    }
}

@Suite("Digests")
struct DigestTests {
    @Test(
        "accepts the registered algorithms with all their digits",
        arguments: [("sha256", 64), ("sha384", 96), ("sha512", 128)])
    func accepts(_ algorithm: String, _ digits: Int) throws {
        let text = algorithm + ":" + String(repeating: "a", count: digits)
        #expect(try Digest(text).string == text)
    }

    @Test(
        "refuses everything else",
        arguments: [
            "", ":", "sha256", "sha256:", "sha256:../../x", "sha256:" + String(repeating: "A", count: 64),
            "sha256:" + String(repeating: "a", count: 63), "sha256:" + String(repeating: "a", count: 65),
            "md5:" + String(repeating: "a", count: 32), "SHA256:" + String(repeating: "a", count: 64),
            "sha256:" + String(repeating: "g", count: 64), "sha512:" + String(repeating: "a", count: 64),
            " sha256:" + String(repeating: "a", count: 64), "sha256:" + String(repeating: "a", count: 63) + "\n",
        ])
    func refuses(_ text: String) {
        #expect(throws: ImageSpecError.self) { try Digest(text) }
    }

    @Test("writes hash bytes as hex")
    func hash() {
        let digest = Digest(algorithm: .sha256, hash: Array(0..<32))
        #expect(digest.hex == "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")
    }
}
