// SPDX-License-Identifier: Apache-2.0
package import Engine
package import HTTPServer

extension Query {
    /// A decimal number; nil if absent or empty, 400 if it is no number.
    package func int(_ name: String) throws(EngineError) -> Int? {
        guard let text = get(name), !text.isEmpty else { return nil }
        guard let value = Int(text) else {
            throw .invalidArgument("strconv.Atoi: parsing \"\(text)\": invalid syntax")
        }
        return value
    }
}
