// SPDX-License-Identifier: Apache-2.0
import DockerAPI

/// Where a container's log goes and how its files are kept: what `LogConfig` means.
///
/// Every log is written by the shim into a file of ours, but that of `none`: for json-file and local it is the log, for
/// a driver that sends its lines away it is the cache that `logs` reads (docker's dual logging), and what the sender
/// reads. So no slow or missing receiver ever holds a container up.
package struct LogOptions: Sendable, Equatable {
    /// Files of a log that is not json-file's, unless options say otherwise.
    private static let standardBytes: Int64 = 20 << 20
    private static let standardFiles = 5

    let driver: String
    private let values: [String: String]
    /// The size at which a file is full; -1: never.
    var maximumBytes: Int64 = -1
    var maximumFiles = 1
    /// Whether full files are compressed.
    var compresses = false

    /// Whether there is a file at all.
    var hasFile: Bool { driver != "none" }
    /// Whether `logs` may read it.
    var isReadable: Bool { hasFile && !(isSent && Self.bool(values["cache-disabled"] ?? "") == true) }
    /// Whether the lines are sent to somebody else.
    var isSent: Bool { !["none", "json-file", "local"].contains(driver) }

    /// The value of an option; empty if it is not given.
    subscript(_ key: String) -> String { values[key] ?? "" }

    /// Reads the options of a container that is to start; what is wrong with their values is told now, as docker does.
    /// Which options there may be, `validate` has checked.
    init(driver: String, options: [(key: String, value: String)]) throws(EngineError) {
        self.driver = driver
        values = Dictionary(options.map { ($0.key, $0.value) }) { $1 }
        switch driver {
        case "none": break
        case "json-file": try readJSONFile()
        case "local": try readLocal(prefix: "")
        default: try readLocal(prefix: "cache-")
        }
    }

    private mutating func readJSONFile() throws(EngineError) {
        if let text = values["max-size"], text != "-1" {
            guard let bytes = ByteSize.decimal(text) else { throw failure("invalid size: '\(text)'") }
            if bytes <= 0 { throw failure("max-size must be a positive number") }
            maximumBytes = bytes
        }
        if let text = values["max-file"] {
            guard let count = Int(text) else {
                throw failure("strconv.Atoi: parsing \"\(text)\": invalid syntax")
            }
            if count < 1 { throw failure("max-file cannot be less than 1") }
            maximumFiles = count
        }
        guard let text = values["compress"] else { return }
        compresses = try flag(text)
        if compresses, maximumFiles == 1 || maximumBytes == -1 {
            throw failure("compress cannot be true when max-file is less than 2 or max-size is not set")
        }
    }

    private mutating func readLocal(prefix: String) throws(EngineError) {
        (maximumBytes, maximumFiles, compresses) = (Self.standardBytes, Self.standardFiles, true)
        if let text = values[prefix + "max-size"] {
            guard let bytes = ByteSize.binary(text) else {
                throw failure("invalid value for max-size: \(text): invalid size: '\(text)'")
            }
            if bytes <= 0 { throw failure("max size must be a positive number") }
            maximumBytes = bytes
        }
        if let text = values[prefix + "max-file"] {
            guard let count = Int(text) else {
                throw failure(
                    "invalid value for max-file: \(text): strconv.Atoi: parsing \"\(text)\": invalid syntax")
            }
            if count < 1 { throw failure("max file count cannot be less than 1") }
            maximumFiles = count
        }
        if let text = values[prefix + "compress"] { compresses = try flag(text) }
        if maximumFiles == 1 { compresses = false }
    }

    private func flag(_ text: String) throws(EngineError) -> Bool {
        guard let value = Self.bool(text) else {
            throw failure("strconv.ParseBool: parsing \"\(text)\": invalid syntax")
        }
        return value
    }

    /// A start that cannot have its log, in docker's words.
    static func failure(_ message: String) -> EngineError {
        .internal("failed to create task for container: failed to initialize logging driver: " + message)
    }

    private func failure(_ message: String) -> EngineError { Self.failure(message) }

    /// Go's truth values; nil for anything else.
    static func bool(_ text: String) -> Bool? {
        switch text {
        case "1", "t", "T", "TRUE", "true", "True": true
        case "0", "f", "F", "FALSE", "false", "False": false
        default: nil
        }
    }
}
