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
        while true {
            let ready = try waitReadable(
                [connection.descriptor] + (readsInput && !connection.hasQueued ? [0] : []),
                writable: connection.hasQueued ? connection.descriptor : nil)
            if ready.contains(1), connection.hasQueued {
                try connection.sendQueued()
            } else if ready.contains(1) {
                let bytes = try StandardStreams.readInput()
                connection.queue(bytes)
                if bytes.isEmpty {
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
