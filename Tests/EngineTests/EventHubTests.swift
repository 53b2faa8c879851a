// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import LinuxSystem
import Testing

@testable import Engine

@Suite("Event hub")
struct EventHubTests {
    private func actions(_ stream: AsyncStream<EventMessage>, count: Int) async -> [String] {
        var seen: [String] = []
        for await event in stream {
            seen.append(event.action)
            if seen.count == count { break }
        }
        return seen
    }

    @Test("gives past and new events, once each and in order")
    func order() async {
        let hub = EventHub()
        hub.publish(type: .image, action: "pull", id: "a")
        let stream = hub.subscribe(since: Timestamp(nanoseconds: 0))
        hub.publish(type: .image, action: "tag", id: "a")
        #expect(await actions(stream, count: 2) == ["pull", "tag"])
    }

    @Test("without since only new events come, and only those that pass")
    func filtered() async throws {
        let hub = EventHub()
        hub.publish(type: .image, action: "pull", id: "a")
        let stream = hub.subscribe(filters: try Filters(parsing: #"{"event":["delete"]}"#))
        for action in ["untag", "delete"] { hub.publish(type: .image, action: action, id: "a") }
        #expect(await actions(stream, count: 1) == ["delete"])
    }

    @Test("keeps the last 256, with rising times")
    func ring() {
        let hub = EventHub()
        for number in 0..<300 { hub.publish(type: .volume, action: "\(number)", id: "v") }
        let kept = hub.past(since: Timestamp(nanoseconds: 0), until: Timestamp(nanoseconds: .max), filters: Filters())
        #expect(kept.map(\.action) == (44..<300).map { "\($0)" })
        #expect(zip(kept, kept.dropFirst()).allSatisfy { $0.nanoseconds < $1.nanoseconds })
    }

    @Test("forgets listeners that have gone")
    func leaving() async {
        let hub = EventHub()
        do {
            let stream = hub.subscribe()
            hub.publish(type: .image, action: "pull", id: "a")
            #expect(await actions(stream, count: 1) == ["pull"])
        }
        #expect(hub.listenerCount == 0)
    }

    @Test(
        "reads times as clients send them",
        arguments: [
            ("1795227152", 1_795_227_152_000_000_000), ("1795227152.5", 1_795_227_152_500_000_000),
            ("2026-11-21T02:12:32Z", 1_795_227_152_000_000_000), ("10s", -10_000_000_000),
            ("1h30m", -5_400_000_000_000),
            ("1.5h", -5_400_000_000_000), ("x", nil), ("", nil), ("1.x", nil), ("5q", nil),
        ] as [(String, Int64?)])
    func times(_ text: String, _ expected: Int64?) {
        #expect(TimeArgument.parse(text, now: Timestamp(nanoseconds: 0))?.nanoseconds == expected)
    }

    @Test(
        "the time until a moment is counted from now, and over if that was before",
        arguments: [("10", 9_000_000_000), ("1", 0), ("-8999999999", 0), ("8999999999", 8_999_999_998_000_000_000)])
    func until(_ text: String, _ expected: UInt64) throws {
        let moment = try #require(TimeArgument.parse(text, now: .now))
        #expect(TimeArgument.nanoseconds(from: Timestamp(nanoseconds: 1_000_000_000), to: moment) == expected)
    }

    @Test("the farthest moments can be told apart")
    func farthest() {
        let (first, last) = (Timestamp(nanoseconds: .min), Timestamp(nanoseconds: .max))
        #expect(TimeArgument.nanoseconds(from: first, to: last) == .max)
        #expect(TimeArgument.nanoseconds(from: last, to: first) == 0)
    }
}
