// SPDX-License-Identifier: Apache-2.0
package import LinuxSystem
package import TTRPC

/// google.protobuf.Any: an encoded message and the name of its type.
package struct AnyMessage: Sendable, Equatable {
    package var typeURL = ""
    package var value: [UInt8] = []

    package init(typeURL: String, value: [UInt8]) {
        self.typeURL = typeURL
        self.value = value
    }

    init(decoding bytes: ArraySlice<UInt8>) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: typeURL = try field.string()
            case 2: value = try field.bytes()
            default: break
            }
        }
    }

    func encode(into writer: inout ProtobufWriter) {
        writer.string(1, typeURL)
        writer.bytes(2, value)
    }

    /// The message's name: what follows the last slash of the type URL, which containerd leaves out.
    package var messageName: String {
        guard let slash = typeURL.utf8.lastIndex(of: UInt8(ascii: "/")) else { return typeURL }
        return String(typeURL[typeURL.utf8.index(after: slash)...])
    }
}

extension ProtobufWriter {
    /// A google.protobuf.Timestamp.
    package mutating func timestamp(_ field: UInt32, _ time: Timestamp?) {
        guard let time else { return }
        message(field) { message in
            message.int64(1, time.seconds)
            message.int64(2, time.subsecond)
        }
    }
}

/// containerd.types.Mount: one step of putting a root file system together.
package struct Mount: Sendable, Equatable {
    package var type = ""
    package var source = ""
    /// Where below the root file system; empty for the root itself.
    package var target = ""
    package var options: [String] = []

    package init(type: String, source: String, target: String = "", options: [String]) {
        self.type = type
        self.source = source
        self.target = target
        self.options = options
    }

    init(decoding bytes: ArraySlice<UInt8>) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: type = try field.string()
            case 2: source = try field.string()
            case 3: target = try field.string()
            case 4: options.append(try field.string())
            default: break
            }
        }
    }

    func encode(into writer: inout ProtobufWriter) {
        writer.string(1, type)
        writer.string(2, source)
        writer.string(3, target)
        for option in options { writer.element(4, [UInt8](option.utf8)) }
    }
}

/// The names of a process's streams, as the client gave them.
package struct StdioNames: Sendable, Equatable {
    package var stdin = ""
    package var stdout = ""
    package var stderr = ""
    package var terminal = false

    package init(stdin: String = "", stdout: String = "", stderr: String = "", terminal: Bool = false) {
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
        self.terminal = terminal
    }
}

/// containerd.runc.v1.Options: which OCI runtime to use, and how.
package struct RuntimeOptions: Sendable, Equatable {
    package static let messageName = "containerd.runc.v1.Options"

    package var noPivotRoot = false
    package var noNewKeyring = false
    package var ioUID: UInt32 = 0
    package var ioGID: UInt32 = 0
    package var binaryName = ""
    package var root = ""
    package var systemdCgroup = false
    /// Where criu works while it restores the container.
    package var criuWorkPath = ""

    package init() {}

    package init(decoding bytes: [UInt8]) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: noPivotRoot = try field.bool()
            case 2: noNewKeyring = try field.bool()
            case 4: ioUID = try field.uint32()
            case 5: ioGID = try field.uint32()
            case 6: binaryName = try field.string()
            case 7: root = try field.string()
            case 9: systemdCgroup = try field.bool()
            case 11: criuWorkPath = try field.string()
            default: break
            }
        }
    }
}

/// containerd.runc.v1.CheckpointOptions: how a container is saved.
package struct CheckpointOptions: Sendable, Equatable {
    package static let messageName = "containerd.runc.v1.CheckpointOptions"

    /// The container ends once it is saved.
    package var exits = false
    package var savesTCPConnections = false
    package var savesExternalUnixSockets = false
    /// The container has a terminal of the one who started it.
    package var hasForeignTerminal = false
    package var savesFileLocks = false
    package var emptyNamespaces: [String] = []
    package var cgroupsMode = ""
    package var workPath = ""
    package var parentPath = ""

    package init() {}

    package init(decoding bytes: [UInt8]) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: exits = try field.bool()
            case 2: savesTCPConnections = try field.bool()
            case 3: savesExternalUnixSockets = try field.bool()
            case 4: hasForeignTerminal = try field.bool()
            case 5: savesFileLocks = try field.bool()
            case 6: emptyNamespaces.append(try field.string())
            case 7: cgroupsMode = try field.string()
            case 9: workPath = try field.string()
            case 10: parentPath = try field.string()
            default: break
            }
        }
    }
}
