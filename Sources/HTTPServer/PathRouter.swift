// SPDX-License-Identifier: Apache-2.0

/// Finds what is registered for a method and a path.
///
/// Patterns are written as docker writes its own: `/containers/{name}/json` takes one segment, `/images/{name:.*}/json`
/// takes one or more, and `/images/{name:.*}` the empty one of `/images/` as well.
/// The first pattern registered that matches wins.
package struct PathRouter<Handler: Sendable>: Sendable {
    private enum Segment: Sendable {
        case literal(String)
        case one(String)
        case many(String)
    }

    private struct Route: Sendable {
        var method: HTTPMethod
        var segments: [Segment]
        var handler: Handler
    }

    /// By the first literal segment, which every pattern has.
    private var routes: [String: [Route]] = [:]

    package init() {}

    package mutating func on(_ method: HTTPMethod, _ pattern: String, _ handler: Handler) {
        let parts = pattern.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map { String($0) }
        precondition(!parts.isEmpty && !parts[0].hasPrefix("{"), "a pattern begins with a literal: \(pattern)")
        let route = Route(method: method, segments: parts.map { Self.segment($0) }, handler: handler)
        routes[parts[0], default: []].append(route)
    }

    private static func segment(_ text: String) -> Segment {
        guard text.hasPrefix("{"), text.hasSuffix("}") else { return .literal(text) }
        let name = String(text.dropFirst().dropLast())
        if name.hasSuffix(":.*") { return .many(String(name.dropLast(3))) }
        return .one(name)
    }

    /// The handler and what its pattern's parameters matched; nil if there is none.
    package func match(
        _ method: HTTPMethod, _ path: String
    ) -> (handler: Handler, parameters: [(name: String, value: String)])? {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map { String($0) }
        guard let first = parts.first, let candidates = routes[first] else { return nil }
        for route in candidates where route.method == method {
            var parameters: [(name: String, value: String)] = []
            if Self.match(route.segments[...], parts[...], &parameters) { return (route.handler, parameters) }
        }
        return nil
    }

    /// A `.many` segment takes as much as lets the rest match.
    private static func match(
        _ segments: ArraySlice<Segment>, _ parts: ArraySlice<String>,
        _ parameters: inout [(name: String, value: String)]
    ) -> Bool {
        guard let segment = segments.first else { return parts.isEmpty }
        guard let part = parts.first else { return false }
        switch segment {
        case .literal(let text):
            return text == part && match(segments.dropFirst(), parts.dropFirst(), &parameters)
        case .one(let name):
            if part.isEmpty { return false }
            parameters.append((name, part))
            if match(segments.dropFirst(), parts.dropFirst(), &parameters) { return true }
            parameters.removeLast()
            return false
        case .many(let name):
            for count in stride(from: parts.count, to: 0, by: -1) {
                let value = parts.prefix(count).joined(separator: "/")
                if value.isEmpty, segments.count > 1 { continue }
                parameters.append((name, value))
                if match(segments.dropFirst(), parts.dropFirst(count), &parameters) { return true }
                parameters.removeLast()
            }
            return false
        }
    }
}
