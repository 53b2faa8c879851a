// SPDX-License-Identifier: Apache-2.0
import DockerClient
import LinuxSystem

/// `swrun system dial-stdio`, which a client on another machine starts by ssh(1): our streams become its connection.
enum SystemDialStdio {
    static let command = Command(
        "system dial-stdio", usage: "", "Pass stdin and stdout on to the daemon", arity: .none, isHidden: true, run: run
    )

    static func run(_ call: Invocation) throws {
        let connection = try call.client.dial()
        var readsInput = true
        // Taken by the connection bit by bit: it may be full until we have taken what comes back.
        var pending: ArraySlice<UInt8> = []
        while true {
            let ready = try waitReadable(
                [connection.descriptor] + (readsInput && pending.isEmpty ? [0] : []),
                writable: pending.isEmpty ? nil : connection.descriptor)
            if ready.contains(1), !pending.isEmpty {
                pending = pending.dropFirst(try connection.sendSome(pending))
            } else if ready.contains(1) {
                pending = try StandardStreams.readInput()[...]
                if pending.isEmpty {
                    readsInput = false
                    connection.closeWriting()
                }
            }
            if ready.contains(0) {
                let bytes = try connection.receive()
                if bytes.isEmpty { return }
                try StandardStreams.write(1, bytes)
            }
        }
    }
}
