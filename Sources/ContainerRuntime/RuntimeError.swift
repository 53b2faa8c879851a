// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import OCISpec

/// Why a command of the runtime failed, as one line for people and for the callers that search it.
package struct RuntimeError: Error, Sendable, Equatable {
    package var message: String

    package init(_ message: String) { self.message = message }
}

/// Runs one step and says which one it was if it fails.
@discardableResult
func step<R: ~Copyable>(
    _ what: @autoclosure () -> String, _ body: () throws(SysError) -> R
) throws(RuntimeError) -> R {
    do throws(SysError) { return try body() } catch {
        let context = what()
        throw RuntimeError(context.isEmpty ? error.description : context + ": " + error.description)
    }
}

/// As `step`, for a part of the spec that makes no sense.
func valid<R>(_ body: () throws(RuntimeSpecError) -> R) throws(RuntimeError) -> R {
    do throws(RuntimeSpecError) { return try body() } catch { throw RuntimeError(error.message) }
}
