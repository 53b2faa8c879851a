// SPDX-License-Identifier: Apache-2.0
package import JSON

/// What `state` prints and hooks get on their standard input (runtime.md, "State"), with runc's additions.
package struct RuntimeState: Sendable, Equatable {
    package enum Status: String, Sendable, Equatable {
        case creating, created, running, paused, stopped
    }

    package var ociVersion: String
    package var id: String
    package var status: Status
    package var pid: Int32
    package var bundle: String
    package var annotations: [RuntimePair]

    package init(
        ociVersion: String, id: String, status: Status, pid: Int32, bundle: String, annotations: [RuntimePair]
    ) {
        self.ociVersion = ociVersion
        self.id = id
        self.status = status
        self.pid = pid
        self.bundle = bundle
        self.annotations = annotations
    }

    /// The spec's own object, for hooks.
    package var json: JSONValue {
        var value: JSONValue = [
            "ociVersion": .string(ociVersion), "id": .string(id), "status": .string(status.rawValue),
        ]
        if pid != 0 { value.set("pid", .int(Int64(pid))) }
        value.set("bundle", .string(bundle))
        if !annotations.isEmpty { value.set("annotations", annotations.sortedObject) }
        return value
    }
}

extension [RuntimePair] {
    /// An object with its members sorted by key, as Go writes a map.
    package var sortedObject: JSONValue {
        var pairs: [(key: String, value: JSONValue)] = []
        for pair in self { pairs.append((pair.key, .string(pair.value))) }
        return .sorted(pairs)
    }
}
