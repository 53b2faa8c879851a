// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem

/// The conversation between the launcher and the process it made, over a socket pair that ends at the process's execve:
/// ```
/// launcher                              child
///    │ ── go ────────────────────────────▶ │   only with a user namespace: its id maps are written
///    │ ◀───────────────────────── mapping ─┤   for each id-mapped bind of what another mount has brought
///    ├─ go ──────────────────────────────▶ │   the copy is mapped
///    │ ◀──────────────────────── prepared ─┤   only with hooks: everything is mounted, the root is not entered yet
///    ├─ go ──────────────────────────────▶ │   the hooks of the host have run
///    │ ◀─────────────────────── listening ─┤   only with a seccomp listener: its filter is loaded
///    ├─ go ──────────────────────────────▶ │   the agent has the listener
///    │ ◀─────────────────────────── ready ─┤   nothing is left but waiting and execve
///    ├─ go ──────────────────────────────▶ │   limits are set, the container is recorded
///    │ ◀────────────────── end of stream ──┤   the program runs
/// ```
/// At any point the child may send `failed` with a text instead, and end. A launcher that dies closes its end, and the
/// child ends too.
enum ChildMessage: Equatable {
    case prepared
    case ready
    /// This descriptor of the child is a copy of what a mount binds, to be id-mapped as that mount says.
    case mapping(Int32, mount: Int32)
    /// The filter is loaded, and this descriptor of the child is its listener (seccomp_unotify(2)).
    case listening(Int32)
    case failed(String)
    /// The child closed its end: it runs its program, or it died.
    case ended
}

/// Child to launcher: one byte for the kind, and for `failed` the text up to the end of the stream.
private enum Kind {
    static let prepared = UInt8(ascii: "P")
    static let ready = UInt8(ascii: "R")
    static let mapping = UInt8(ascii: "M")
    static let listening = UInt8(ascii: "L")
    static let failed = UInt8(ascii: "F")
    static let go = UInt8(ascii: "G")
}

private let maximumText = 65536

/// The launcher's end.
struct LauncherChannel: ~Copyable {
    let socket: OwnedFD

    borrowing func receive() throws(SysError) -> ChildMessage {
        guard let kind = try readSome(socket, upTo: 1).first else { return .ended }
        switch kind {
        case Kind.prepared: return .prepared
        case Kind.ready: return .ready
        case Kind.mapping:
            guard let descriptor = try number(), let mount = try number() else { return .ended }
            return .mapping(descriptor, mount: mount)
        case Kind.listening:
            guard let descriptor = try number() else { return .ended }
            return .listening(descriptor)
        default:
            let text = try readAll(socket, limit: maximumText)
            return .failed(String(decoding: text, as: UTF8.self))
        }
    }

    /// Part of a message; nil if that is cut off.
    private borrowing func number() throws(SysError) -> Int32? {
        let bytes = try readSome(socket, upTo: 4)
        return bytes.count == 4 ? bytes.reversed().reduce(Int32(0)) { $0 << 8 | Int32($1) } : nil
    }

    borrowing func sendGo() throws(SysError) { try writeAll(socket, [Kind.go]) }
}

/// A number as it is sent.
private func bytes(_ number: Int32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) } }

/// The child's end.
struct ChildChannel: ~Copyable {
    let socket: OwnedFD

    borrowing func send(_ message: ChildMessage) throws(SysError) {
        switch message {
        case .prepared: try writeAll(socket, [Kind.prepared])
        case .ready: try writeAll(socket, [Kind.ready])
        case .mapping(let descriptor, let mount):
            try writeAll(socket, [Kind.mapping] + bytes(descriptor) + bytes(mount))
        case .listening(let descriptor):
            // In one write(2), the only call that a filter with a listener may not hand to it.
            try writeAll(socket, [Kind.listening] + bytes(descriptor))
        case .failed(let text): try writeAll(socket, [Kind.failed] + Array(text.utf8.prefix(maximumText)))
        case .ended: break
        }
    }

    /// Waits for the launcher's word; it is an error if it has died.
    borrowing func waitForGo() throws(SysError) {
        guard try readSome(socket, upTo: 1).first == Kind.go else {
            throw SysError("wait for the launcher", "", .brokenPipe)
        }
    }
}

/// A descriptor of the other process, of which a message gave the number (pidfd_getfd(2)).
func fetchDescriptor(_ number: Int32, of process: borrowing OwnedFD) throws(SysError) -> OwnedFD {
    let pidfd = process.raw
    return OwnedFD(owning: try sys("pidfd_getfd") { swrun_pidfd_getfd(pidfd, number) })
}
