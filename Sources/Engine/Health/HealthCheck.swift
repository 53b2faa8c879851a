// SPDX-License-Identifier: Apache-2.0
package import DockerAPI
package import JSON

/// How a container's health is checked: `Healthcheck` of its configuration. Durations are nanoseconds; 0 stands for
/// docker's default.
package struct HealthCheck: Sendable, Equatable {
    package var test: [String]
    package var interval: Int64
    package var timeout: Int64
    package var startPeriod: Int64
    package var startInterval: Int64
    /// Failures in a row that make a container unhealthy.
    package var retries: Int64

    /// The shortest duration that may be asked for: a millisecond.
    private static let shortest: Int64 = 1_000_000
    private static let durations = ["Interval", "Timeout", "StartPeriod", "StartInterval"]

    private static let table = FieldTable(
        "HealthConfig",
        [
            .init("Test", .strings, omitsEmpty: true), .init("Interval", .int, omitsEmpty: true),
            .init("Timeout", .int, omitsEmpty: true), .init("StartPeriod", .int, omitsEmpty: true),
            .init("StartInterval", .int, omitsEmpty: true), .init("Retries", .int, omitsEmpty: true),
        ])

    /// nil if nothing is to be checked: there is no test, it is `NONE`, or of a kind that docker does not know either.
    package init?(_ config: ContainerConfig) {
        let json = config.json["Healthcheck"] ?? .null
        guard let test = json["Test"]?.strings, let kind = test.first, ["CMD", "CMD-SHELL"].contains(kind) else {
            return nil
        }
        func number(_ name: String, default standard: Int64) -> Int64 {
            let value = json[name]?.int ?? 0
            return value > 0 ? value : standard
        }
        self.test = test
        interval = number("Interval", default: 30_000_000_000)
        timeout = number("Timeout", default: 30_000_000_000)
        startPeriod = number("StartPeriod", default: 0)
        startInterval = number("StartInterval", default: 5_000_000_000)
        retries = number("Retries", default: 3)
    }

    /// What is run; a shell runs the text of `CMD-SHELL`.
    package func command(shell: [String]) -> [String] {
        let arguments = Array(test.dropFirst())
        if test[0] == "CMD" { return arguments }
        return (shell.isEmpty ? ["/bin/sh", "-c"] : shell) + arguments
    }

    /// Nanoseconds until the next probe of a container that has run for `age` nanoseconds.
    package func pause(age: Int64, isStarting: Bool) -> Int64 {
        age < startPeriod && isStarting ? startInterval : interval
    }

    // MARK: Requests

    /// The user's check with what it leaves open taken from the image's; nil if there is neither.
    package static func merge(_ own: JSONValue?, image: JSONValue?) throws(FieldError) -> JSONValue? {
        guard var merged = try own.map({ (value) throws(FieldError) in try table.normalize(value) }) else {
            return try image.map { (value) throws(FieldError) in try table.normalize(value) }
        }
        guard let image = image.flatMap({ try? table.normalize($0) }) else { return merged }
        for member in image.members ?? [] where merged[member.key] == nil { merged.set(member.key, member.value) }
        return try table.normalize(merged)
    }

    /// Refuses what makes no sense; docker's texts.
    package static func validate(_ json: JSONValue?) throws(EngineError) {
        for name in durations {
            let value = json?[name]?.int ?? 0
            if value != 0, value < shortest {
                throw .invalidArgument("\(name) in Healthcheck cannot be less than 1ms")
            }
        }
        if (json?["Retries"]?.int ?? 0) < 0 {
            throw .invalidArgument("Retries in Healthcheck cannot be negative")
        }
    }
}
