// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import JSON
import LinuxSystem
import Netlink
import OCISpec

@testable import Engine
@testable import EngineHTTP
@testable import HTTPServer
@testable import Networking
@testable import RegistryServer

/// What clients of the daemon send, and the logs that it reads.
let daemonTargets = [
    FuzzTarget("http") { bytes in
        let whole = Requests(bytes.isEmpty ? [] : [bytes[...]])
        expect(whole == Requests(bytes.pieces), "requests are the same in pieces")
        for head in whole.heads {
            _ = (head.keepsAlive, head.wantsUpgrade, head.expectsContinue)
            _ = Query(String(head.query)).items
        }
    },
    FuzzTarget("names") { bytes in
        guard let query = DNSQuery(bytes) else { return }
        _ = query.reverseAddress
        let addresses = (0..<40).map { IPv4Address(rawValue: 0x0a00_0000 + $0) }
        for answer in [
            query.answer(), query.answer(.refused), query.answer(addresses: addresses, limit: 512),
            query.answer(pointer: bytes.text),
        ] {
            expect(DNSReply.isAnswer(answer[...], id: query.id), "an answer has the question's id")
            _ = DNSReply.isFailure(answer[...])
        }
        expect(query.answer(addresses: addresses, limit: 512).count <= 512, "an answer fits a datagram")
    },
    FuzzTarget("yaml") { bytes in
        guard let document = accepted({ try YAMLReader.parse(bytes.text) }) else { return }
        expect((try? JSONValue(parsing: document.bytes())) == document, "what was read can be written")
    },
    FuzzTarget("web-socket") { bytes in
        func payload(_ pieces: [ArraySlice<UInt8>]) -> [UInt8] {
            var decoder = WebSocketDecoder()
            var payload: [UInt8] = []
            for piece in pieces {
                decoder.append(Array(piece))
                while let event = accepted({ try decoder.next() }) ?? nil {
                    if case .data(let data) = event { payload += data }
                    if event == .close { return payload }
                }
            }
            return payload
        }
        _ = payload(bytes.isEmpty ? [] : [bytes[...]])
        _ = payload(bytes.pieces)
    },
    FuzzTarget("filters") { bytes in
        _ = accepted { try Filters(parsing: bytes.text) }
        let lines = bytes.text.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false).map { String($0) }
        let (pattern, candidate) = (lines[0], lines.last ?? "")
        let json: JSONValue = ["name": [.string(pattern)]]
        guard let filters = accepted({ try Filters(parsing: json.serialized()) }) else { return }
        let matches = filters.matches("name", within: candidate)
        let isPlain = !pattern.isEmpty && pattern.utf8.allSatisfy { isAlphanumeric($0) }
        let isPart = candidate.utf8.firstRange(of: pattern.utf8) != nil
        expect(!isPlain || matches == isPart, "letters and digits mean themselves")
    },
    FuzzTarget("query") { bytes in
        let text = bytes.text
        let query = Query(text)
        for item in query.items { _ = (try? query.int(item.name), query.bool(item.name)) }
        if let version = APIVersion(text) {
            expect(APIVersion(version.description) == version, "a version is its text")
        }
        _ = RegistryAuth.credentials(text)
        let texts = bytes.texts(2)
        _ = Glob.matches(texts[0], texts[1])
        guard let filters = accepted({ try Filters(parsing: texts[0]) }) else { return }
        for field in filters.fields {
            _ = filters.matches(field.key, within: texts[1])
            _ = filters.matches(labels: [(field.key, texts[1])], key: field.key)
            _ = accepted { try filters.bool(field.key) }
        }
    },
    FuzzTarget("registry-server") { bytes in
        let text = bytes.text
        if let range = ChunkRange(text) { expect(range.first >= 0 && range.count > 0, "a chunk has bytes") }
        for size: Int64 in [0, 1, 1000, .max] {
            guard case .part(let first, let count) = BlobRange(text, size: size) else { continue }
            expect(first >= 0 && count > 0 && count <= size - first, "a part is within the blob")
        }
        if let name = accepted({ try RepositoryName(text) }) {
            expect(!name.string.contains("..") && !name.string.hasPrefix("/"), "a name is no path out")
            expect(RepositoryName.ofManifests(name.manifests) == name.string, "a namespace has its repository")
            expect(RepositoryName.ofManifests(name.blobs) == nil, "blobs and manifests have namespaces of their own")
        }
        if case .tag(let tag)? = accepted({ try ManifestReference(text) }) ?? nil {
            expect(!tag.contains("/") && !tag.hasPrefix("."), "a tag is no path")
        }
    },
    FuzzTarget("create") { bytes in
        guard let json = accepted({ try JSONValue(parsing: bytes) }),
            let request = accepted({ try ContainerCreateRequest(json: json) })
        else { return }
        let (config, host) = (request.config, request.hostConfig)
        let facts = HostFacts(
            architecture: "amd64", capabilities: Capability.names, usesUnifiedCgroups: true, cpuCount: 2)
        let check = ContainerValidation(config: config, host: host, facts: facts, runtimes: ["", "swrun"])
        guard accepted({ try check.check() }) != nil,
            let mounts = accepted({ try MountRequests.parse(config: config, hostConfig: host) }),
            let security = accepted({ try SecurityOptions(parsing: host.list("SecurityOpt")) })
        else { return }
        for mount in mounts {
            expect(!mount.destination.split(separator: "/").contains(".."), "a destination has no ..")
        }
        var input = SpecInput(
            id: "abc", config: config, hostConfig: host, user: ResolvedUser(uid: 0, gid: 0, additionalGIDs: []),
            security: security, host: facts)
        input.mounts = mounts
        if let spec = accepted({ try SpecBuilder(input).build() }) {
            // Profiles of the user's own and limits beyond a field's range are the runtime's to refuse.
            _ = accepted { try RuntimeSpec(parsing: spec.bytes()) }
        }
        for binding in host["PortBindings"].members ?? [] {
            for place in binding.value.array ?? [] {
                let (ip, port) = (place["HostIp"]?.string ?? "", place["HostPort"]?.string ?? "")
                _ = accepted { try PortMapping(binding: binding.key, hostIP: ip, hostPort: port) }
            }
        }
    },
    FuzzTarget("log") { bytes in
        for line in bytes.split(separator: 10) {
            guard let parsed = LogLine(parsing: Array(line)) else { continue }
            let frame = parsed.encoded(timestamps: true, tty: false)
            expect(StreamFrame.header(frame)?.length == frame.count - StreamFrame.headerSize, "a frame has its length")
            expect(Timestamp(rfc3339: parsed.time.rfc3339(fixed: true)) == parsed.time, "a time is its text")
        }
        var decoder = StreamFrameDecoder()
        decoder.append(bytes)
        while let frame = decoder.next() {
            expect(StreamFrame.encode(frame.stream, frame.payload).count <= bytes.count, "frames are in the input")
        }
    },
    FuzzTarget("arguments") { bytes in
        let text = bytes.text
        if let time = TimeArgument.parse(text, now: .now) {
            _ = TimeArgument.nanoseconds(from: .now, to: time)
            expect((0..<1_000_000_000).contains(time.subsecond), "a second has less than 10^9 nanoseconds")
        }
        if let time = Timestamp(rfc3339: text) {
            expect(Timestamp(rfc3339: time.rfc3339()) == time, "\(text) is \(time.rfc3339())")
        }
        if let duration = TimeArgument.duration(text) { expect(duration >= 0, "durations are not negative") }
        let texts = bytes.texts(2)
        if let keys = accepted({ try detachKeys(texts[0]) }) {
            var detector = DetachKeys(keys)
            for piece in Array(texts[1].utf8).pieces { _ = detector.pass(Array(piece)) }
        }
        if let mapping = accepted({ try PortMapping(binding: texts[0], hostIP: "", hostPort: texts[1]) }) {
            expect(mapping.containerPort > 0, "a port is not 0")
        }
        _ = AddressPool(text)
        _ = accepted { try SignalName.parse(text) }
        _ = accepted { try LogOptions(driver: "json-file", options: [("max-size", texts[0]), ("max-file", texts[1])]) }
    },
    FuzzTarget("changes") { bytes in
        guard let changes = accepted({ try ImageChanges([bytes.text]) }),
            var config = accepted({ try ContainerConfig(json: .object([])) })
        else { return }
        _ = accepted { try changes.apply(to: &config, environment: ["PATH=/bin", "A=${B:-$A}"]) }
        let words = InstructionText { $0 == "A" ? "value" : nil }
        for word in InstructionText.words(bytes.text) { _ = words.expanded(word) }
    },
]

/// What a connection's bytes mean, however they arrive.
private struct Requests: Equatable {
    var heads: [RequestHead] = []
    var bodies: [[UInt8]] = []
    var rest: [UInt8] = []
    var error: RequestError?

    init(_ pieces: [ArraySlice<UInt8>]) {
        var decoder = RequestDecoder()
        do throws(RequestError) {
            for piece in pieces {
                decoder.append(piece)
                while let part = try decoder.next() { take(part, &decoder) }
            }
        } catch { self.error = error }
        rest = error == nil ? Array(decoder.takeRest()) : []
    }

    private mutating func take(_ part: RequestDecoder.Part, _ decoder: inout RequestDecoder) {
        switch part {
        case .head(let head):
            heads.append(head)
            bodies.append([])
        case .body(let bytes): bodies[bodies.count - 1] += bytes
        case .end: decoder.startNextRequest()
        }
    }
}
