// SPDX-License-Identifier: Apache-2.0
import CLinux
import Cgroups
import LinuxSystem
import OCISpec
import TTRPC

/// What criu(8) is asked for: to save the processes of a container to files, or to make them again. It is told what lies
/// outside of the container: mounts, namespaces and descriptors of the host. The numbers are those of criu's rpc.proto.
struct CriuRequest {
    /// `SINGLE_PRE_DUMP`: criu ends after it, where `PRE_DUMP` waits for the next one.
    enum Action: UInt64 {
        case dump = 1
        case restore = 2
        case preDump = 13
    }

    let action: Action
    /// Where criu writes what it does.
    let log: FilePath
    private(set) var options = ProtobufWriter()

    /// - Parameters:
    ///   - images, work: open directories: criu opens them again by way of this process's /proc.
    ///   - config: a file of settings that come before all others; nil for the host's.
    init(
        _ action: Action, images: borrowing OwnedFD, work: borrowing OwnedFD, workPath: FilePath, root: FilePath,
        config: String?
    ) {
        self.action = action
        let name = (action == .restore ? "restore" : "dump") + ".log"
        log = workPath / name
        options.int32(1, images.raw)
        options.int32(17, work.raw)
        options.int32(9, 4)  // log_level
        options.string(10, name)
        options.string(13, root.string)
        options.bool(12, true)  // notify_scripts
        options.bool(50, true)  // orphan_pts_master
        if let config { options.string(51, config) }
    }

    /// A switch or a text of criu's, by the number of its field.
    mutating func set(_ field: UInt32, _ value: Bool = true) { options.bool(field, value) }
    mutating func set(_ field: UInt32, _ value: String) { options.string(field, value) }
    mutating func set(_ field: UInt32, number: UInt64) { options.present(field, number) }

    mutating func setPageServer(address: String, port: Int32) {
        options.message(11) { message in
            message.string(1, address)
            message.int32(2, port)
        }
    }

    /// Something of the host's that the container has: criu neither saves nor makes it.
    mutating func addExternal(_ name: String) { options.string(37, name) }

    /// What takes the place of something from outside; the descriptor is one that criu inherits.
    mutating func addInherited(_ name: String, _ descriptor: CInt) {
        options.message(27) { message in
            message.string(1, name)
            message.present(2, UInt64(descriptor))
        }
    }

    /// A namespace of the host's that the restored processes are put into.
    mutating func addJoined(_ type: String, _ path: FilePath) {
        options.message(39) { message in
            message.string(1, type)
            message.string(2, path.string)
        }
    }

    /// Where in a hierarchy the restored processes are, wherever they were.
    mutating func addCgroup(_ controllers: String, _ path: String) {
        options.message(25) { message in
            message.string(1, controllers)
            message.string(2, path)
        }
    }

    var bytes: [UInt8] {
        var request = ProtobufWriter()
        request.uint64(1, action.rawValue)
        request.element(2, options.bytes)
        return request.bytes
    }
}

/// What criu says: that it is done or failed, or how far it is (`NOTIFY`), which it wants to be answered.
struct CriuResponse {
    private(set) var type: UInt64 = 0
    private(set) var isSuccess = false
    private(set) var errno: Int32 = 0
    /// Of a notification: which one, and the container's init as far as there is one.
    private(set) var script = ""
    /// The init process that was restored.
    private(set) var pid: Int32 = 0

    static let notify: UInt64 = 6

    init(parsing bytes: [UInt8]) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: type = try field.uint64()
            case 2: isSuccess = try field.bool()
            case 4: try readNested(field, pidField: 1)
            case 5: try readNested(field, pidField: 2)
            case 7: errno = try field.int32()
            default: break
            }
        }
    }

    private mutating func readNested(_ field: ProtobufField, pidField: UInt32) throws(ProtobufError) {
        var reader = ProtobufReader(try field.slice())
        while let nested = try reader.next() {
            if nested.number == pidField {
                pid = try nested.int32()
            } else if nested.number == 1 {
                script = try nested.string()
            }
        }
    }

    /// The answer to a notification.
    static var acknowledgement: [UInt8] {
        var request = ProtobufWriter()
        request.uint64(1, notify)
        request.bool(3, true)
        return request.bytes
    }
}
