// SPDX-License-Identifier: Apache-2.0
import Cgroups
import ContainerdAPI
package import JSON
import LinuxSystem
import ShimAPI
import SwiftProtobuf

/// What a client of `/containers/{id}/stats` wants.
package enum StatisticsRequest: Sendable, Equatable {
    /// One sample a second until the container is removed, over stops and starts too.
    case stream
    /// The second of two samples, so that what was used in between can be told.
    case pair
    /// One sample, at once.
    case single
}

/// The answer to one client.
package struct StatisticsAnswer: Sendable {
    let service: ContainerService
    let container: Container
    let request: StatisticsRequest

    /// Sends the documents one by one; a container that does not run has empty ones.
    package func send(_ send: (JSONValue) async throws -> Void) async throws {
        let (container, service) = (container, service)
        func document(_ sample: ContainerSample, after previous: ContainerSample? = nil) -> JSONValue {
            sample.json(name: container.record.name, id: container.id, previous: previous)
        }
        if request != .stream, !container.state.isRunning { return try await send(document(.stopped)) }
        if request == .single { return try await send(document(await service.sample(container))) }
        var previous: ContainerSample?
        let samples = service.statistics.subscribe(container.id) { await service.sample(container) }
        if container.state.isRemoving { service.statistics.finish(container.id) }
        for await sample in samples {
            if request == .stream || previous != nil { try await send(document(sample, after: previous)) }
            if request == .pair, previous != nil { return }
            previous = sample
        }
    }
}

extension ContainerService {
    package func statistics(
        _ reference: String, _ request: StatisticsRequest
    ) throws(EngineError) -> StatisticsAnswer {
        StatisticsAnswer(service: self, container: try find(reference), request: request)
    }

    /// A container that ends meanwhile has an empty sample.
    func sample(_ container: Container) async -> ContainerSample {
        guard container.state.isRunning, let found = try? await supervisor.taskMetrics([container.id]),
            let metric = found.first,
            let figures = try? CgroupStatistics(
                messageName: metric.data.messageName, value: Array(metric.data.value))
        else { return .stopped }
        let processors = HostProcessors.current()
        let interfaces = InterfaceCounters.read(pid: container.state.pid)
        return ContainerSample(
            usage: ContainerSample.Usage(
                read: .now, figures: figures, processors: processors, interfaces: interfaces,
                machineMemory: machineMemory))
    }
}

extension Google_Protobuf_Any {
    /// What follows the last slash of the type's URL.
    fileprivate var messageName: String { String(typeURL.split(separator: "/").last ?? "") }
}
