// SPDX-License-Identifier: Apache-2.0
import Engine
import HTTPServer
import JSON
import LinuxSystem

extension HijackedStream: ByteStream {}

/// The content types of docker's streams.
enum StreamContentType {
    static let raw = "application/vnd.docker.raw-stream"

    /// Framed output has a type of its own since API 1.42, but only for clients that asked for an upgrade.
    static func output(tty: Bool, _ request: Request) -> String {
        tty || request.version < APIVersion(1, 42) ? raw : "application/vnd.docker.multiplexed-stream"
    }
}

/// attach, resize, logs and statistics.
struct ContainerStreamRoutes {
    let containers: ContainerService

    func register(on router: inout Router) {
        router.on(.post, "/containers/{name}/attach", attach)
        router.on(.get, "/containers/{name}/attach/ws", attachWebSocket)
        router.on(.post, "/containers/{name}/resize", resize)
        router.on(.get, "/containers/{name}/logs", logs)
        router.on(.get, "/containers/{name}/stats", statistics)
    }

    private static func attachRequest(_ request: Request) throws(EngineError) -> AttachRequest {
        var attach = AttachRequest()
        attach.stdin = request.query.bool("stdin")
        attach.stdout = request.query.bool("stdout")
        attach.stderr = request.query.bool("stderr")
        attach.stream = request.query.bool("stream")
        attach.logs = request.query.bool("logs")
        attach.detachKeys = try detachKeys(request.query.get("detachKeys") ?? "")
        return attach
    }

    @Sendable private func attach(_ request: Request) async throws -> Response {
        let attach = try Self.attachRequest(request)
        let attachment = try await containers.attach(try request.parameter("name"), attach)
        let type = request.wantsUpgrade ? StreamContentType.output(tty: attachment.tty, request) : StreamContentType.raw
        return .hijack(contentType: type) { stream in try await attachment.serve(stream) }
    }

    /// The same over a web socket: messages hold plain bytes, whatever the container has for a terminal.
    @Sendable private func attachWebSocket(_ request: Request) async throws -> Response {
        let name = try request.parameter("name")
        _ = try containers.find(name)
        guard let handshake = WebSocketHandshake(request.headers) else {
            return .text(.badRequest, "not websocket protocol")
        }
        var attach = try Self.attachRequest(request)
        attach.isFramed = false
        if request.version < APIVersion(1, 42) { (attach.stdin, attach.stdout, attach.stderr) = (true, true, true) }
        let attachment = try await containers.attach(name, attach)
        // Before API 1.28 messages were declared as text.
        let isBinary = request.version >= APIVersion(1, 28)
        return .upgrade(handshake.answer) { stream in
            let socket = WebSocketStream(stream, sendsBinary: isBinary)
            do { try await attachment.serve(socket) } catch {
                try await socket.finish()
                throw error
            }
            try await socket.finish()
        }
    }

    @Sendable private func resize(_ request: Request) async throws -> Response {
        let size = try TerminalSize(request)
        try await containers.resize(try request.parameter("name"), width: size.width, height: size.height)
        return .empty(.ok)
    }

    @Sendable private func logs(_ request: Request) async throws -> Response {
        var wanted = LogRequest()
        wanted.stdout = request.query.bool("stdout")
        wanted.stderr = request.query.bool("stderr")
        if !wanted.stdout, !wanted.stderr {
            throw EngineError.invalidArgument("Bad parameters: you must choose at least one stream")
        }
        wanted.follow = request.query.bool("follow")
        wanted.details = request.query.bool("details")
        wanted.timestamps = request.query.bool("timestamps")
        wanted.since = try time(request, "since")
        wanted.until = try time(request, "until")
        // Anything that is no number means all, as docker has it.
        if let tail = request.query.get("tail").flatMap({ Int($0) }), tail >= 0 { wanted.tail = tail }
        let answer = try containers.logs(try request.parameter("name"), wanted)
        return .stream(.ok, contentType: StreamContentType.output(tty: answer.tty, request)) { body in
            try await answer.send { bytes in try await body.write(bytes) }
        }
    }

    @Sendable private func statistics(_ request: Request) async throws -> Response {
        let isStream = request.query.bool("stream", default: true)
        let isSingle = request.query.bool("one-shot")
        if isStream, isSingle { throw EngineError.invalidArgument("cannot have stream=true and one-shot=true") }
        let answer = try containers.statistics(
            try request.parameter("name"), isStream ? .stream : isSingle ? .single : .pair)
        if isStream {
            return .stream(.ok, contentType: "application/json") { body in
                try await answer.send { document in try await body.write(document.bytes() + [10]) }
            }
        }
        var found = JSONValue.null
        try await answer.send { found = $0 }
        return .json(.ok, found)
    }

    private func time(_ request: Request, _ name: String) throws(EngineError) -> Timestamp? {
        guard let text = request.query.get(name), !text.isEmpty, text != "0" else { return nil }
        guard let time = TimeArgument.parse(text, now: .now) else {
            throw .invalidArgument("strconv.ParseInt: parsing \"\(text)\": invalid syntax")
        }
        return time
    }
}

/// `?h=24&w=80`
struct TerminalSize {
    var width: UInt32
    var height: UInt32

    init(_ request: Request) throws(EngineError) {
        width = try Self.number(request, "w")
        height = try Self.number(request, "h")
    }

    private static func number(_ request: Request, _ name: String) throws(EngineError) -> UInt32 {
        guard let value = try request.query.int(name), (0...65535).contains(value) else {
            throw .invalidArgument(
                "invalid resize \(name == "w" ? "width" : "height") \"\(request.query.get(name) ?? "")\"")
        }
        return UInt32(value)
    }
}
