// SPDX-License-Identifier: Apache-2.0
package import DockerClient
import LinuxSystem

/// Joins our own standard streams to a container's over a hijacked connection, in one poll loop:
///
///     stdin ──(detach keys)──▶ connection ──▶ container
///     stdout, stderr ◀──(frames, or raw with a terminal)── connection
///     signals ──▶ `onSignal`, a changed window ──▶ `onResize`
///
/// Make it before the container starts: from then on signals wait here instead of ending us.
package final class AttachedStreams {
    package enum Ending: Sendable, Equatable {
        /// The container's output has ended.
        case outputEnded
        case detached
        /// A signal that is not passed on to the container.
        case interrupted(Int32)
    }

    package struct Options: Sendable {
        package var hasTerminal: Bool
        package var stdin: Bool
        package var stdout = true
        package var stderr = true
        package var detachKeys: String
        /// Whether signals go to the container.
        package var proxiesSignals: Bool

        package init(hasTerminal: Bool, stdin: Bool, detachKeys: String, proxiesSignals: Bool) {
            self.hasTerminal = hasTerminal
            self.stdin = stdin
            self.detachKeys = detachKeys
            self.proxiesSignals = proxiesSignals
        }
    }

    private let connection: HijackedConnection
    private let options: Options
    private let output = Output()
    private var keys: DetachKeys
    private var frames = FrameDecoder()
    private var readsInput: Bool
    private var signals: SignalDescriptor
    /// Sends a signal's name to the container.
    package var onSignal: (String) -> Void = { _ in }
    /// Tells the container the size of our terminal.
    package var onResize: (_ columns: UInt16, _ rows: UInt16) -> Void = { _, _ in }

    package init(_ connection: HijackedConnection, _ options: Options) throws {
        self.connection = connection
        self.options = options
        keys = try DetachKeys(option: options.detachKeys)
        readsInput = options.stdin
        signals = try SignalDescriptor(nonBlocking: true)
    }

    /// Runs until the container's output ends or the user detaches. The terminal is raw meanwhile.
    package func run() throws -> Ending {
        let isRaw = options.hasTerminal && options.stdin && TerminalMode.isTerminal(0)
        let before = isRaw ? try TerminalMode.makeRaw(0) : nil
        defer { if let before { TerminalMode.restore(0, before) } }
        let ending = try loop()
        return ending
    }

    /// Tells the container the present size; to be called once it has started.
    package func resize() {
        guard options.hasTerminal, let size = TerminalMode.size(1) ?? TerminalMode.size(0) else { return }
        if size.rows > 0 || size.columns > 0 { onResize(size.columns, size.rows) }
    }

    private func loop() throws -> Ending {
        while true {
            var descriptors = [connection.descriptor, signals.raw]
            if readsInput, !connection.hasQueued { descriptors.append(0) }
            // What was read ahead with the headers is not known to poll(2).
            let ready =
                connection.hasBuffered
                ? [0] : try waitReadable(descriptors, writable: connection.hasQueued ? connection.descriptor : nil)
            if ready.contains(1), let ending = takeSignals() { return ending }
            if ready.contains(0), try !forwardOutput() { return .outputEnded }
            guard ready.contains(2) else { continue }
            if connection.hasQueued {
                sendQueued()
            } else if try !forwardInput() {
                return .detached
            }
        }
    }

    // MARK: Directions

    /// False at the end of the output.
    private func forwardOutput() throws -> Bool {
        let bytes = try connection.receive()
        if bytes.isEmpty { return false }
        if options.hasTerminal {
            if options.stdout { try StandardStreams.write(1, bytes) }
            return true
        }
        let pieces: [FrameDecoder.Piece]
        do throws(FrameDecoder.Malformed) { pieces = try frames.decode(bytes) } catch {
            throw CommandFailure("unrecognized input header: \(error.stream)")
        }
        for piece in pieces {
            if piece.stream == 3 { throw CommandFailure(String(decoding: piece.bytes, as: UTF8.self)) }
            let wanted = piece.stream == 2 ? options.stderr : options.stdout
            if wanted { try StandardStreams.write(piece.stream == 2 ? 2 : 1, piece.bytes) }
        }
        return true
    }

    /// False when the user has typed the detach keys.
    private func forwardInput() throws -> Bool {
        let bytes = (try? StandardStreams.readInput()) ?? []
        if bytes.isEmpty {
            readsInput = false
            connection.closeWriting()
            return true
        }
        guard options.hasTerminal else {
            connection.queue(bytes)
            return true
        }
        let (passed, isDetached) = keys.pass(bytes)
        if isDetached { _ = try? connection.send(passed) } else { connection.queue(passed) }
        return !isDetached
    }

    /// A container that has closed its input still has output for us: the end comes from there.
    private func sendQueued() {
        do { try connection.sendQueued() } catch { readsInput = false }
    }

    private func takeSignals() -> Ending? {
        while let signal = signals.next() {
            switch signal {
            case SignalNames.child, SignalNames.pipe, SignalNames.urgent: continue
            case SignalNames.windowChange: resize()
            case _ where options.proxiesSignals: onSignal(SignalNames.name(signal))
            case SignalNames.interrupt, SignalNames.terminate, SignalNames.hangup, SignalNames.quit:
                return .interrupted(signal)
            default: continue
            }
        }
        return nil
    }
}
