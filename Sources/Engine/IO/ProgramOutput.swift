// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem

/// Runs a small program of the host and takes what it prints.
enum ProgramOutput {
    private static let directories = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"]
    private static let limit = 8 << 20

    static func run(_ name: String, _ arguments: [String]) async throws -> String {
        guard let directory = directories.first(where: { exists(FilePath($0 + "/" + name)) }) else {
            throw EngineError.internal("\(name): executable file not found in $PATH")
        }
        let pipe = try Pipe()
        let path = FilePath(directory + "/" + name)
        let environment = ["PATH=" + directories.joined(separator: ":"), "LC_ALL=C"]
        let null = try open(FilePath("/dev/null"), O_RDWR)
        let complaints = try makeMemoryFile("stderr")
        let pid = try Spawn(path, arguments, environment: environment).start(
            stdin: null.raw, stdout: pipe.write.raw, stderr: complaints.raw)
        let output = try await ProgramOutput.read(pipe.read, closing: pipe.write)
        let code = try waitForChild(pid)
        guard code == 0 else {
            // Programs of this kind say in their first line why they fail.
            let reason = try readText(FilePath("/proc/self/fd/\(complaints.raw)")).split(separator: "\n").first
            throw EngineError.internal("\(name): " + (reason.map { String($0) } ?? "exit status \(code)"))
        }
        return output
    }

    private static func read(_ end: consuming OwnedFD, closing other: consuming OwnedFD) async throws -> String {
        _ = consume other
        try end.setNonBlocking()
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            switch readNonBlocking(end, into: &buffer) {
            case .bytes(let count):
                output += buffer[..<count]
                if output.count > limit { throw EngineError.internal("the output is too long") }
            case .wouldBlock: try await waitUntilReadable(end.raw)
            case .ended: return String(decoding: output, as: UTF8.self)
            }
        }
    }
}
