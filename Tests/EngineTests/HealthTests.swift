// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import JSON
import LinuxSystem
import Testing

@testable import Engine

@Suite("Health checks")
struct HealthTests {
    private static func check(_ json: JSONValue) throws -> HealthCheck? {
        HealthCheck(try ContainerConfig(json: ["Healthcheck": json]))
    }

    private static func result(_ code: Int32, at second: Int64) -> Health.Result {
        let time = Timestamp(nanoseconds: second * 1_000_000_000)
        return Health.Result(start: time, end: time, exitCode: code, output: "x")
    }

    @Test("what is not given has docker's defaults")
    func defaults() throws {
        let check = try #require(try Self.check(["Test": ["CMD-SHELL", "true"]]))
        #expect(check.interval == 30_000_000_000 && check.timeout == 30_000_000_000 && check.retries == 3)
        #expect(check.command(shell: []) == ["/bin/sh", "-c", "true"])
        #expect(check.command(shell: ["/bin/ash", "-x"]) == ["/bin/ash", "-x", "true"])
        #expect(try Self.check(["Test": ["CMD", "a", "b"]])?.command(shell: ["/bin/sh"]) == ["a", "b"])
    }

    @Test(
        "nothing is checked without a test",
        arguments: [[:], ["Test": ["NONE"]], ["Test": []], ["Test": ["X", "y"]]] as [JSONValue])
    func none(_ json: JSONValue) throws { #expect(try Self.check(json) == nil) }

    @Test("what the user leaves open comes from the image")
    func merge() throws {
        let image: JSONValue = ["Test": ["CMD", "i"], "Interval": 5, "Retries": 7]
        #expect(try HealthCheck.merge(nil, image: image) == image)
        #expect(
            try HealthCheck.merge(["Interval": 9], image: image)
                == ["Test": ["CMD", "i"], "Interval": 9, "Retries": 7])
        #expect(try HealthCheck.merge(["Test": ["NONE"]], image: nil) == ["Test": ["NONE"]])
        #expect(throws: FieldError.self) { try HealthCheck.merge(["Interval": "9"], image: nil) }
    }

    @Test("failures in a row make it unhealthy, one success healthy; five results are kept")
    func streak() throws {
        let check = try #require(try Self.check(["Test": ["CMD", "x"], "Retries": 2, "StartPeriod": 10_000_000_000]))
        var health = Health()
        let start = Timestamp(nanoseconds: 0)
        health.on(Self.result(1, at: 5), check, startedAt: start)
        #expect(health.status == .starting && health.failingStreak == 0)
        health.on(Self.result(1, at: 11), check, startedAt: start)
        #expect(health.status == .starting && health.failingStreak == 1)
        health.on(Self.result(1, at: 12), check, startedAt: start)
        #expect(health.status == .unhealthy && health.shown == "unhealthy")
        health.on(Self.result(0, at: 13), check, startedAt: start)
        #expect(health.status == .healthy && health.failingStreak == 0)
        for second in 14...16 { health.on(Self.result(1, at: Int64(second)), check, startedAt: start) }
        #expect(health.log.count == 5 && health.log[0].start.seconds == 12)
        #expect(Health(json: health.json) == health)
        health.restart()
        #expect(health.shown == "health: starting" && health.log.count == 5)
    }

    @Test("bad numbers are refused in docker's words")
    func validation() throws {
        let texts = [
            ("Interval", "Interval in Healthcheck cannot be less than 1ms"),
            ("StartInterval", "StartInterval in Healthcheck cannot be less than 1ms"),
            ("Retries", "Retries in Healthcheck cannot be negative"),
        ]
        for (field, text) in texts {
            var json: JSONValue = [:]
            json.set(field, -5)
            #expect(throws: EngineError.invalidArgument(text)) { try HealthCheck.validate(json) }
        }
    }

    @Test(
        "durations are written as Go does",
        arguments: [
            (0, "0s"), (1_500_000_000, "1.5s"), (50_000_000, "50ms"), (60_000_000_000, "1m0s"),
            (3_661_500_000_000, "1h1m1.5s"), (1500, "1.5µs"), (7, "7ns"), (30_000_000_000, "30s"),
        ] as [(Int64, String)])
    func durations(_ nanoseconds: Int64, _ text: String) { #expect(GoDuration.text(nanoseconds) == text) }
}
