// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem
package import Metadata
package import OCISpec
import Synchronization

/// Writes one ingest. Exactly one writer exists for a ref at a time; dropping it without a commit keeps the data, so
/// that the next writer goes on where this one stopped.
package final class ContentWriter: Sendable {
    package let ref: String
    package let total: Int64
    package let expected: Digest?
    private let store: ContentStore
    private let namespace: String
    private let directory: FilePath
    private let startedAt: Timestamp
    private let state: Mutex<State>

    private struct State: ~Copyable {
        var file: OwnedFD
        var offset: Int64
        var hasher: BlobHasher
        var updatedAt: Timestamp
        var isFinished = false
    }

    init(_ store: ContentStore, _ namespace: String, _ ingest: IngestDirectory, expected: Digest?) throws {
        let file = try LinuxSystem.open(ingest.data, O_RDWR | O_CREAT, mode: 0o600)
        let status = try ingest.status()
        var hasher = BlobHasher(expected?.algorithm ?? .sha256)
        try Self.hash(file, upTo: status.offset, into: &hasher)
        self.store = store
        self.namespace = namespace
        self.expected = expected
        directory = ingest.path
        ref = status.ref
        total = status.total
        startedAt = status.startedAt
        state = Mutex(
            State(file: file, offset: status.offset, hasher: hasher, updatedAt: status.updatedAt))
    }

    deinit { store.release(directory.lastComponent) }

    /// Whether it was committed or thrown away.
    package var isFinished: Bool { state.withLock { $0.isFinished } }

    package var status: IngestStatus {
        state.withLock {
            IngestStatus(
                ref: ref, offset: $0.offset, total: total, expected: expected, startedAt: startedAt,
                updatedAt: $0.updatedAt)
        }
    }

    /// The digest of what was written so far.
    package var digest: Digest { state.withLock { $0.hasher.finish() } }

    /// Appends bytes. `offset`, if given, must be where the ingest stands, or 0 to start it again.
    package func write(_ bytes: [UInt8], at offset: Int64? = nil) throws {
        try bytes.withUnsafeBytes { try write($0, at: offset) }
    }

    /// Appends bytes, as `write` of an array does.
    package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64? = nil) throws {
        try state.withLock { state in
            if let offset, offset != state.offset {
                guard offset == 0 else {
                    throw ServiceError(
                        .invalidArgument, "write @\(offset) must occur at current offset \(state.offset): out of range")
                }
                try restart(&state)
            }
            try append(bytes, &state)
        }
    }

    /// Drops what was written.
    package func restart() throws {
        try state.withLock { try restart(&$0) }
    }

    private func restart(_ state: inout State) throws(SysError) {
        let fd = state.file.raw
        try sys("ftruncate") { ftruncate(fd, 0) }
        state.offset = 0
        state.hasher = BlobHasher(expected?.algorithm ?? .sha256)
    }

    private func append(_ bytes: UnsafeRawBufferPointer, _ state: inout State) throws(SysError) {
        let fd = state.file.raw
        var done = 0
        while done < bytes.count {
            let position = off_t(state.offset) + off_t(done)
            done += try sys("pwrite", ref) {
                pwrite(fd, bytes.baseAddress?.advanced(by: done), bytes.count - done, position)
            }
        }
        state.hasher.update(bytes)
        state.offset += Int64(bytes.count)
        state.updatedAt = .now
    }

    private static func hash(_ file: borrowing OwnedFD, upTo count: Int64, into hasher: inout BlobHasher) throws {
        var left = count
        while left > 0 {
            let chunk = try readSome(file, upTo: Int(min(left, 1 << 20)))
            if chunk.isEmpty { return }
            hasher.update(chunk)
            left -= Int64(chunk.count)
        }
    }
}

// MARK: Commit

extension ContentWriter {
    /// Verifies size and digest and makes the data a durable blob of the namespace. If the blob exists already the
    /// ingest is dropped, the labels are added to the blob, and `alreadyExists` is thrown, as containerd does.
    @discardableResult
    package func commit(size: Int64 = 0, expected: Digest? = nil, labels: Labels = [:]) throws -> Digest {
        let expected = expected ?? self.expected
        let (digest, size) = try state.withLock { state in
            guard !state.isFinished else {
                throw ServiceError(.failedPrecondition, "ingest \(ref) is committed already")
            }
            let digest = try verify(&state, size: size, expected: expected)
            try syncFile(state.file)
            return (digest, state.offset)
        }
        let existed = try publish(digest, size: size, labels: labels)
        state.withLock { $0.isFinished = true }
        try? removeTree(directory)
        if existed { throw ServiceError(.alreadyExists, "content \(digest): already exists") }
        return digest
    }

    /// Throws the ingest away; nothing can be written or committed any more.
    package func discard() {
        state.withLock { $0.isFinished = true }
        try? removeTree(directory)
    }

    private func verify(_ state: inout State, size: Int64, expected: Digest?) throws -> Digest {
        let wanted = size > 0 ? size : total
        guard wanted == 0 || wanted == state.offset else {
            throw ServiceError(
                .failedPrecondition,
                "failed size validation: \(state.offset) != \(wanted): failed precondition")
        }
        if let expected, expected.algorithm != (self.expected?.algorithm ?? .sha256) {
            state.hasher = BlobHasher(expected.algorithm)
            let fd = state.file.raw
            lseek(fd, 0, SEEK_SET)
            try Self.hash(state.file, upTo: state.offset, into: &state.hasher)
        }
        let digest = state.hasher.finish()
        guard expected == nil || expected == digest else {
            throw ServiceError(
                .failedPrecondition,
                "unexpected commit digest \(digest), expected \(expected?.string ?? ""): failed precondition")
        }
        return digest
    }

    /// Moves the data into place and adds the record, under the database's lock so that no delete comes between.
    private func publish(_ digest: Digest, size: Int64, labels: Labels) throws -> Bool {
        let target = store.path(of: digest)
        return try store.database.write { transaction in
            let existed = store.size(onDisk: digest) != nil
            if !existed {
                try sys("chmod", directory.string) { chmod((directory / "data").string, 0o400) }
                try LinuxSystem.rename(directory / "data", target)
                try syncDirectory(target.parent)
            }
            let known = try transaction.first(
                "SELECT 1 FROM content WHERE namespace = ? AND digest = ?", [.text(namespace), .text(digest.string)])
            try ContentStore.insert(transaction, namespace, digest, size: size, labels: labels)
            return known != nil
        }
    }
}

extension ContentStore {
    /// Starts or resumes the ingest `ref`.
    ///
    /// - Throws: `alreadyExists` if `expected` is on disk already (it is then made visible in the namespace),
    ///   `unavailable` if the ref has a writer.
    package func writer(
        _ namespace: String, ref: String, total: Int64 = 0, expected: Digest? = nil
    ) throws -> ContentWriter {
        guard !ref.isEmpty else { throw ServiceError(.invalidArgument, "ref must not be empty: invalid argument") }
        if let expected, try adopt(namespace, expected) {
            throw ServiceError(.alreadyExists, "content \(expected): already exists")
        }
        let ingest = IngestDirectory(self, namespace, ref)
        guard busy.withLock({ $0.insert(ingest.key).inserted }) else { throw Self.locked(ref) }
        do {
            if !exists(ingest.data) { try ingest.create(namespace, ref, total: total, expected: expected) }
            return try ContentWriter(self, namespace, ingest, expected: expected)
        } catch {
            // A writer that failed half-way in its initialiser has no deinit to release the ref.
            release(ingest.key)
            throw error
        }
    }

    /// Stores a small blob in one step; nothing happens if it is there already.
    @discardableResult
    package func put(
        _ namespace: String, _ bytes: [UInt8], labels: Labels = [:], algorithm: Digest.Algorithm = .sha256
    ) throws -> Digest {
        let digest = Digest.of(bytes, algorithm)
        if try adopt(namespace, digest, labels: labels) { return digest }
        do {
            let writer = try writer(namespace, ref: "put-\(digest)", total: Int64(bytes.count), expected: digest)
            try writer.write(bytes, at: 0)
            return try writer.commit(labels: labels)
        } catch let error as ServiceError where error.kind == .alreadyExists {
            return digest
        }
    }
}
