// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Engine

struct MetricsTests {
    private struct Failure: Error {}

    @Test("what succeeds is counted in every bucket that holds it, what fails in none")
    func actions() async throws {
        let metrics = Metrics()
        #expect(try await metrics.timed(.start) { 7 } == 7)
        await #expect(throws: Failure.self) { try await metrics.timed(.create) { throw Failure() } }
        metrics.probed(failed: true)
        metrics.probed(failed: false)
        let lines = metrics.text(
            Metrics.Facts(
                containers: ContainerCounts(running: 1, paused: 2, stopped: 3), processors: 4, memory: 5,
                subscribers: 6,
                events: 7, labels: [("os", #"a "b"\"#)])
        ).split(separator: "\n")
        let name = "engine_daemon_container_actions_seconds"
        for line in [
            #"\#(name)_bucket{action="start",le="10"} 1"#, #"\#(name)_bucket{action="start",le="+Inf"} 1"#,
            #"\#(name)_count{action="start"} 1"#, #"\#(name)_sum{action="create"} 0"#,
            #"\#(name)_count{action="create"} 0"#, #"engine_daemon_container_states_containers{state="paused"} 2"#,
            "engine_daemon_health_checks_total 2", "engine_daemon_health_checks_failed_total 1",
            #"engine_daemon_engine_info{os="a \"b\"\\"} 1"#, "# TYPE engine_daemon_events_total counter",
        ] { #expect(lines.contains(Substring(line)), "\(line)") }
    }

    @Test(
        "where systemd and we put a container",
        arguments: [
            ("", false, "/swrun/id", "/swrun/id"), ("a/b", false, "/a/b/id", "/a/b/id"),
            ("", true, "system.slice:docker:id", "/system.slice/docker-id.scope"),
            ("a-b.slice", true, "a-b.slice:docker:id", "/a.slice/a-b.slice/docker-id.scope"),
        ])
    func places(_ parent: String, _ usesSystemd: Bool, _ spec: String, _ path: String) {
        let place = CgroupPlace(parent: parent, id: "id", usesSystemd: usesSystemd)
        #expect(place.specPath == spec && place.path == path)
    }

    @Test("slices", arguments: [("", true), ("a.slice", true), (".slice", false), ("a", false), ("a.slice/b", false)])
    func slices(_ name: String, _ isOne: Bool) { #expect(CgroupPlace.isSlice(name) == isOne) }
}
