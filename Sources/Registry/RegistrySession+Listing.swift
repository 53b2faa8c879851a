// SPDX-License-Identifier: Apache-2.0
import AsyncHTTPClient
import JSON
import NIOCore
import NIOHTTP1
package import OCISpec

extension RegistrySession {
    private static let maximumTags = 10_000

    /// All tags of the repository, page by page (distribution-spec "Listing Tags").
    package func tags() async throws -> [String] {
        var (tags, path): ([String], String?) = ([], "tags/list")
        while let next = path {
            let response = try await request(.GET, next)
            let body = try await response.bytes(upTo: 4 << 20, of: next)
            guard let json = try? JSONValue(parsing: body, maximumDepth: 32), json.members != nil else {
                throw RegistryError.invalidResponse("registry gives no list of tags")
            }
            tags += json["tags"]?.strings ?? []
            guard tags.count <= Self.maximumTags else {
                throw RegistryError.invalidResponse("repository has more than \(Self.maximumTags) tags")
            }
            path = ResponseHeader.nextPage(response.headers.first(name: "Link") ?? "")
            if path == next { break }
        }
        return tags
    }

    /// A whole small blob, its digest verified.
    package func blob(_ descriptor: Descriptor, limit: Int) async throws -> [UInt8] {
        guard descriptor.size <= limit else {
            throw RegistryError.invalidResponse("blob \(descriptor.digest) has more than \(limit) bytes")
        }
        let response = try await request(.GET, "blobs/" + descriptor.digest.string)
        let bytes: [UInt8]
        do {
            bytes = try await response.bytes(upTo: Int(descriptor.size), of: "blob " + descriptor.digest.string)
        } catch is NIOTooManyBytesError {
            throw RegistryError.invalidResponse("blob \(descriptor.digest) is larger than its \(descriptor.size) bytes")
        }
        try Self.verify(bytes, descriptor.digest)
        return bytes
    }
}
