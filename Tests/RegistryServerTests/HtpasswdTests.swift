// SPDX-License-Identifier: Apache-2.0
import JSON
import LinuxSystem
import Testing

@testable import RegistryServer

@Suite("Users")
struct HtpasswdTests {
    /// Of the password `secret`.
    private static let hash = "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"

    private static func users(_ text: String) throws -> Htpasswd {
        let file = FilePath("/tmp/swrun-htpasswd-\(randomIdentifier())")
        defer { _ = try? removeFile(file) }
        try writeFileAtomically(file, Array(text.utf8))
        return try Htpasswd(file)
    }

    private static func basic(_ pair: String) -> String { "Basic " + Base64.encode(Array(pair.utf8)) }

    @Test(
        "lets in who knows the password",
        arguments: [
            ("user:secret", true), ("user:Secret", false), ("user:", false), ("other:secret", false), ("user", false),
            ("user:secret\0more", false), (":secret", false),
        ])
    func accepts(_ pair: String, _ isAccepted: Bool) async throws {
        let users = try Self.users("# people\nuser:\(Self.hash)\n")
        for _ in 1...2 { #expect(await users.accept(authorization: Self.basic(pair)) == isAccepted) }
    }

    @Test("lets in nobody else", arguments: [nil, "", "Basic", "Basic !", "Bearer x"] as [String?])
    func refuses(_ field: String?) async throws {
        #expect(try await !Self.users("user:\(Self.hash)").accept(authorization: field))
    }

    @Test("takes bcrypt only", arguments: ["user:secret", "user:$apr1$abc$def", "user", ":\(hash)"])
    func kinds(_ text: String) { #expect(throws: ServiceError.self) { try Self.users(text) } }
}
