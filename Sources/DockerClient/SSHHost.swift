// SPDX-License-Identifier: Apache-2.0
import LinuxSystem

/// A daemon on another machine, which ssh(1) leads to: `ssh://[user@]host[:port][/socket]`. There `system dial-stdio` passes
/// the streams on, as docker's client has it.
package struct SSHHost: Sendable, Equatable {
    private(set) var user = ""
    private(set) var name: String
    private(set) var port = ""
    /// The daemon's socket there; empty for the one that the program there uses.
    private(set) var socket = ""

    init(parsing text: String) throws(ClientError) {
        func refusal(_ reason: String) -> ClientError { .badHost("invalid SSH URL: \"ssh://\(text)\": " + reason) }
        if text.contains("?") { throw refusal("query parameters are not allowed") }
        if text.contains("#") { throw refusal("fragments are not allowed") }
        var address = text[...]
        if let slash = address.firstIndex(of: "/") {
            socket = address[slash...] == "/" ? "" : String(address[slash...])
            address = address[..<slash]
        }
        if let mark = address.lastIndex(of: "@") {
            user = String(address[..<mark])
            if user.contains(":") { throw refusal("plain-text password is not supported") }
            address = address[address.index(after: mark)...]
        }
        let afterBracket = address.lastIndex(of: "]") ?? address.startIndex
        if let colon = address[afterBracket...].lastIndex(of: ":") {
            port = String(address[address.index(after: colon)...])
            if UInt16(port) == nil { throw refusal("invalid port") }
            address = address[..<colon]
        }
        if address.hasPrefix("["), address.hasSuffix("]") { address = address.dropFirst().dropLast() }
        name = String(address)
        if name.isEmpty { throw refusal("no host specified") }
        // Words of the remote shell, and of ssh's own command line.
        guard !socket.contains("'"), !user.hasPrefix("-") else { throw refusal("invalid characters") }
    }

    var description: String {
        "ssh://" + (user.isEmpty ? "" : user + "@") + (name.contains(":") ? "[" + name + "]" : name)
            + (port.isEmpty ? "" : ":" + port) + socket
    }

    /// What ssh(1) is called with: it asks for nothing, as there is nobody on its streams to answer.
    var arguments: [String] {
        ["-o", "ConnectTimeout=30", "-T"] + (user.isEmpty ? [] : ["-l", user]) + (port.isEmpty ? [] : ["-p", port])
            + ["--", name, command]
    }

    /// Ours where there is one.
    private var command: String {
        let host = socket.isEmpty ? "" : " --host 'unix://\(socket)'"
        return "exec $(command -v swrun || echo docker)\(host) system dial-stdio"
    }

    /// Starts ssh, which ends when the connection is closed. What it has to say goes to our stderr.
    func connect() throws(ClientError) -> OwnedFD {
        guard let program = findExecutable("ssh") else {
            throw .broken("error during connect: \(description) needs ssh, which is not in PATH: install it")
        }
        do throws(SysError) {
            let ends = try UnixSocket.pair()
            var spawn = Spawn(program, arguments, environment: Environment.current())
            spawn.newSession = true  // signals of our terminal are not meant for it
            _ = try spawn.start(stdin: ends.second.raw, stdout: ends.second.raw, stderr: 2)
            return ends.first
        } catch {
            throw .broken("error during connect: " + error.description)
        }
    }

    /// What went wrong when ssh has ended without an answer.
    var failure: ClientError {
        .broken(
            "error during connect: command [ssh \(arguments.joined(separator: " "))] has ended without an answer, make "
                + "sure the URL is valid, and swrun, or Docker 18.09 or later, is installed on the remote host")
    }
}
