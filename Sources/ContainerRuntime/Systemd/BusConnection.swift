// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem

/// A connection to a message bus, over which one call after the other is made.
@usableFromInline struct BusConnection: ~Copyable {
    private let socket: OwnedFD
    private var serial: UInt32 = 0
    /// What came while a reply was waited for.
    private var signals: [BusMessage] = []

    /// Connects and introduces itself.
    ///
    /// - Parameter address: of `unix:` form, of several behind `;` the first that there is (D-Bus specification,
    ///   "Server Addresses").
    static func open(_ address: String) throws(RuntimeError) -> BusConnection {
        guard let path = BusConnection.socketPath(address) else {
            throw RuntimeError("the address of the message bus has no unix socket: " + address)
        }
        let socket = try step("connect to the message bus") { () throws(SysError) in try UnixSocket.connect(path) }
        var bus = BusConnection(socket: socket)
        try bus.authenticate()
        _ = try bus.call("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello", [])
        return bus
    }

    private init(socket: consuming OwnedFD) { self.socket = socket }

    static func socketPath(_ address: String) -> FilePath? {
        for server in address.split(separator: ";") where server.hasPrefix("unix:") {
            for pair in server.dropFirst(5).split(separator: ",") {
                if pair.hasPrefix("path=") { return FilePath(String(pair.dropFirst(5))) }
                if pair.hasPrefix("abstract=") { return FilePath("@" + String(pair.dropFirst(9))) }
            }
        }
        return nil
    }

    /// The kernel tells the bus who we are (SASL, mechanism EXTERNAL). We do not: in a user namespace we do not know.
    private borrowing func authenticate() throws(RuntimeError) {
        try send([0] + Array("AUTH EXTERNAL\r\n".utf8))
        try expectLine("DATA")
        try send(Array("DATA\r\n".utf8))
        try expectLine("OK ")
        try send(Array("BEGIN\r\n".utf8))
    }

    private borrowing func expectLine(_ prefix: String) throws(RuntimeError) {
        var line: [UInt8] = []
        while line.last != UInt8(ascii: "\n"), line.count < 4096 { line += try receive(1) }
        if line.starts(with: prefix.utf8) { return }
        throw RuntimeError("the message bus refuses us: " + String(decoding: line.dropLast(2), as: UTF8.self))
    }

    /// Calls a method and waits for its reply.
    mutating func call(
        _ destination: String, _ path: String, _ interface: String, _ member: String, _ arguments: [BusValue]
    ) throws(RuntimeError) -> BusMessage {
        serial += 1
        var message = BusMessage(path: path, interface: interface, member: member, arguments: arguments)
        message.serial = serial
        try send(message.call(to: destination))
        while true {
            let received = try receiveMessage()
            if received.kind == .signal { signals.append(received) }
            if received.replySerial != serial { continue }
            if received.kind == .error {
                throw RuntimeError(member + ": " + received.errorName + ": " + (received.texts.first ?? ""))
            }
            return received
        }
    }

    /// The next signal with this name.
    mutating func signal(_ member: String) throws(RuntimeError) -> BusMessage {
        while true {
            let next = signals.isEmpty ? try receiveMessage() : signals.removeFirst()
            if next.kind == .signal, next.member == member { return next }
        }
    }

    private borrowing func receiveMessage() throws(RuntimeError) -> BusMessage {
        let header = try receive(16)
        guard let length = BusMessage.length(of: header) else {
            throw RuntimeError("the message bus sent something that is no message")
        }
        guard let message = BusMessage(header + (try receive(length - 16))) else {
            throw RuntimeError("the message bus sent a message that cannot be read")
        }
        return message
    }

    private borrowing func send(_ bytes: [UInt8]) throws(RuntimeError) {
        try step("send to the message bus") { () throws(SysError) in try writeAll(socket, bytes) }
    }

    /// Exactly so many bytes, each of which may take half a minute.
    private borrowing func receive(_ count: Int) throws(RuntimeError) -> [UInt8] {
        try step("wait for the message bus") { () throws(SysError) in
            var bytes: [UInt8] = []
            while bytes.count < count {
                if try waitReadable([socket.raw], timeoutMilliseconds: 30_000).isEmpty {
                    throw SysError("poll", "", Errno(rawValue: ETIMEDOUT))
                }
                let more = try readSome(socket, upTo: count - bytes.count)
                if more.isEmpty { throw SysError("read", "", .connectionReset) }
                bytes += more
            }
            return bytes
        }
    }
}
