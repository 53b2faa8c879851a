// SPDX-License-Identifier: Apache-2.0

/// The shim's command line, as containerd calls every shim:
///
///     swrun-shim -namespace NS -address SOCKET -publish-binary PATH -id ID [-bundle DIR] [-debug] start|delete
///
/// Without an action it serves: that is what `start` starts. Flags are Go's: `-x V`, `--x V`, `-x=V`.
struct ShimArguments: Sendable, Equatable {
    enum Action: Sendable, Equatable { case start, delete, serve, version }

    struct InvalidArguments: Error, Sendable, Equatable {
        var message: String
    }

    var namespace = ""
    var address = ""
    var id = ""
    var bundle = ""
    /// The path of the socket that `serve` finds as its stdin.
    var socket = ""
    var debug = false
    var action = Action.serve

    init(parsing arguments: [String]) throws(InvalidArguments) {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            guard argument.utf8.first == UInt8(ascii: "-") else {
                action = try Self.action(argument)
                continue
            }
            var name = String(argument.drop { $0 == "-" })
            var value: String?
            if let equals = name.firstIndex(of: "=") {
                value = String(name[name.index(after: equals)...])
                name = String(name[..<equals])
            }
            switch name {
            case "debug": debug = value != "false"
            case "v", "version": action = .version
            default:
                guard let value = value ?? rest.popFirst() else {
                    throw InvalidArguments(message: "flag needs an argument: -\(name)")
                }
                try set(name, value)
            }
        }
    }

    private mutating func set(_ name: String, _ value: String) throws(InvalidArguments) {
        switch name {
        case "namespace": namespace = value
        case "address": address = value
        case "id": id = value
        case "bundle": bundle = value
        case "socket": socket = value
        case "publish-binary": break  // events go over ttrpc
        default: throw InvalidArguments(message: "flag provided but not defined: -\(name)")
        }
    }

    private static func action(_ word: String) throws(InvalidArguments) -> Action {
        switch word {
        case "start": return .start
        case "delete": return .delete
        default: throw InvalidArguments(message: "unknown action \(word)")
        }
    }
}
