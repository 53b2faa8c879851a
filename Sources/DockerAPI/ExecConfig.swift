// SPDX-License-Identifier: Apache-2.0
package import JSON

/// The body of `POST /containers/{id}/exec`.
package struct ExecConfig: Sendable, Equatable {
    package var user: String
    package var privileged: Bool
    package var tty: Bool
    package var attachStdin: Bool
    package var attachStdout: Bool
    package var attachStderr: Bool
    package var detachKeys: String
    package var env: [String]
    package var workingDirectory: String
    package var command: [String]
    /// Rows and columns of the terminal; nil if the client does not say.
    package var consoleSize: ConsoleSize?

    package init(json: JSONValue) throws(FieldError) {
        let table = FieldTable(
            "ExecConfig",
            [
                .init("User", .string), .init("Privileged", .bool), .init("Tty", .bool), .init("AttachStdin", .bool),
                .init("AttachStderr", .bool), .init("AttachStdout", .bool), .init("DetachKeys", .string),
                .init("Env", .strings), .init("WorkingDir", .string), .init("Cmd", .strings),
                .init("ConsoleSize", .array),
            ])
        let body = try table.normalize(json)
        user = body["User"]?.string ?? ""
        privileged = body["Privileged"]?.bool ?? false
        tty = body["Tty"]?.bool ?? false
        attachStdin = body["AttachStdin"]?.bool ?? false
        attachStdout = body["AttachStdout"]?.bool ?? false
        attachStderr = body["AttachStderr"]?.bool ?? false
        detachKeys = body["DetachKeys"]?.string ?? ""
        env = body["Env"]?.strings ?? []
        workingDirectory = body["WorkingDir"]?.string ?? ""
        command = body["Cmd"]?.strings ?? []
        consoleSize = ConsoleSize(json: body["ConsoleSize"])
    }
}

/// The size of a terminal as clients send it: `[rows, columns]`.
package struct ConsoleSize: Sendable, Equatable {
    package var height: Int64
    package var width: Int64

    /// nil if `json` is not a pair of numbers.
    package init?(json: JSONValue?) {
        guard let numbers = json?.array?.compactMap(\.int), numbers.count == 2 else { return nil }
        (height, width) = (numbers[0], numbers[1])
    }
}
