// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem
import TTRPC

/// One run of `criu swrk`, which takes a request over a socket, tells how far it is, and ends when it is done:
/// ```
/// this program                                criu
///    │ ── request ────────────────────────────▶ │
///    │ ◀─────── notify (with a descriptor) ──── │   any number of times
///    │ ── acknowledgement ────────────────────▶ │
///    │ ◀──────────────────────────── response ──│
/// ```
/// It has our standard streams, and the descriptors that are not close-on-exec.
struct CriuRun: ~Copyable {
    let pid: Int32
    private let socket: OwnedFD

    init() throws(RuntimeError) {
        let program = try findProgram("criu", path: Environment.value("PATH"))
        let sockets = try step("run criu") { () throws(SysError) in try UnixSocket.pair(packets: true) }
        let ours = sockets.first
        let number = try inheritable(sockets.second)
        defer { close(number) }  // or its end would not be seen
        pid = try step("run criu") { () throws(SysError) in
            var spawn = Spawn(FilePath(program), ["swrk", String(number)], environment: Environment.current())
            spawn.keepsDescriptors = true
            return try spawn.start(stdin: 0, stdout: 1, stderr: 2)
        }
        socket = ours
    }

    /// Returns when it is done; `notified` gets what it tells meanwhile.
    consuming func perform(
        _ request: CriuRequest, notified: (CriuResponse, consuming OwnedFD?) throws(RuntimeError) -> Void
    ) throws(RuntimeError) {
        do throws(RuntimeError) {
            try step("talk to criu") { () throws(SysError) in try writeAll(socket, request.bytes) }
            while let response = try receive(notified) {
                if response.type != CriuResponse.notify { return try finish(response, request) }
                try step("talk to criu") { () throws(SysError) in try writeAll(socket, CriuResponse.acknowledgement) }
            }
        } catch {
            kill(pid, SIGKILL)
            _ = try? waitForChild(pid)
            throw error
        }
        let end = try step("run criu") { () throws(SysError) in try waitForEnd(ofChild: pid) }
        throw RuntimeError("criu failed: " + end.text + "; log file: " + request.log.string)
    }

    /// The next message; nil if there is none any more.
    private borrowing func receive(
        _ notified: (CriuResponse, consuming OwnedFD?) throws(RuntimeError) -> Void
    ) throws(RuntimeError) -> CriuResponse? {
        var bytes = [UInt8](repeating: 0, count: 65536)
        var descriptor: CInt = -1
        var count: CInt = 1
        let number = socket.raw
        let length = try step("talk to criu") { () throws(SysError) in
            try sys("recvmsg") {
                count = 1
                return bytes.withUnsafeMutableBytes {
                    swrun_recv_fds(number, $0.baseAddress, $0.count, &descriptor, &count)
                }
            }
        }
        if length == 0 { return nil }
        let received = count == 1 ? OwnedFD(owning: descriptor) : nil
        guard let response = try? CriuResponse(parsing: Array(bytes.prefix(Int(length)))) else {
            throw RuntimeError("criu's answer makes no sense")
        }
        if response.type == CriuResponse.notify { try notified(response, received) }
        return response
    }

    private borrowing func finish(_ response: CriuResponse, _ request: CriuRequest) throws(RuntimeError) {
        _ = try? waitForChild(pid)
        if response.isSuccess { return }
        var details = errors(request.log).suffix(3).joined(separator: "; ")
        if details.isEmpty { details = response.errno == 0 ? "no reason given" : Errno(rawValue: response.errno).text }
        throw RuntimeError("criu failed: " + details + "; log file: " + request.log.string)
    }

    /// What made criu give up is among its last errors in the log; its answer has the first one, which may be of something
    /// that it could do without. A line is `(time) Error (place): text`, or `(time) PID: Error (place): text`.
    private func errors(_ log: FilePath) -> [String] {
        guard let text = try? readText(log, limit: 64 << 20) else { return [] }
        return text.split(separator: "\n").compactMap { line in
            guard line.hasPrefix("("), let start = line.firstIndex(of: "E") else { return nil }
            return line[start...].hasPrefix("Error (") ? String(line[start...]) : nil
        }
    }
}

/// The number of a descriptor that criu gets as well. It stays open: this program ends soon.
func inheritable(_ file: consuming OwnedFD) throws(RuntimeError) -> CInt {
    let number = file.relinquish()
    try step("") { () throws(SysError) in try sys("fcntl") { swrun_fcntl(number, F_SETFD, 0) } }
    return number
}
