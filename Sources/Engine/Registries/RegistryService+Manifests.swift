// SPDX-License-Identifier: Apache-2.0
package import JSON
package import OCISpec
import Registry

/// Manifests in registries, for clients that ask without moving an image: `/distribution/…`.
extension RegistryService {
    /// What a name means in its registry, and for which platforms: `Descriptor` and `Platforms`.
    ///
    /// - Parameter isRaw: adds `Raw`, the text of the manifest or index as the registry has it.
    package func distribution(
        _ reference: ImageReference, credentials: RegistryCredentials, isRaw: Bool = false
    ) async throws -> JSONValue {
        do {
            let session = try client.session(reference, credentials: credentials.forRegistry)
            let target = reference.digest?.string ?? reference.taggedByDefault.tag ?? ""
            let fetched = try await session.manifest(target)
            let platforms: [JSONValue]
            switch try ImageDocument(parsing: fetched.bytes, mediaType: fetched.descriptor.mediaType) {
            case .index:
                let entries = (try? JSONValue(parsing: fetched.bytes))?["manifests"]?.array ?? []
                platforms = entries.compactMap { $0["platform"].map(Self.platform) }
            case .manifest(let manifest):
                let config = try await session.blob(manifest.config, limit: ImageConfig.maximumBytes)
                platforms = [Self.platform(try ImageConfig(parsing: config).document)]
            }
            var answer: JSONValue = ["Descriptor": fetched.descriptor.json, "Platforms": .array(platforms)]
            if isRaw { answer.set("Raw", .string(String(decoding: fetched.bytes, as: UTF8.self))) }
            return answer
        } catch let error as RegistryError {
            throw ImageService.pullError(error.serviceError(for: reference))
        } catch let error as ImageSpecError { throw EngineError.invalidArgument(error.message) }
    }

    /// The members of a platform as the image has them, without the normal form that pulls compare: an `arm64` with
    /// the variant `v8` stays one.
    static func platform(_ document: JSONValue) -> JSONValue {
        var platform: JSONValue = [
            "architecture": .string(document["architecture"]?.string ?? ""),
            "os": .string(document["os"]?.string ?? ""),
        ]
        if let version = document["os.version"]?.string, !version.isEmpty {
            platform.set("os.version", .string(version))
        }
        if let features = document["os.features"]?.strings, !features.isEmpty {
            platform.set("os.features", .array(features.map { .string($0) }))
        }
        if let variant = document["variant"]?.string, !variant.isEmpty { platform.set("variant", .string(variant)) }
        return platform
    }

    /// Stores a manifest or index under the reference's tag; without a tag, under its digest alone.
    ///
    /// - Parameters:
    ///   - bytes: the document as it is to be, at most 4 MiB.
    ///   - source: another repository of the same registry, which has the blobs that a manifest names; they are
    ///     mounted from there unless they are in the repository already. nil: they are.
    /// - Returns: the digest of the document.
    package func store(
        _ bytes: [UInt8], mediaType: String, as reference: ImageReference, blobsFrom source: String?,
        credentials: RegistryCredentials
    ) async throws -> Digest {
        do {
            let document = try ImageDocument(parsing: bytes, mediaType: mediaType)
            let session = try client.pushSession(
                reference, credentials: credentials.forRegistry, mountSources: Set([source].compactMap { $0 }))
            if case .manifest(let manifest) = document, let source {
                try await Self.mount(manifest, from: source, in: session)
            }
            return try await session.putManifest(bytes, mediaType: mediaType, as: reference.taggedByDefault.tag)
        } catch let error as RegistryError { throw EngineError(error.pushError) } catch let error as ImageSpecError {
            throw EngineError.invalidArgument(error.message)
        }
    }

    private static func mount(
        _ manifest: Manifest, from source: String, in session: RegistrySession
    ) async throws {
        for blob in [manifest.config] + manifest.layers
        where !(MediaType.isForeign(blob.mediaType) && !blob.urls.isEmpty) {
            if try await session.hasBlob(blob.digest) { continue }
            guard try await session.mount(blob.digest, from: source) else {
                throw EngineError.internal(
                    "failed to mount blob \(source)@\(blob.digest) to \(session.reference.taggedByDefault.familiar):"
                        + " the registry does not give it from there: push an image with it to the repository first")
            }
        }
    }
}
