// SPDX-License-Identifier: Apache-2.0
import LinuxSystem

/// The codes of detach keys as a request names them.
package func detachKeys(_ text: String) throws(EngineError) -> [UInt8] {
    do throws(DetachKeys.UnknownKey) { return try DetachKeys.parse(text) } catch {
        throw .invalidArgument("Invalid escape keys (\(text)) provided")
    }
}
