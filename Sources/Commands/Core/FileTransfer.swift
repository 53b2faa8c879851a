// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import LinuxSystem

/// Request bodies from a file or standard input.
enum FileInput {
    /// - Parameter path: nil means standard input.
    static func stream(_ path: String?) throws -> DockerClient.Body {
        guard let path else {
            return .stream(contentType: "application/x-tar") { () throws(ClientError) in
                do throws(SysError) {
                    let bytes = try StandardStreams.readInput()
                    return bytes.isEmpty ? nil : bytes
                } catch { throw .broken(error.description) }
            }
        }
        let file = try FileReader(path)
        return .stream(contentType: "application/x-tar") { () throws(ClientError) in try file.next() }
    }
}

/// A file that is read piece by piece.
private final class FileReader {
    private let fd: OwnedFD

    init(_ path: String) throws {
        do throws(SysError) { fd = try open(FilePath(path), 0) } catch {
            throw CommandFailure("open " + path + ": " + error.errno.text)
        }
    }

    func next() throws(ClientError) -> [UInt8]? {
        do throws(SysError) {
            let bytes = try readSome(fd, upTo: 1 << 16)
            return bytes.isEmpty ? nil : bytes
        } catch { throw .broken(error.description) }
    }
}

/// Answers that go to `--output` or standard output.
enum FileOutput {
    /// The file appears under its name only when it is complete.
    static func save(_ call: Invocation, _ verb: String, _ fetch: () throws -> HTTPResponse) throws {
        guard let path = call.flags.optional("output"), !path.isEmpty else {
            if call.output.isTerminal {
                throw CommandFailure("cowardly refusing to save to a terminal. Use the -o flag or redirect")
            }
            let response = try fetch()
            while let bytes = try response.read() { try StandardStreams.write(1, bytes) }
            return
        }
        let target = FilePath(path)
        if !exists(target.parent) {
            throw CommandFailure(
                "invalid output path: directory " + target.parent.string.quoted + " does not exist")
        }
        let response = try fetch()
        let temporary = FilePath(path + ".tmp-" + String(monotonicNanoseconds()))
        do {
            let fd = try open(temporary, 0o1 | 0o100 | 0o200, mode: 0o600)  // O_WRONLY|O_CREAT|O_EXCL
            while let bytes = try response.read() { try writeAll(fd, bytes) }
            try rename(temporary, target)
        } catch {
            _ = try? removeFile(temporary)
            throw error
        }
    }
}
