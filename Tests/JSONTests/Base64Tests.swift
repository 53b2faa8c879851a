// SPDX-License-Identifier: Apache-2.0
import JSON
import Testing

@Suite("Base64")
struct Base64Tests {
    @Test(
        "goes both ways",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("{}", "e30="),
            ("user:pa ss>?", "dXNlcjpwYSBzcz4/"),
        ])
    func base64(_ text: String, _ encoded: String) {
        #expect(Base64.encode(Array(text.utf8)) == encoded)
        #expect(Base64.decode(encoded) == Array(text.utf8))
    }

    @Test(
        "takes both alphabets, with or without padding",
        arguments: [("-_-_", [0xfb, 0xff, 0xbf]), ("+/+/", [0xfb, 0xff, 0xbf]), ("Zg", [0x66]), ("Zg==", [0x66])])
    func alphabets(_ text: String, _ bytes: [UInt8]) {
        #expect(Base64.decode(text) == bytes)
    }

    @Test("refuses other characters", arguments: ["Z g=", "Zm8\n", "é"])
    func invalid(_ text: String) { #expect(Base64.decode(text) == nil) }
}
