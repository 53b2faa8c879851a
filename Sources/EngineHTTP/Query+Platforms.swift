// SPDX-License-Identifier: Apache-2.0
import Engine
package import HTTPServer
import JSON
package import OCISpec

extension Query {
    /// Platforms as queries have them since API 1.46: JSON objects, one for each time the parameter is there.
    package func platforms(_ name: String) throws -> [Platform] {
        try all(name).filter { !$0.isEmpty }.map { text in
            guard let json = try? JSONValue(parsing: text), json.members != nil else {
                throw EngineError.invalidArgument("failed to parse platform: \(text)")
            }
            return try Platform(json)
        }
    }
}
