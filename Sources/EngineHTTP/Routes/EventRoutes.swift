// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import Engine
import HTTPServer
import JSON
import LinuxSystem

/// `/events`.
struct EventRoutes {
    let events: EventHub

    func register(on router: inout Router) { router.on(.get, "/events", follow) }

    @Sendable private func follow(_ request: Request) async throws -> Response {
        let filters = try Filters(parsing: request.query.get("filters"))
        let since = try time(request, "since")
        let until = try time(request, "until")
        if let since, let until, since > until {
            let (from, to) = (request.query.get("since") ?? "", request.query.get("until") ?? "")
            throw EngineError.invalidArgument("`since` time (\(from)) cannot be after `until` time (\(to))")
        }
        return .stream(.ok, contentType: "application/json") { [events] body in
            if let until, until <= .now {
                for event in events.past(since: since, until: until, filters: filters) {
                    try await body.writeLine(event)
                }
                return
            }
            let stream = events.subscribe(since: since, until: until, filters: filters)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for await event in stream { try await body.writeLine(event) }
                }
                if let until {
                    group.addTask { try await Task.sleep(nanoseconds: TimeArgument.nanoseconds(from: .now, to: until)) }
                }
                try await group.next()
                group.cancelAll()
            }
        }
    }

    private func time(_ request: Request, _ name: String) throws(EngineError) -> Timestamp? {
        guard let text = request.query.get(name), !text.isEmpty else { return nil }
        guard let time = TimeArgument.parse(text, now: .now) else {
            throw .invalidArgument("strconv.ParseInt: parsing \"\(text)\": invalid syntax")
        }
        return time
    }
}

extension BodyWriter {
    /// Events end with a bare newline.
    fileprivate func writeLine(_ event: EventMessage) async throws { try await write(event.json.bytes() + [10]) }
}
