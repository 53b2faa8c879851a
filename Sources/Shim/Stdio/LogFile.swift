// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem

/// A container's json-file log: `path`, and when it is full `path.1` (the newest old one), `path.2`, … Others may
/// compress old files (`path.1.gz`); names change only under a lock on the directory, theirs and ours.
///
/// Never throws once it is open: a full disk costs log lines, not the container. Entries are written whole or not at
/// all, so the file parses whatever happens.
final class LogFile {
    private let settings: LogSettings
    private let path: FilePath
    private var file: OwnedFD
    private var size: Int64
    private var encoders: [JSONLogEncoder]
    private var pending: [UInt8] = []

    init(_ settings: LogSettings) throws(SysError) {
        self.settings = settings
        path = FilePath(settings.path)
        encoders = [
            JSONLogEncoder(stream: "stdout", attributes: settings.attributes),
            JSONLogEncoder(stream: "stderr", attributes: settings.attributes),
        ]
        file = try LinuxSystem.open(path, O_WRONLY | O_APPEND | O_CREAT, mode: 0o640)
        size = Int64(try status(file).st_size)
    }

    /// Logs output of stream 1 (stdout) or 2 (stderr).
    func append(_ stream: UInt8, _ bytes: ArraySlice<UInt8>) {
        let time = Array(Timestamp.now.rfc3339().utf8)
        var rest = bytes
        while !rest.isEmpty {
            let piece = rest.prefix(2048)  // bounds what many short lines grow to
            rest = rest.dropFirst(2048)
            encoders[stream == 2 ? 1 : 0].encode(piece, time: time, into: &pending)
            if pending.count >= 16384 { flush() }
        }
        flush()
    }

    /// Logs what has no newline yet: the output is at its end.
    func finish() {
        let time = Array(Timestamp.now.rfc3339().utf8)
        for index in encoders.indices { encoders[index].finish(time: time, into: &pending) }
        flush()
    }

    private func flush() {
        guard !pending.isEmpty else { return }
        if let limit = settings.maximumBytes, size >= limit { rotate() }
        do throws(SysError) {
            try writeAll(file, pending)
            size += Int64(pending.count)
        } catch {
            let number = file.raw
            _ = ftruncate(number, off_t(size))  // take half an entry back
        }
        pending.removeAll(keepingCapacity: true)
    }

    /// Shifts the old files and begins a new one. While another has the names locked, or when a step fails, the log goes
    /// on in the same file: output never waits for a reader.
    private func rotate() {
        _ = try? withLockedDirectory(path.parent, waits: false) { () throws(SysError) in
            if settings.maximumFiles > 1 { shift() }
            file = try LinuxSystem.open(path, O_WRONLY | O_APPEND | O_CREAT | O_TRUNC, mode: 0o640)
            size = 0
        }
    }

    private func shift() {
        var number = settings.maximumFiles - 1
        _ = try? removeFile(old(number))
        _ = try? removeFile(compressed(number))
        while number > 1 {
            _ = try? rename(old(number - 1), old(number))
            _ = try? rename(compressed(number - 1), compressed(number))
            number -= 1
        }
        _ = try? rename(path, old(1))
    }

    private func compressed(_ number: Int) -> FilePath { FilePath(old(number).string + ".gz") }

    private func old(_ number: Int) -> FilePath { FilePath(path.string + "." + String(number)) }
}
