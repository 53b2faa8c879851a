// SPDX-License-Identifier: Apache-2.0
package import LinuxSystem

extension DetachKeys {
    /// - Parameter text: a flag's or the configuration file's, e.g. `ctrl-p,ctrl-q` or `a,b`.
    package init(option text: String) throws {
        do throws(UnknownKey) { self.init(try Self.parse(text)) } catch {
            throw CommandFailure("invalid detach keys (" + text + "): Unknown character: '" + error.name + "'")
        }
    }
}
