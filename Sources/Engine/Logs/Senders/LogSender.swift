// SPDX-License-Identifier: Apache-2.0
import CLinux
import DockerAPI
import LinuxSystem
import Synchronization

/// How one driver writes a line, and where it sends it. A value: the connection belongs to `LogConnection`.
protocol LogDialect: Sendable {
    var address: LogSocket.Address { get }
    /// nil for a receiver without TLS.
    var tls: LogTLSLink.Settings? { get }

    /// What is sent for one line: one or more datagrams, or pieces of a stream.
    func messages(_ line: LogLine) throws -> [[UInt8]]

    /// What the receiver says once it has a message; nil if it says nothing.
    func answer(to message: [UInt8]) -> [UInt8]?
}

extension LogDialect {
    var tls: LogTLSLink.Settings? { nil }

    /// Connects to the receiver; blocks.
    fileprivate func connect() throws(EngineError) -> any LogLink {
        if let tls { return try LogTLSLink(address, tls) }
        return try LogSocket(address)
    }

    func answer(to _: [UInt8]) -> [UInt8]? { nil }
}

extension LogLine {
    /// The text without its newline; a line that was cut has none.
    var content: ArraySlice<UInt8> { text.last == UInt8(ascii: "\n") ? text.dropLast() : text[...] }

    /// A piece of a line that goes on in the next one.
    var isPartial: Bool { text.last != UInt8(ascii: "\n") }
}

/// The connection of one container's log to its receiver; opened anew when it breaks.
final class LogConnection: Sendable {
    let dialect: any LogDialect
    private let link = Mutex<(any LogLink)?>(nil)

    init(_ dialect: any LogDialect) { self.dialect = dialect }

    /// Connects now; blocks.
    func open() throws {
        try link.withLock { $0 = try dialect.connect() }
    }

    /// Sends lines in order; blocks. What has been sent when it fails is told by `sent`.
    func send(_ lines: [LogLine], sent: inout Int) throws {
        while sent < lines.count {
            let messages = try dialect.messages(lines[sent])
            try link.withLock { link in
                if link == nil { link = try dialect.connect() }
                for message in messages {
                    do throws(SysError) {
                        try link?.send(message)
                        if let answer = dialect.answer(to: message) { try link?.expect(answer) }
                    } catch {
                        // What is too long for a datagram stays so, and nobody may listen for them; anything else is
                        // tried again.
                        if error.errno == Errno(rawValue: EMSGSIZE) { continue }
                        if dialect.address.scheme == "udp", error.errno == .connectionRefused { continue }
                        link = nil
                        throw error
                    }
                }
            }
            sent += 1
        }
    }
}

extension LogOptions {
    /// The way in which a container's lines are written for its receiver; nil if they stay here.
    func dialect(_ info: LogInfo) throws(EngineError) -> (any LogDialect)? {
        switch driver {
        case "syslog": try SyslogDialect(info)
        case "gelf": try GELFDialect(info)
        case "fluentd": try FluentdDialect(info)
        case "journald": try JournaldDialect(info)
        default: nil
        }
    }

    /// Refuses receivers that cannot be: at the making of a container.
    static func validateReceiver(
        driver: String, options: [(key: String, value: String)]
    ) throws(EngineError) {
        func value(_ key: String) -> String { options.last { $0.key == key }?.value ?? "" }
        switch driver {
        case "syslog": _ = try SyslogDialect.address(value("syslog-address"))
        case "gelf": _ = try GELFDialect.address(value("gelf-address"))
        case "fluentd": _ = try FluentdDialect.address(value("fluentd-address"))
        default: break
        }
    }

    /// Whether a container may start while its receiver is away.
    var mayConnectLater: Bool {
        Self.bool(self["fluentd-async"]) ?? Self.bool(self["fluentd-async-connect"]) ?? false
    }
}
