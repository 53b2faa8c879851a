// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import Synchronization

/// What the daemon counts for `--metrics-addr`, under dockerd's names.
package final class Metrics: Sendable {
    /// What is timed, by dockerd's labels.
    package enum Action: String, Sendable, CaseIterable {
        case changes
        case commit
        case create
        case delete
        case start
    }

    /// How often something took no longer than each bound.
    private struct Histogram: Sendable {
        static let bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]  // seconds; Prometheus' own

        var counts = Array(repeating: 0, count: bounds.count)
        var count = 0
        var sum = 0.0

        mutating func add(_ seconds: Double) {
            for (index, bound) in Self.bounds.enumerated() where seconds <= bound { counts[index] += 1 }
            count += 1
            sum += seconds
        }

        /// - Parameter label: `name="value"`.
        func lines(_ name: String, _ label: String) -> [String] {
            zip(Self.bounds, counts).map { "\(name)_bucket{\(label),le=\"\(number($0))\"} \($1)" } + [
                "\(name)_bucket{\(label),le=\"+Inf\"} \(count)", "\(name)_sum{\(label)} \(number(sum))",
                "\(name)_count{\(label)} \(count)",
            ]
        }
    }

    private struct State {
        var actions: [Action: Histogram] = [:]
        var probes = 0
        var failedProbes = 0
    }

    private let state = Mutex(State())

    package init() {}

    /// Does something and, if it succeeds, remembers how long it took.
    package func timed<R>(_ action: Action, _ body: () async throws -> R) async throws -> R {
        let begin = ContinuousClock.now
        let result = try await body()
        let time = (ContinuousClock.now - begin) / .seconds(1)
        state.withLock { $0.actions[action, default: Histogram()].add(time) }
        return result
    }

    /// A health check was done.
    func probed(failed: Bool) {
        state.withLock { state in
            state.probes += 1
            if failed { state.failedProbes += 1 }
        }
    }

    /// The text that Prometheus reads (exposition format 0.0.4).
    func text(_ facts: Facts) -> String {
        let now = state.withLock { $0 }
        let prefix = "engine_daemon_"
        var page = MetricsPage()
        page.add(
            prefix + "container_actions_seconds", .histogram,
            "The number of seconds it takes to process each container action"
        ) { name in
            Action.allCases.flatMap { (now.actions[$0] ?? Histogram()).lines(name, "action=\"\($0.rawValue)\"") }
        }
        let counts = facts.containers
        page.add(prefix + "container_states_containers", .gauge, "The count of containers in various states") { name in
            [("paused", counts.paused), ("running", counts.running), ("stopped", counts.stopped)]
                .map { "\(name){state=\"\($0)\"} \($1)" }
        }
        page.add(
            prefix + "engine_cpus_cpus", .gauge, "The number of cpus that the host system of the engine has",
            facts.processors)
        page.add(
            prefix + "engine_info", .gauge, "The information related to the engine and the OS it is running on"
        ) { ["\($0){\(facts.labels.map { "\($0)=\"\(escaped($1))\"" }.joined(separator: ","))} 1"] }
        page.add(
            prefix + "engine_memory_bytes", .gauge,
            "The number of bytes of memory that the host system of the engine has", Int(facts.memory))
        page.add(
            prefix + "events_subscribers_total", .gauge, "The number of current subscribers to events",
            facts.subscribers)
        page.add(prefix + "events_total", .counter, "The number of events logged", facts.events)
        page.add(
            prefix + "health_checks_failed_total", .counter, "The total number of failed health checks",
            now.failedProbes)
        page.add(prefix + "health_checks_total", .counter, "The total number of health checks", now.probes)
        return page.text
    }

    /// What is looked up when somebody asks.
    struct Facts: Sendable {
        var containers: ContainerCounts
        var processors: Int
        var memory: Int64
        var subscribers: Int
        var events: Int
        /// Of `engine_info`.
        var labels: [(String, String)]
    }
}

/// The figures one after the other, each with what it means.
private struct MetricsPage {
    enum Kind: String { case counter, gauge, histogram }

    private(set) var text = ""

    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ lines: (String) -> [String]) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
        for line in lines(name) { text += line + "\n" }
    }

    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ value: Int) {
        add(name, kind, help) { ["\($0) \(value)"] }
    }
}

/// Without a fraction that says nothing, as Go writes it.
private func number(_ value: Double) -> String {
    value == value.rounded() && value < 1e15 ? String(Int64(value)) : String(value)
}

/// As the value of a label.
private func escaped(_ text: String) -> String {
    var result = ""
    for character in text.unicodeScalars {
        switch character {
        case "\\": result += "\\\\"
        case "\"": result += "\\\""
        case "\n": result += "\\n"
        default: result.unicodeScalars.append(character)
        }
    }
    return result
}
