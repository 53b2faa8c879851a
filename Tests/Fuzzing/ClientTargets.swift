// SPDX-License-Identifier: Apache-2.0
import Flags
import GoTemplate
import JSON
import LinuxSystem

@testable import Commands

/// What users type, and what a daemon that means harm could answer.
let clientTargets = [
    FuzzTarget("template") { bytes in
        let texts = bytes.texts(2)
        guard let template = accepted({ try Template(texts[0]) }), isCheap(texts[0]) else { return }
        let data = accepted { try JSONValue(parsing: texts[1]) } ?? sample
        _ = accepted { try template.render(data) }
    },
    FuzzTarget("run-flags") { bytes in
        let words = bytes.split(separator: 10, omittingEmptySubsequences: false).map { Array($0).text }
        // A file that a flag names is not ours to read here.
        let naming = ["env-file", "label-file", "security-opt", "cidfile"]
        guard !words.contains(where: { word in naming.contains { word.contains($0) } }),
            let flags = accepted({ try ContainerRun.command.flagSet.parse(words) }), !flags.arguments.isEmpty,
            let body = accepted({ try RunSettings(flags: flags).body() })
        else { return }
        expect(accepted { try JSONValue(parsing: body.bytes()) } == body, "a request is JSON")
    },
    FuzzTarget("run-values") { bytes in
        let text = bytes.text
        _ = accepted { try RunPorts(publish: [text], expose: []) }
        _ = accepted { try RunPorts(publish: [], expose: [text]) }
        _ = accepted { try RunMount.parse(text) }
        _ = accepted { try RunDevices.ulimits([text]) }
        _ = accepted { try RunNetwork.parse(text) }
        if let size = accepted({ try SizeText.parse(text) }) { expect(size >= 0, "sizes are not negative") }
        _ = accepted { try Decimal.nano(text) }
        _ = accepted { try TimeArgument.parse(text) }
        _ = accepted { try ImageName(text) }
        _ = DurationText.parse(text).map { DurationText.human(seconds: $0) }
        if let number = Double(text), number >= 0 {
            _ = (SizeText.short(number), SizeText.long(number), SizeText.binary(number))
        }
    },
    FuzzTarget("streams") { bytes in
        let whole = pieces([bytes[...]])
        expect(whole == pieces(bytes.pieces), "frames are the same in pieces")
        let texts = bytes.texts(2)
        guard var keys = accepted({ try DetachKeys(option: texts[0]) }) else { return }
        for piece in Array(texts[1].utf8).pieces { _ = keys.pass(Array(piece)) }
    },
]

private let sample: JSONValue = [
    "Name": "box", "ID": "abc", "Ports": [["Port": 80]], "Labels": ["a": "b"], "Size": 12, "None": nil, "On": true,
]

/// Repetition is the user's own choice, and his own machine: `{{range 1000000}}` and templates that include themselves
/// are not rendered here.
private func isCheap(_ template: String) -> Bool {
    let hasLoop = ["range", "template", "block"].contains { template.contains($0) }
    let longest = template.split { !$0.isNumber && !$0.isLetter }.filter { $0.contains { $0.isNumber } }.map {
        $0.count
    }
    return !hasLoop && (longest.max() ?? 0) < 5
}

/// The bytes of each stream, or nil from where the input makes no sense.
private func pieces(_ parts: [ArraySlice<UInt8>]) -> [UInt8: [UInt8]]? {
    var decoder = FrameDecoder()
    var streams: [UInt8: [UInt8]] = [:]
    for part in parts {
        guard let found = accepted({ try decoder.decode(Array(part)) }) else { return nil }
        for piece in found { streams[piece.stream, default: []] += piece.bytes }
    }
    return streams
}
