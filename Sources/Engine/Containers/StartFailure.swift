// SPDX-License-Identifier: Apache-2.0

/// Why a start failed, as docker tells it: the status of the answer and the exit code that is recorded follow from the
/// runtime's words.
struct StartFailure: Sendable, Equatable {
    var error: EngineError
    var exitCode: Int32

    init(_ cause: EngineError) {
        let lower = cause.message.lowercased()
        guard Self.comesFromRuntime(lower) else {
            (error, exitCode) = (cause, 128)
            return
        }
        var message = "failed to create task for container: " + Self.stripped(cause.message)
        if lower.contains("executable file not found") || lower.contains("no such file or directory") {
            (error, exitCode) = (.invalidArgument(message), 127)
        } else if lower.contains("permission denied") || lower.contains("is a directory") {
            if !lower.contains("permission denied") { message += ": permission denied" }
            (error, exitCode) = (.invalidArgument(message), 126)
        } else if lower.contains("not a directory") {
            message +=
                ": Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path "
                + "exists and is the expected type"
            (error, exitCode) = (.invalidArgument(message), 127)
        } else {
            (error, exitCode) = (EngineError(.internal, message), 128)
        }
    }

    private static func comesFromRuntime(_ lower: String) -> Bool {
        lower.contains("oci runtime") || lower.contains("create failed") || lower.contains("container process")
    }

    /// The runtime's words in docker's frame, whatever part of it the layers below have put around them already.
    private static func stripped(_ message: String) -> String {
        let frame = "failed to create shim task: "
        let restore = "OCI runtime restore failed: "
        let runtime = message.contains(restore) ? restore : "OCI runtime create failed: "
        var text = message
        for prefix in ["failed to create task for container: ", frame, runtime] where text.hasPrefix(prefix) {
            text = String(text.dropFirst(prefix.count))
        }
        // Which stage of the runtime looked the program up is no news to the user.
        let program = "unable to start container process: "
        if let place = text.firstRange(of: program + "error during container init: exec: ") {
            text = text[..<place.lowerBound] + program + "exec: " + text[place.upperBound...]
        }
        if !text.hasSuffix(": unknown") { text += ": unknown" }
        return frame + runtime + text
    }
}
