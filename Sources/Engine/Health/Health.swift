// SPDX-License-Identifier: Apache-2.0
package import JSON
package import LinuxSystem

/// What the checks of a container have found: `State.Health` of inspect. A value that decides; `ContainerService` probes.
package struct Health: Sendable, Equatable {
    package enum Status: String, Sendable {
        case starting
        case healthy
        case unhealthy
    }

    /// One probe.
    package struct Result: Sendable, Equatable {
        package var start: Timestamp
        package var end: Timestamp
        /// 0 is healthy; -1 if the probe did not end in time or could not be run.
        package var exitCode: Int32
        package var output: String

        package init(start: Timestamp, end: Timestamp, exitCode: Int32, output: String) {
            self.start = start
            self.end = end
            self.exitCode = exitCode
            self.output = output
        }
    }

    /// How many results are kept.
    private static let kept = 5

    package var status = Status.starting
    package var failingStreak: Int64 = 0
    /// The oldest first.
    package var log: [Result] = []

    package init() {}

    /// The words of a `ps -f health=` filter.
    package static let names = ["starting", "healthy", "unhealthy", "none"]

    /// As `ps` shows it.
    package var shown: String { status == .starting ? "health: starting" : status.rawValue }

    /// A new run begins; what the last one's probes said stays in the log, as docker has it.
    package mutating func restart() {
        status = .starting
        failingStreak = 0
    }

    /// Nobody looks any more: docker calls that unhealthy.
    package mutating func stop() { status = .unhealthy }

    /// Takes one probe's result. Failures in the start period do not count until one probe has succeeded.
    package mutating func on(_ result: Result, _ check: HealthCheck, startedAt: Timestamp) {
        log.append(result)
        if log.count > Self.kept { log.removeFirst(log.count - Self.kept) }
        if result.exitCode == 0 {
            failingStreak = 0
            status = .healthy
            return
        }
        let age = result.start.nanoseconds - startedAt.nanoseconds
        if status == .starting, age < check.startPeriod { return }
        failingStreak += 1
        if failingStreak >= check.retries { status = .unhealthy }
    }
}

// MARK: JSON, for clients and for the database

extension Health {
    package var json: JSONValue {
        [
            "Status": .string(status.rawValue), "FailingStreak": .int(failingStreak),
            "Log": .array(log.map { $0.json }),
        ]
    }

    /// nil for what is no health.
    package init?(json: JSONValue) {
        guard let status = Status(rawValue: json["Status"]?.string ?? "") else { return nil }
        self.status = status
        failingStreak = json["FailingStreak"]?.int ?? 0
        log = (json["Log"]?.array ?? []).compactMap { Result(json: $0) }
    }
}

extension Health.Result {
    var json: JSONValue {
        [
            "Start": .string(start.rfc3339()), "End": .string(end.rfc3339()), "ExitCode": .int(Int64(exitCode)),
            "Output": .string(output),
        ]
    }

    init?(json: JSONValue) {
        guard let start = Timestamp(rfc3339: json["Start"]?.string ?? ""),
            let end = Timestamp(rfc3339: json["End"]?.string ?? "")
        else { return nil }
        self.init(
            start: start, end: end, exitCode: Int32(truncatingIfNeeded: json["ExitCode"]?.int ?? 0),
            output: json["Output"]?.string ?? "")
    }
}
