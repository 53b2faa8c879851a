// SPDX-License-Identifier: Apache-2.0
import CLinux
import DockerClient
import Flags
import Glibc
import LinuxSystem

/// Request bodies from a file or standard input.
enum FileInput {
    /// - Parameter path: nil means standard input.
    static func stream(_ path: String?) throws -> DockerClient.Body {
        guard let path else {
            return .stream(contentType: "application/x-tar") { () throws(ClientError) in
                do throws(SysError) {
                    let bytes = try StandardStreams.readInput()
                    return bytes.isEmpty ? nil : .bytes(bytes)
                } catch { throw .source(error.description) }
            }
        }
        if let info = try? status(FilePath(path)), isRegularFile(info), let file = try? OpenFile(FilePath(path)) {
            var left = Int64(info.st_size)
            return .stream(contentType: "application/x-tar") { () throws(ClientError) in file.piece(of: &left) }
        }
        let file = try FileReader(path)
        return .stream(contentType: "application/x-tar") { () throws(ClientError) in try file.next() }
    }
}

/// A file of unknown length, such as a pipe, that is read piece by piece.
private final class FileReader {
    private let fd: OwnedFD
    private let path: String

    init(_ path: String) throws {
        self.path = path
        do throws(SysError) { fd = try open(FilePath(path), O_RDONLY) } catch {
            throw CommandFailure("open " + path + ": " + error.errno.text)
        }
    }

    func next() throws(ClientError) -> BodyPiece? {
        do throws(SysError) {
            let bytes = try readSome(fd, upTo: 1 << 16)
            return bytes.isEmpty ? nil : .bytes(bytes)
        } catch { throw .source("read " + path + ": " + error.errno.text) }
    }
}

/// Answers that go to `--output` or standard output.
enum FileOutput {
    /// The file appears under its name only when it is complete.
    ///
    /// - Parameter purpose: what failed if the path cannot be written to, e.g. `save image`.
    static func save(_ call: Invocation, _ purpose: String, _ fetch: () throws -> HTTPResponse) throws {
        guard let path = call.flags.optional("output"), !path.isEmpty else {
            if call.output.isTerminal {
                throw CommandFailure("cowardly refusing to save to a terminal. Use the -o flag or redirect")
            }
            let response = try fetch()
            while let bytes = try response.read() { try StandardStreams.write(1, bytes) }
            return
        }
        let target = FilePath(path)
        if let refusal = refusal(of: target) { throw CommandFailure("failed to " + purpose + ": " + refusal) }
        let response = try fetch()
        if let info = try? status(target, follow: false), Int32(info.st_mode) & S_IFMT != S_IFREG {
            // A link or a pipe is written to: renaming would replace it.
            let fd = try open(target, O_WRONLY | O_TRUNC)
            while let bytes = try response.read() { try writeAll(fd, bytes) }
            return
        }
        let temporary = FilePath(path + ".tmp-" + String(monotonicNanoseconds()))
        do {
            let fd = try open(temporary, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
            while let bytes = try response.read() { try writeAll(fd, bytes) }
            try rename(temporary, target)
        } catch {
            _ = try? removeFile(temporary)
            throw error
        }
    }

    /// Why nothing can be written to `target`, in docker's words; nil when something can.
    private static func refusal(of target: FilePath) -> String? {
        guard exists(target.parent) else {
            return "invalid output path: stat " + target.parent.string + ": no such file or directory"
        }
        guard let info = try? status(target) else { return nil }
        switch Int32(info.st_mode) & S_IFMT {
        case S_IFDIR: return "cannot write to a directory"
        case S_IFCHR: return "cannot write to a character device file"
        case S_IFBLK: return "cannot write to a device file"
        case S_IFSOCK: return "cannot write to a socket"
        default: return nil
        }
    }
}
