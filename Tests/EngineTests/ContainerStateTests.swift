// SPDX-License-Identifier: Apache-2.0
import Engine
import LinuxSystem
import Testing

@Suite("The state of a container")
struct ContainerStateTests {
    private static let run = ContainerState.Run(pid: 7, startedAt: Timestamp(nanoseconds: 5))
    private static let exit = ContainerState.Exit(
        code: 3, finishedAt: Timestamp(nanoseconds: 9), startedAt: Timestamp(nanoseconds: 5))

    private static let phases: [ContainerState.Phase] = [
        .created, .running(run), .paused(run), .restarting(exit), .exited(exit), .removing(exit), .removing(nil),
        .dead(nil),
    ]

    private static let events: [ContainerState.Event] = [
        .started(run), .startFailed(code: 127, message: "no", at: Timestamp(nanoseconds: 1)), .paused, .resumed,
        .outOfMemory, .exited(code: 1, at: Timestamp(nanoseconds: 9), oomKilled: false), .restartPlanned,
        .restartCancelled, .removalStarted, .removalFailed,
    ]

    @Test("every pair of phase and event is decided, and a refused event changes nothing", arguments: phases, events)
    func total(_ phase: ContainerState.Phase, _ event: ContainerState.Event) {
        var state = ContainerState(phase: phase)
        do { try state.on(event) } catch { #expect(state.phase == phase) }
        #expect(ContainerState.names.contains(state.name))
        #expect(!(state.isRunning && state.isDead) && !(state.isPaused && !state.isRunning))
    }

    @Test("a life from creation to removal")
    func life() throws {
        var state = ContainerState()
        try state.on(.started(Self.run))
        #expect(state.pid == 7 && state.name == "running")
        try state.on(.paused)
        #expect(state.isPaused && state.isRunning)
        try state.on(.exited(code: 137, at: Timestamp(nanoseconds: 9), oomKilled: true))
        #expect(state.exitCode == 137 && state.pid == 0 && state.lastExit?.oomKilled == true)
        try state.on(.restartPlanned)
        #expect(state.name == "restarting")
        try state.on(.started(Self.run))
        #expect(throws: ContainerState.IllegalTransition.self) { try state.on(.removalStarted) }
        try state.on(.exited(code: 0, at: Timestamp(nanoseconds: 10), oomKilled: false))
        try state.on(.removalStarted)
        try state.on(.removalFailed)
        #expect(state.isDead)
        try state.on(.removalStarted)
    }

    @Test("a run that was out of memory stays so to its end, and the next one is not")
    func outOfMemory() throws {
        var state = ContainerState(phase: .running(Self.run))
        #expect(!state.oomKilled)
        try state.on(.outOfMemory)
        try state.on(.paused)
        #expect(state.oomKilled)
        try state.on(.exited(code: 0, at: Timestamp(nanoseconds: 9), oomKilled: false))
        #expect(state.oomKilled && state.exitCode == 0)
        try state.on(.started(Self.run))
        #expect(!state.oomKilled)
    }

    @Test("what could never be started stays created and keeps the reason")
    func failedStart() throws {
        var state = ContainerState()
        try state.on(.startFailed(code: 127, message: "no", at: Timestamp(nanoseconds: 1)))
        #expect(state.name == "created" && state.exitCode == 127 && state.lastExit?.message == "no")
        #expect(state.statusText(now: Timestamp(nanoseconds: 2)) == "Created")
    }

    @Test(
        "durations are told as docker tells them",
        arguments: [
            (0, "Less than a second"), (1, "1 second"), (59, "59 seconds"), (60, "About a minute"),
            (119, "About a minute"), (120, "2 minutes"), (3599, "59 minutes"), (3600, "About an hour"),
            (7200, "2 hours"), (47 * 3600, "47 hours"), (48 * 3600, "2 days"), (13 * 86400, "13 days"),
            (14 * 86400, "2 weeks"), (59 * 86400, "8 weeks"), (60 * 86400, "2 months"), (729 * 86400, "24 months"),
            (730 * 86400, "2 years"),
        ] as [(Int64, String)])
    func durations(_ seconds: Int64, _ expected: String) { #expect(HumanDuration.text(seconds: seconds) == expected) }

    @Test("the status column")
    func statusText() {
        let now = Timestamp(nanoseconds: 9 + 180_000_000_000)
        let texts = Self.phases.map { ContainerState(phase: $0).statusText(now: now) }
        #expect(
            texts == [
                "Created", "Up 3 minutes", "Up 3 minutes (Paused)", "Restarting (3) 3 minutes ago",
                "Exited (3) 3 minutes ago", "Removal In Progress", "Removal In Progress", "Dead",
            ])
    }
}

@Suite("Names and signals")
struct NameTests {
    @Test("names that docker accepts", arguments: [("ab", "ab"), ("/ab", "ab"), ("a.b_c-1", "a.b_c-1")])
    func accepted(_ text: String, _ name: String) throws { #expect(try ContainerName.check(text) == name) }

    @Test("names that docker refuses", arguments: ["", "a", "/", "-a", "_ab", "a b", "a/b", "é2", "//ab"])
    func refused(_ text: String) { #expect(throws: EngineError.self) { try ContainerName.check(text) } }

    @Test("random names are valid, and numbered when the plain ones are taken")
    func random() throws {
        for attempt in 0..<20 { _ = try ContainerName.check(ContainerName.random(attempt: attempt)) }
    }

    @Test(
        "signals by name and number",
        arguments: [("TERM", 15), ("sigkill", 9), ("SIGINT", 2), ("28", 28), ("WINCH", 28), ("RTMIN+3", 37)])
    func signals(_ text: String, _ number: UInt32) throws { #expect(try SignalName.parse(text) == number) }

    @Test("what is no signal", arguments: ["", "NONSENSE", "0", "65", "-9", "RTMIN+99"])
    func badSignals(_ text: String) { #expect(throws: EngineError.self) { try SignalName.parse(text) } }
}
