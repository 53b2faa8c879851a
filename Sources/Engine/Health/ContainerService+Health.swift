// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import LinuxSystem
import Synchronization

// Probing the health of running containers.
extension ContainerService {
    /// Runs one probe in a container; `ExecService.probe`, which is made after this service.
    package typealias Probe = @Sendable (Container, HealthCheck) async -> Health.Result

    /// `forget` drops the execs of a container: those that never ran, or all of them.
    func setExecKeeper(_ forget: @escaping @Sendable (_ id: String, _ all: Bool) -> Void) {
        execsForgotten.withLock { $0 = forget }
    }

    func forgetExecs(of id: String, all: Bool) { execsForgotten.withLock { $0 }?(id, all) }

    package func setProbe(_ probe: @escaping Probe) { self.probe.withLock { $0 = probe } }

    /// Begins to probe a running container that has a check; ends what was begun before.
    func beginHealthChecks(_ container: Container) {
        guard let check = HealthCheck(container.record.config), let probe = probe.withLock({ $0 }),
            let started = container.state.run?.startedAt
        else { return }
        let turn = container.nextHealthTurn()
        // Owned by the container, which cancels it when it pauses, ends or is begun anew.
        container.setHealthTask(
            turn,
            Task { [self] in
                while !Task.isCancelled {
                    let isStarting = container.record.health?.status == .starting
                    let age = Timestamp.now.nanoseconds - started.nanoseconds
                    try await Task.sleep(nanoseconds: UInt64(check.pause(age: age, isStarting: isStarting)))
                    let result = await probe(container, check)
                    metrics.probed(failed: result.exitCode != 0)
                    take(result, check, container, turn)
                }
            })
    }

    private func take(_ result: Health.Result, _ check: HealthCheck, _ container: Container, _ turn: UInt64) {
        var old: Health.Status?
        let updated = container.updateHealth(turn) { health, started in
            old = health.status
            health.on(result, check, startedAt: started)
        }
        guard let record = updated, let status = record.health?.status, status != old else { return }
        save(container)
        publish("health_status: " + status.rawValue, record)
    }

    /// Ends the probing: the container is paused or has ended.
    func endHealthChecks(_ container: Container) {
        container.cancelHealthTask()
        container.update { $0.health?.stop() }
    }
}
