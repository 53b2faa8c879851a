// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import DockerClient

@Suite("SHA-256")
struct SHA256Tests {
    @Test(
        "FIPS 180-4's examples, and lengths around a block",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
            ("bar", "fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9"),
        ])
    func digest(_ text: String, _ hex: String) { #expect(SHA256.hex(text) == hex) }

    @Test(
        "names of contexts that docker takes",
        arguments: [("ab", true), ("a", false), ("a b", false), ("-ab", false), ("a.b_c+d-e", true)])
    func names(_ name: String, _ isValid: Bool) { #expect(ContextStore.isValid(name) == isValid) }
}
