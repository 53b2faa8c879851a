// SPDX-License-Identifier: Apache-2.0
import ContentStore
import HTTPServer
import JSON
import LinuxSystem
import Synchronization

/// The uploads that have begun and are not finished: ingests of the content store, which survive the process.
///
/// A writer stays open between two requests, so that what was written need not be hashed again; only so many do.
final class Uploads: Sendable {
    private struct Waiting {
        var writer: ContentWriter
        var since: Int64
    }

    private static let maximumWaiting = 64
    /// An upload that nobody has written to for a day is given up.
    private static let lifetimeNanoseconds: Int64 = 86_400 * 1_000_000_000

    private let store: RegistryStore
    private let waiting = Mutex<[String: Waiting]>([:])

    init(_ store: RegistryStore) { self.store = store }

    /// Begins an upload into `repository`; returns its name.
    func start(_ repository: RepositoryName) async throws -> String {
        let id = randomIdentifier()
        let writer = try await store.blocking { try $0.content.writer(repository.blobs, ref: id) }
        giveBack(repository, writer)
        return id
    }

    /// Runs `body` with the writer of an upload, which nobody else has meanwhile.
    func resume<R: Sendable>(
        _ repository: RepositoryName, _ id: String, _ body: (ContentWriter) async throws -> R
    ) async throws -> R {
        let writer = try await take(repository, id)
        defer { giveBack(repository, writer) }
        return try await body(writer)
    }

    private func take(_ repository: RepositoryName, _ id: String) async throws -> ContentWriter {
        if let open = waiting.withLock({ $0.removeValue(forKey: Self.key(repository, id)) }) { return open.writer }
        do {
            return try await store.blocking { store in
                _ = try store.content.status(repository.blobs, ref: id)
                return try store.content.writer(repository.blobs, ref: id)
            }
        } catch let error as ServiceError where error.kind == .notFound {
            throw APIError(.blobUploadUnknown, ["upload": .string(id)])
        } catch let error as ServiceError where error.kind == .unavailable {
            throw APIError(.blobUploadInvalid, "another request writes to this upload", status: .conflict)
        }
    }

    private func giveBack(_ repository: RepositoryName, _ writer: ContentWriter) {
        if writer.isFinished { return }
        let open = Waiting(writer: writer, since: monotonicNanoseconds())
        // The last reference to a writer goes after the lock: it closes a file.
        _ = waiting.withLock { waiting in
            waiting[Self.key(repository, writer.ref)] = open
            guard waiting.count > Self.maximumWaiting, let oldest = waiting.min(by: { $0.value.since < $1.value.since })
            else { return nil as Waiting? }
            return waiting.removeValue(forKey: oldest.key)
        }
    }

    private static func key(_ repository: RepositoryName, _ id: String) -> String { repository.string + " " + id }

    /// Gives up uploads that are too old.
    func expire() async throws {
        let limit = monotonicNanoseconds() - Self.lifetimeNanoseconds
        _ = waiting.withLock { waiting in
            let old = waiting.filter { $0.value.since < limit }
            for key in old.keys { waiting[key] = nil }
            return old
        }
        let oldest = Timestamp(nanoseconds: Timestamp.now.nanoseconds - Self.lifetimeNanoseconds)
        try await store.blocking { try $0.content.abortIngests(untouchedSince: oldest) }
    }
}
