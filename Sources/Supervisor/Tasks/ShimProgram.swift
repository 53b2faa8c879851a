// SPDX-License-Identifier: Apache-2.0
import ContainerdAPI
import Glibc
import LinuxSystem
import SwiftProtobuf

/// How shims are found and run: containerd's shim v2 command line.
///
///     start:   in the bundle, prints the address of the socket that its daemonised child serves, and exits
///     delete:  kills and cleans up what a dead shim left, and prints a DeleteResponse
struct ShimProgram: Sendable {
    /// The supervisor's gRPC socket; the ttrpc twin is beside it.
    let supervisorAddress: FilePath
    /// Where swrun-shim is: beside our own program.
    let programs: FilePath
    let isDebug: Bool

    /// A shim that takes longer than this to start or to clean up is killed.
    private static let timeoutMilliseconds: CInt = 30_000

    private static let defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// The program for a container's runtime name, or for a path given in its place.
    func path(runtime name: String) throws(ServiceError) -> FilePath {
        if name.hasPrefix("/") { return FilePath(name) }
        let parts = name.split(separator: ".").map { String($0) }
        guard parts.count >= 2, let version = parts.last, !name.contains("/") else {
            throw ServiceError(.invalidArgument, "runtime name \"\(name)\" is not io.containerd.NAME.VERSION")
        }
        let kind = parts[parts.count - 2]
        if kind == "swrun" { return programs / "swrun-shim" }
        let program = "containerd-shim-\(kind)-\(version)"
        for directory in searchPath where access((directory / program).string, X_OK) == 0 {
            return directory / program
        }
        // The name that containerd's clients ask for if they are not told another: the standard runtime, which is ours here.
        if program == "containerd-shim-runc-v2" { return programs / "swrun-shim" }
        throw ServiceError(.notFound, "runtime \"\(name)\": no program \(program) in PATH")
    }

    private var searchPath: [FilePath] {
        let path = Environment.nonEmpty("PATH") ?? Self.defaultPath
        return [programs] + path.split(separator: ":").map { FilePath(String($0)) }
    }

    /// Starts the shim of a bundle and returns its socket. Blocks.
    func start(_ bundle: Bundle, program: FilePath, options: Google_Protobuf_Any?) throws -> FilePath {
        let input: [UInt8] = try options?.serializedBytes() ?? []
        let output = try run(program, bundle, arguments: [], action: "start", input: input)
        return try Self.address(output)
    }

    /// Has the shim's program kill and clean up what is left of the container. Blocks.
    func delete(_ bundle: Bundle, program: FilePath) throws -> Containerd_Task_V2_DeleteResponse {
        let arguments = ["-bundle", bundle.path.string]
        let output = try run(program, bundle, arguments: arguments, action: "delete", input: [])
        return try Containerd_Task_V2_DeleteResponse(serializedBytes: output)
    }

    /// Newer shims print JSON with an "address", older ones the address alone.
    static func address(_ output: [UInt8]) throws(ServiceError) -> FilePath {
        var text = String(decoding: output, as: UTF8.self).trimmingPrefix { $0.isWhitespace }[...]
        while text.last?.isWhitespace == true { text.removeLast() }
        if text.hasPrefix("{"), let key = text.firstRange(of: "\"unix://") {
            text = text[text.index(after: key.lowerBound)...].prefix { $0 != "\"" }
        }
        guard text.hasPrefix("unix:///") else {
            throw ServiceError(.internal, "shim printed no address: \"\(text.prefix(200))\"")
        }
        return FilePath(String(text.dropFirst("unix://".count)))
    }

    private func run(
        _ program: FilePath, _ bundle: Bundle, arguments: [String], action: String, input: [UInt8]
    ) throws -> [UInt8] {
        let stdin = try Self.input(input)
        let stdout = try Pipe()
        let stderr = try Pipe()
        let selfPath = try readLink(FilePath("/proc/self/exe"))
        var spawn = Spawn(
            program,
            ["-namespace", bundle.key.namespace, "-address", supervisorAddress.string]
                + ["-publish-binary", selfPath.string, "-id", bundle.key.id] + (isDebug ? ["-debug"] : [])
                + arguments + [action],
            environment: environment(bundle.key.namespace))
        spawn.directory = bundle.path
        spawn.newSession = true
        let pid = try spawn.start(stdin: stdin.raw, stdout: stdout.write.raw, stderr: stderr.write.raw)
        let status = try waitForChild(pid, timeoutMilliseconds: Self.timeoutMilliseconds)
        try stdout.read.setNonBlocking()
        try stderr.read.setNonBlocking()
        let output = (try? readSome(stdout.read, upTo: 1 << 16)) ?? []
        guard status == 0 else {
            let text = String(decoding: (try? readSome(stderr.read, upTo: 1 << 16)) ?? [], as: UTF8.self)
            let said = text + String(decoding: output, as: UTF8.self)
            throw ServiceError(
                .internal, "\(program.lastComponent) \(action) failed with status \(status): \(said.prefix(2000))")
        }
        return output
    }

    /// A descriptor from which a program reads `bytes` and then the end; they are far fewer than a pipe holds.
    private static func input(_ bytes: [UInt8]) throws(SysError) -> OwnedFD {
        let pipe = try Pipe()
        try writeAll(pipe.write, bytes)
        return try pipe.read.duplicate()
    }

    private func environment(_ namespace: String) -> [String] {
        let path = Environment.nonEmpty("PATH") ?? Self.defaultPath
        return [
            "PATH=" + path, "NAMESPACE=" + namespace, "TTRPC_ADDRESS=" + supervisorAddress.string + ".ttrpc",
            "GRPC_ADDRESS=" + supervisorAddress.string, "MAX_SHIM_VERSION=2", "GOMAXPROCS=2",
        ]
    }
}
