// SPDX-License-Identifier: Apache-2.0
import CYAML
import JSON

/// Reads a document in YAML as the JSON that says the same: libyaml's events, made into a tree. Aliases, which can make a
/// short text endless, and tags are refused.
struct YAMLReader {
    struct Failure: Error, Equatable { var message: String }

    private enum Event: Equatable {
        case scalar(String, isPlain: Bool)
        case sequence, sequenceEnd, mapping, mappingEnd
        /// A document or the stream begins or ends.
        case frame
        case streamEnd
    }

    private static let deepest = 64
    private let parser: UnsafeMutablePointer<yaml_parser_t>

    /// `null` for a text without a document.
    static func parse(_ text: String) throws(Failure) -> JSONValue {
        let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
        defer { parser.deallocate() }
        guard yaml_parser_initialize(parser) == 1 else { throw Failure(message: "out of memory") }
        defer { yaml_parser_delete(parser) }
        let bytes = Array(text.utf8)
        return try bytes.withUnsafeBufferPointer { (bytes) throws(Failure) in
            yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
            return try YAMLReader(parser: parser).onlyDocument()
        }
    }

    private func onlyDocument() throws(Failure) -> JSONValue {
        guard let first = try nextContent() else { return .null }
        let value = try value(first, depth: 0)
        guard try nextContent() == nil else { throw failure("a second document") }
        return value
    }

    /// What comes behind the frames; nil at the end.
    private func nextContent() throws(Failure) -> Event? {
        while true {
            let event = try next()
            if event == .streamEnd { return nil }
            if event != .frame { return event }
        }
    }

    private func value(_ event: Event, depth: Int) throws(Failure) -> JSONValue {
        guard depth < Self.deepest else { throw failure("nested too deep") }
        switch event {
        case .scalar(let text, let isPlain): return isPlain ? Self.scalar(text) : .string(text)
        case .sequence: return .array(try elements(depth: depth + 1))
        case .mapping: return .object(try members(depth: depth + 1))
        case .sequenceEnd, .mappingEnd, .frame, .streamEnd: throw failure("a value is missing")
        }
    }

    private func elements(depth: Int) throws(Failure) -> [JSONValue] {
        var elements: [JSONValue] = []
        while true {
            let event = try next()
            if event == .sequenceEnd { return elements }
            elements.append(try value(event, depth: depth))
        }
    }

    private func members(depth: Int) throws(Failure) -> [JSONValue.Member] {
        var members: [JSONValue.Member] = []
        var keys: Set<String> = []
        while true {
            let event = try next()
            if event == .mappingEnd { return members }
            guard case .scalar(let key, _) = event else { throw failure("a key that is no text") }
            guard keys.insert(key).inserted else { throw failure("\"\(key)\" for the second time") }
            members.append(JSONValue.Member(key, try value(try next(), depth: depth)))
        }
    }

    private func next() throws(Failure) -> Event {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else {
            throw failure(parser.pointee.problem.map { String(cString: $0) } ?? "not readable")
        }
        defer { yaml_event_delete(&event) }
        switch event.type {
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            guard scalar.tag == nil else { throw failure("tags are not known") }
            let text = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
            return .scalar(text, isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE)
        case YAML_SEQUENCE_START_EVENT: return .sequence
        case YAML_SEQUENCE_END_EVENT: return .sequenceEnd
        case YAML_MAPPING_START_EVENT: return .mapping
        case YAML_MAPPING_END_EVENT: return .mappingEnd
        case YAML_ALIAS_EVENT: throw failure("aliases are not known")
        case YAML_STREAM_END_EVENT: return .streamEnd
        default: return .frame
        }
    }

    /// Where the parser stands, and what is wrong there.
    private func failure(_ reason: String) -> Failure {
        Failure(message: "line \(parser.pointee.mark.line + 1): \(reason)")
    }

    /// The core schema (YAML 1.2, §10.3.2); numbers with a fraction stay text, since they are versions.
    private static func scalar(_ text: String) -> JSONValue {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return true
        case "false", "False", "FALSE": return false
        default: break
        }
        for (prefix, radix) in [("0x", 16), ("0o", 8)] where text.hasPrefix(prefix) {
            if let number = Int64(text.dropFirst(2), radix: radix) { return .int(number) }
        }
        return Int64(text).map { .int($0) } ?? .string(text)
    }
}
