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

    /// The fields of `criu_opts`.
    enum Option: UInt32 {
        case imagesDirectory = 1
        case pid = 2
        case leaveRunning = 3
        case externalUnixSockets = 4
        case tcpEstablished = 6
        case shellJob = 7
        case fileLocks = 8
        case logLevel = 9
        case logFile = 10
        case pageServer = 11
        case notifications = 12
        case root = 13
        case parentImages = 14
        case trackMemory = 15
        case autoDeduplication = 16
        case workDirectory = 17
        case linkRemap = 18
        case managesCgroups = 24
        case cgroupRoot = 25
        case restoresSibling = 26
        case inherited = 27
        case cgroupsMode = 34
        case external = 37
        case emptyNamespaces = 38
        case joinedNamespace = 39
        case freezerCgroup = 44
        case tcpSkipInFlight = 46
        case lazyPages = 48
        case orphanTerminals = 50
        case configFile = 51
        case lsmProfile = 53
        case lsmMountContext = 63
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
        options.int32(Option.imagesDirectory.rawValue, images.raw)
        options.int32(Option.workDirectory.rawValue, work.raw)
        options.int32(Option.logLevel.rawValue, 4)
        options.string(Option.logFile.rawValue, name)
        options.string(Option.root.rawValue, root.string)
        options.bool(Option.notifications.rawValue, true)
        options.bool(Option.orphanTerminals.rawValue, true)
        if let config { options.string(Option.configFile.rawValue, config) }
    }

    mutating func set(_ option: Option, _ value: Bool = true) { options.bool(option.rawValue, value) }
    mutating func set(_ option: Option, _ value: String) { options.string(option.rawValue, value) }
    mutating func set(_ option: Option, number: UInt64) { options.present(option.rawValue, number) }

    mutating func setPageServer(address: String, port: Int32) {
        options.message(Option.pageServer.rawValue) { message in
            message.string(1, address)
            message.int32(2, port)
        }
    }

    /// Something of the host's that the container has: criu neither saves nor makes it.
    mutating func addExternal(_ name: String) { options.string(Option.external.rawValue, name) }

    /// What takes the place of something from outside; the descriptor is one that criu inherits.
    mutating func addInherited(_ name: String, _ descriptor: CInt) {
        options.message(Option.inherited.rawValue) { message in
            message.string(1, name)
            message.present(2, UInt64(descriptor))
        }
    }

    /// A namespace of the host's that the restored processes are put into.
    mutating func addJoined(_ type: String, _ path: FilePath) {
        options.message(Option.joinedNamespace.rawValue) { message in
            message.string(1, type)
            message.string(2, path.string)
        }
    }

    /// Where in a hierarchy the restored processes are, wherever they were.
    mutating func addCgroup(_ controllers: String, _ path: String) {
        options.message(Option.cgroupRoot.rawValue) { message in
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
