// SPDX-License-Identifier: Apache-2.0
package import JSON

/// A body of JSON documents one after another (events, progress, statistics), whatever separates them.
package final class JSONLines {
    package let response: HTTPResponse
    private var pending: [UInt8] = []
    private var scanned = 0
    private var depth = 0
    private var inString = false
    private var escaped = false

    package init(_ response: HTTPResponse) {
        self.response = response
    }

    /// The next document; nil at the end of the stream. Blocks until one is complete.
    package func next() throws(ClientError) -> JSONValue? {
        while true {
            if let document = try buffered() { return document }
            guard let bytes = try response.read() else {
                if pending.contains(where: { $0 > 32 }) { throw .broken("unexpected EOF") }
                return nil
            }
            pending += bytes
        }
    }

    /// The next document if it has arrived completely already.
    package func buffered() throws(ClientError) -> JSONValue? {
        guard let end = scan() else { return nil }
        let document = Array(pending[..<end])
        pending.removeFirst(end)
        scanned = 0
        do throws(JSONError) { return try JSONValue(parsing: document) } catch {
            throw .broken("invalid JSON from the daemon: " + error.description)
        }
    }

    /// The end of the first object in `pending`, found by counting braces outside strings.
    private func scan() -> Int? {
        while scanned < pending.count {
            let byte = pending[scanned]
            scanned += 1
            if inString {
                if escaped {
                    escaped = false
                } else if byte == UInt8(ascii: "\\") {
                    escaped = true
                } else if byte == UInt8(ascii: "\"") {
                    inString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): inString = true
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                if depth == 0 { return scanned }
            default: break
            }
        }
        return nil
    }
}
