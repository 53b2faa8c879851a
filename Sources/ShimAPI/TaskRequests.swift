// SPDX-License-Identifier: Apache-2.0
// The requests of containerd.task.v2.Task (and, field for field, containerd.task.v3.Task).
package import TTRPC

/// Create: make the container's init process, parked until Start.
package struct CreateTaskRequest: Sendable, Equatable {
    package var id = ""
    package var bundle = ""
    package var rootfs: [Mount] = []
    package var stdio = StdioNames()
    /// A directory of criu's files that init is to be made of; empty for a new one.
    package var checkpoint = ""
    package var options: AnyMessage?

    package init(decoding bytes: [UInt8]) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: id = try field.string()
            case 2: bundle = try field.string()
            case 3: rootfs.append(try Mount(decoding: try field.slice()))
            case 4: stdio.terminal = try field.bool()
            case 5: stdio.stdin = try field.string()
            case 6: stdio.stdout = try field.string()
            case 7: stdio.stderr = try field.string()
            case 8: checkpoint = try field.string()
            case 10: options = try AnyMessage(decoding: try field.slice())
            default: break
            }
        }
    }
}

/// Exec: add a process to the task; Start runs it.
package struct ExecProcessRequest: Sendable, Equatable {
    package var id = ""
    package var execID = ""
    package var stdio = StdioNames()
    /// The OCI runtime-spec `process` object, as JSON.
    package var spec: AnyMessage?

    package init(decoding bytes: [UInt8]) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: id = try field.string()
            case 2: execID = try field.string()
            case 3: stdio.terminal = try field.bool()
            case 4: stdio.stdin = try field.string()
            case 5: stdio.stdout = try field.string()
            case 6: stdio.stderr = try field.string()
            case 7: spec = try AnyMessage(decoding: try field.slice())
            default: break
            }
        }
    }
}

/// What most requests are: a container's id, and an exec's id if an exec is meant.
package struct ProcessRequest: Sendable, Equatable {
    package var id = ""
    package var execID = ""

    package init(decoding bytes: [UInt8]) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: id = try field.string()
            case 2: execID = try field.string()
            default: break
            }
        }
    }
}

package struct KillRequest: Sendable, Equatable {
    package var id = ""
    package var execID = ""
    package var signal: UInt32 = 0
    package var all = false

    package init(decoding bytes: [UInt8]) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: id = try field.string()
            case 2: execID = try field.string()
            case 3: signal = try field.uint32()
            case 4: all = try field.bool()
            default: break
            }
        }
    }
}

package struct ResizePtyRequest: Sendable, Equatable {
    package var id = ""
    package var execID = ""
    package var width: UInt32 = 0
    package var height: UInt32 = 0

    package init(decoding bytes: [UInt8]) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: id = try field.string()
            case 2: execID = try field.string()
            case 3: width = try field.uint32()
            case 4: height = try field.uint32()
            default: break
            }
        }
    }
}

package struct CloseIORequest: Sendable, Equatable {
    package var id = ""
    package var execID = ""
    package var stdin = false

    package init(decoding bytes: [UInt8]) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: id = try field.string()
            case 2: execID = try field.string()
            case 3: stdin = try field.bool()
            default: break
            }
        }
    }
}

/// Pids, Pause, Resume, Stats, Connect and Shutdown: a container's id is all that matters.
package struct TaskRequest: Sendable, Equatable {
    package var id = ""

    package init(decoding bytes: [UInt8]) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            if field.number == 1 { id = try field.string() }
        }
    }
}

package struct UpdateTaskRequest: Sendable, Equatable {
    package var id = ""
    /// The OCI runtime-spec `linux.resources` object, as JSON.
    package var resources: AnyMessage?

    package init(decoding bytes: [UInt8]) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: id = try field.string()
            case 2: resources = try AnyMessage(decoding: try field.slice())
            default: break
            }
        }
    }
}

/// Checkpoint: save init and what it has started to files in `path`.
package struct CheckpointTaskRequest: Sendable, Equatable {
    package var id = ""
    package var path = ""
    package var options: AnyMessage?

    package init(decoding bytes: [UInt8]) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: id = try field.string()
            case 2: path = try field.string()
            case 3: options = try AnyMessage(decoding: try field.slice())
            default: break
            }
        }
    }
}
