// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import OCISpec
import Testing

@testable import Registry

@Suite("Registry errors")
struct RegistryErrorTests {
    @Test(
        "have docker's words",
        arguments: [
            (
                404, #"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#,
                "manifest for x:latest not found: manifest unknown: manifest unknown", ErrorKind.notFound
            ),
            (
                403, #"{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}"#,
                "pull access denied for x, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
                .notFound
            ),
            (
                404, #"{"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known to registry"}]}"#,
                "repository x not found: name unknown: repository name not known to registry", .notFound
            ),
            (401, "", "unauthorized: authentication required", .unauthenticated),
            (429, "not json", "toomanyrequests: too many requests", .unavailable),
            (500, "", "received unexpected HTTP status: 500", .internal),
        ])
    func words(_ status: Int, _ body: String, _ message: String, _ kind: ErrorKind) throws {
        let error = RegistryError.refusal(status: status, body: Array(body.utf8))
        #expect(error.serviceError(for: try ImageReference("x")) == ServiceError(kind, message))
    }
}
