// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import JSON
import LinuxSystem

/// A `docker-credential-NAME` program, which keeps credentials for us (docker's credential helper protocol: one word as
/// the argument, JSON or a server's name on standard input, JSON on standard output).
struct CredentialHelper {
    let name: String

    /// The user name that stands for "the secret is an identity token".
    private static let tokenUser = "<token>"
    private static let nothingFound = "credentials not found in native keychain"

    private var program: String { "docker-credential-" + name }

    /// nil if the helper has nothing for the server.
    func get(_ server: String) throws -> Credentials? {
        let (output, isFine) = try call("get", input: server)
        if !isFine {
            if output.contains(Self.nothingFound) { return nil }
            throw failure("get", output)
        }
        guard let json = try? JSONValue(parsing: Array(output.utf8)), let secret = json["Secret"]?.string else {
            throw CommandFailure("error getting credentials - \(program) answered no JSON")
        }
        let user = json["Username"]?.string ?? ""
        return user == Self.tokenUser
            ? Credentials(identityToken: secret) : Credentials(username: user, password: secret)
    }

    func store(_ credentials: Credentials, for server: String) throws {
        let isToken = !credentials.identityToken.isEmpty
        let input: JSONValue = [
            "ServerURL": .string(server), "Username": .string(isToken ? Self.tokenUser : credentials.username),
            "Secret": .string(isToken ? credentials.identityToken : credentials.password),
        ]
        let (output, isFine) = try call("store", input: input.serialized())
        if !isFine { throw failure("store", output) }
    }

    func erase(_ server: String) throws {
        let (output, isFine) = try call("erase", input: server)
        if !isFine, !output.contains(Self.nothingFound) { throw failure("erase", output) }
    }

    /// The servers that it has something for.
    func servers() throws -> [String] {
        let (output, isFine) = try call("list", input: "unused")
        guard isFine, let members = (try? JSONValue(parsing: Array(output.utf8)))?.members else {
            throw failure("list", output)
        }
        return members.map(\.key)
    }

    private func failure(_ verb: String, _ output: String) -> CommandFailure {
        let what = ["get": "getting", "store": "storing", "erase": "erasing", "list": "listing"][verb] ?? verb
        return CommandFailure("error \(what) credentials - err: exit status 1, out: `\(output.trimmed)`")
    }

    /// Runs the program to its end: what it printed, and whether it exited with 0.
    private func call(_ verb: String, input: String) throws -> (output: String, isFine: Bool) {
        guard let path = findExecutable(program) else {
            throw CommandFailure(
                "error getting credentials - err: exec: \"\(program)\": executable file not found in $PATH")
        }
        let spawn = Spawn(path, [verb], environment: Environment.current())
        let given = try makeMemoryFile("credentials")
        try writeAll(given, Array((input + "\n").utf8))
        let number = given.raw
        lseek(number, 0, SEEK_SET)
        return try Pipe().withEnds { (outputEnd, itsEnd) throws in
            let pid = try spawn.start(stdin: number, stdout: itsEnd.raw, stderr: 2)
            _ = consume itsEnd
            let output = try readAll(outputEnd, limit: 1 << 20, name: program)
            var status: CInt = 0
            while waitpid(pid, &status, 0) < 0, Errno.current == .interrupted {}
            return (String(decoding: output, as: UTF8.self), status == 0)
        }
    }
}
