// SPDX-License-Identifier: Apache-2.0

/// Paths of the Engine API for objects that users name, with the name as one safe segment.
package enum APIPath {
    package static func container(_ name: String) -> String { "/containers/" + segment(name) }
    package static func image(_ name: String) -> String { "/images/" + segment(name) }
    package static func network(_ name: String) -> String { "/networks/" + segment(name) }
    package static func volume(_ name: String) -> String { "/volumes/" + segment(name) }

    /// `name` with everything but RFC 3986's unreserved characters as `%XX`.
    package static func segment(_ name: String) -> String { percentEncoded(name, spaceAsPlus: false) }
}
