// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// All containers by id and by name. A name is taken from the moment a creation begins.
final class ContainerRegistry: Sendable {
    private struct Inner {
        var containers: [String: Container] = [:]
        /// Name to id; the id of a container that is still being created is already here.
        var names: [String: String] = [:]
    }

    private let inner = Mutex(Inner())

    var all: [Container] { inner.withLock { Array($0.containers.values) } }

    /// Takes a name for an id, or throws docker's conflict.
    func reserve(_ name: String, for id: String) throws(EngineError) {
        try inner.withLock { inner throws(EngineError) in
            if let owner = inner.names[name] { throw ContainerName.conflict(name, owner) }
            inner.names[name] = id
        }
    }

    /// Takes a free random name.
    func reserveRandomName(for id: String) throws(EngineError) -> String {
        for attempt in 0..<100 {
            let name = ContainerName.random(attempt: attempt)
            do throws(EngineError) {
                try reserve(name, for: id)
                return name
            } catch { continue }
        }
        throw .internal("no free container name was found")
    }

    func release(name: String, of id: String) {
        inner.withLock { inner in if inner.names[name] == id { inner.names[name] = nil } }
    }

    func add(_ container: Container) { inner.withLock { $0.containers[container.id] = container } }

    func remove(_ id: String) { inner.withLock { $0.containers[id] = nil } }

    /// By its whole name alone.
    func named(_ name: String) -> Container? {
        inner.withLock { inner in inner.names[name].flatMap { inner.containers[$0] } }
    }

    /// By id, by name, or by the beginning of an id if only one has it.
    func find(_ reference: String) throws(EngineError) -> Container {
        let name = reference.hasPrefix("/") ? String(reference.dropFirst()) : reference
        if name.isEmpty { throw .invalidArgument("invalid name or ID supplied: \"\(reference)\"") }
        let found: [Container] = inner.withLock { inner in
            if let container = inner.containers[name] { return [container] }
            if let id = inner.names[name] { return inner.containers[id].map { [$0] } ?? [] }
            guard name.utf8.allSatisfy({ isHexDigit($0) }) else { return [] }
            return inner.containers.filter { $0.key.hasPrefix(name) }.map { $0.value }
        }
        if found.count > 1 {
            throw .invalidArgument("Multiple IDs found with provided prefix: \(reference)")
        }
        guard let container = found.first else { throw .notFound("No such container: \(reference)") }
        return container
    }
}

/// Lower-case hexadecimal digits, of which ids consist.
func isHexDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) || (97...102).contains(byte) }
