// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem

/// The attach socket of one process: any number of clients see its output, and may write to its stdin.
///
/// A client that reads too slowly has its output queued. When the queue is full, the process is not read from any more
/// (so it blocks on its output, and nothing is lost for anybody) until the client has caught up; one that does not do
/// so in time is dropped.
final class AttachServer {
    static let maximumQueue = 1 << 20
    static let patienceMilliseconds: Int64 = 10_000

    private let loop: EventLoop
    private let path: FilePath
    private let listener: OwnedFD
    private var token: EventLoop.Token?
    private var clients: [AttachClient] = []
    private var finished = false
    private var readsInput = true

    var onInput: ((ArraySlice<UInt8>) -> Void)?
    var onInputEnd: (() -> Void)?
    /// Called when no queue is too long any more.
    var onRelief: (() -> Void)?

    init(path: FilePath, loop: EventLoop) throws(SysError) {
        self.loop = loop
        self.path = path
        listener = try UnixSocket.listen(path, mode: 0o600)
        try listener.setNonBlocking()
        let number = listener.raw
        token = try loop.watch(number, .readable) { [self] _ in accept() }
    }

    /// Some client has a queue that is too long.
    var isCongested: Bool { clients.contains { $0.patience != nil } }

    func broadcast(_ stream: UInt8, _ bytes: ArraySlice<UInt8>) {
        for client in clients {
            client.send(stream, bytes)
            if client.queued > Self.maximumQueue { beginPatience(client) }
        }
    }

    /// Stops or goes on reading stdin from all clients.
    func setReadsInput(_ reads: Bool) {
        guard reads != readsInput else { return }
        readsInput = reads
        for client in clients { client.setReadsInput(reads) }
    }

    /// The output is complete: connections end when they have it all, new ones at once.
    func finish() {
        finished = true
        for client in clients { client.finish() }
    }

    /// Takes the socket away. Clients that have not read everything yet keep their connections.
    func close() {
        guard let token else { return }
        self.token = nil
        loop.unwatch(token)
        _ = try? removeFile(path)
        onInput = nil
        onInputEnd = nil
        onRelief = nil
        finish()
    }

    private func accept() {
        guard let socket = try? UnixSocket.accept(listener, nonBlocking: true), let user = try? peerUser(socket),
            user == 0 || user == geteuid(), let client = try? AttachClient(socket, loop: loop, server: self)
        else { return }
        client.setReadsInput(readsInput)
        clients.append(client)
    }

    private func beginPatience(_ client: AttachClient) {
        guard client.patience == nil else { return }
        client.patience = loop.after(milliseconds: Self.patienceMilliseconds) { client.close() }
    }

    // MARK: Called by clients

    func didRegister(_ client: AttachClient) {
        if finished { client.finish() }
    }

    func didReceiveInput(_ bytes: ArraySlice<UInt8>) { onInput?(bytes) }

    func didEndInput() { onInputEnd?() }

    func didDrain(_ client: AttachClient) {
        guard let patience = client.patience, client.queued < Self.maximumQueue / 2 else { return }
        loop.cancel(patience)
        client.patience = nil
        if !isCongested { onRelief?() }
    }

    func remove(_ client: AttachClient) {
        let wasCongested = isCongested
        clients.removeAll { $0 === client }
        if wasCongested && !isCongested { onRelief?() }
    }
}
