// SPDX-License-Identifier: Apache-2.0
import DockerAPI

/// Reads a line that has exactly the form in which we and docker write it, several times as fast as a JSON parser that
/// takes any. What has another form is left to that.
enum LogLineScanner {
    private static let log = Array(#"{"log":""#.utf8)
    private static let stdout = Array(#","stream":"stdout","#.utf8)
    private static let stderr = Array(#","stream":"stderr","#.utf8)
    private static let attributes = Array(#""attrs":"#.utf8)
    private static let time = Array(#""time":""#.utf8)
    private static let end = Array(#""}"#.utf8)
    private static let timeLengths = 20...35

    static func scan(_ line: ArraySlice<UInt8>) -> LogLine? {
        guard line.starts(with: log) else { return nil }
        var rest = line.dropFirst(log.count)
        guard let text = takeString(&rest) else { return nil }
        let stream: StreamFrame.Stream
        if rest.starts(with: stdout) {
            stream = .stdout
        } else if rest.starts(with: stderr) {
            stream = .stderr
        } else {
            return nil
        }
        rest = rest.dropFirst(stdout.count)
        var object: ArraySlice<UInt8> = []
        if rest.starts(with: attributes) {
            rest = rest.dropFirst(attributes.count)
            guard let taken = takeObject(&rest) else { return nil }
            object = taken
        }
        guard rest.starts(with: time) else { return nil }
        rest = rest.dropFirst(time.count)
        guard timeLengths.contains(rest.count - end.count), rest.suffix(end.count).elementsEqual(end) else {
            return nil
        }
        let moment = rest.dropLast(end.count)
        guard moment.last == UInt8(ascii: "Z"), moment.dropFirst(10).first == UInt8(ascii: "T") else { return nil }
        return LogLine(text: text, stream: stream, timeText: moment, attributes: object)
    }

    /// The content of a string whose opening quote has been read; nil if it has escapes that are rare.
    private static func takeString(_ rest: inout ArraySlice<UInt8>) -> [UInt8]? {
        var text: [UInt8] = []
        var index = rest.startIndex
        var plain = index
        while index < rest.endIndex {
            let byte = rest[index]
            if byte == UInt8(ascii: "\"") {
                text += rest[plain..<index]
                rest = rest[(index + 1)...]
                return text
            }
            guard byte == UInt8(ascii: "\\") else {
                index += 1
                continue
            }
            text += rest[plain..<index]
            guard let length = takeEscape(rest[index...].dropFirst(), &text) else { return nil }
            index += 1 + length
            plain = index
        }
        return nil
    }

    /// Appends what an escape means; returns its length without the backslash.
    private static func takeEscape(_ escape: ArraySlice<UInt8>, _ text: inout [UInt8]) -> Int? {
        switch escape.first {
        case UInt8(ascii: "n"): text.append(UInt8(ascii: "\n"))
        case UInt8(ascii: "r"): text.append(UInt8(ascii: "\r"))
        case UInt8(ascii: "t"): text.append(UInt8(ascii: "\t"))
        case UInt8(ascii: "\""): text.append(UInt8(ascii: "\""))
        case UInt8(ascii: "\\"): text.append(UInt8(ascii: "\\"))
        case UInt8(ascii: "u"):
            let digits = escape.dropFirst().prefix(4)
            guard digits.count == 4, let code = UInt32(String(decoding: digits, as: UTF8.self), radix: 16),
                let scalar = Unicode.Scalar(code)
            else { return nil }  // half of a surrogate pair
            text += Array(String(Character(scalar)).utf8)
            return 5
        default: return nil
        }
        return 1
    }

    /// An object and the comma behind it.
    private static func takeObject(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        var depth = 0
        var isString = false
        var index = rest.startIndex
        while index < rest.endIndex {
            switch rest[index] {
            case UInt8(ascii: "\\") where isString: index += 1
            case UInt8(ascii: "\""): isString.toggle()
            case UInt8(ascii: "{") where !isString: depth += 1
            case UInt8(ascii: "}") where !isString:
                depth -= 1
                guard depth == 0 else { break }
                let object = rest[...index]
                guard rest.dropFirst(object.count).first == UInt8(ascii: ",") else { return nil }
                rest = rest.dropFirst(object.count + 1)
                return object
            default: break
            }
            index += 1
        }
        return nil
    }
}
