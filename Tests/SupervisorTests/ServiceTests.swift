// SPDX-License-Identifier: Apache-2.0
import AsyncTTRPC
import ContainerdAPI
import LinuxSystem
import Metadata
import SwiftProtobuf
import Synchronization
import TTRPC
import Testing

@testable import Supervisor

/// The namespaces that were collected.
final class Collections: Sendable {
    private let noted = Mutex<[String]>([])

    var all: [String] { noted.withLock { $0 } }

    func note(_ namespace: String) { noted.withLock { $0.append(namespace) } }
}

/// Services on a database of their own, called as the transports call them: by name, with encoded messages.
final class ServiceFixture: Sendable {
    let directory: FilePath
    let events = EventService()
    let containers: ContainerService
    let handlers: RPCHandlerTable
    let collections = Collections()

    init() throws {
        directory = FilePath("/tmp/swrun-supervisor-test-\(monotonicNanoseconds())-\(UInt32.random(in: 0 ... .max))")
        try makeDirectory(directory, mode: 0o700)
        let database = try Database(path: directory / "meta.db")
        try database.migrate(component: SupervisorSchema.component, SupervisorSchema.migrations)
        let namespaces = NamespaceService(database: database, events: events)
        containers = ContainerService(database: database, namespaces: namespaces, events: events)
        var table = RPCHandlerTable()
        namespaces.register(on: &table)
        containers.register(on: &table)
        events.register(on: &table)
        LeaseService(database: database, namespaces: namespaces) { [collections] in collections.note($0) }.register(
            on: &table)
        StreamService().register(on: &table)
        SandboxService().register(on: &table)
        try IntrospectionService(root: directory).register(on: &table)
        handlers = table
    }

    deinit { try? removeTree(directory) }

    func call<Request: Message, Response: Message>(
        _ service: String, _ method: String, _ request: Request, namespace: String = "test",
        returning: Response.Type = Response.self
    ) async throws -> Response {
        let name = RPCHandlerTable.MethodName(service: "containerd.services." + service, method: method)
        guard case .unary(let body) = handlers.handlers[name] else { throw ServiceError(.unimplemented, method) }
        let metadata = namespace.isEmpty ? [] : [RPCMetadata("containerd-namespace", namespace)]
        let context = RPCContext(service: name.service, method: method, metadata: metadata)
        let bytes: [UInt8] = try request.serializedBytes()
        return try Response(serializedBytes: try await body(bytes, context))
    }

    func create(_ id: String, namespace: String = "test", labels: [String: String] = [:]) async throws {
        let request = Containerd_Services_Containers_V1_CreateContainerRequest.with {
            $0.container.id = id
            $0.container.runtime.name = "io.containerd.swrun.v2"
            $0.container.spec = Google_Protobuf_Any(typeURL: "spec", bytes: Array("{}".utf8))
            $0.container.labels = labels
        }
        _ = try await call(
            "containers.v1.Containers", "Create", request, namespace: namespace,
            returning: Containerd_Services_Containers_V1_CreateContainerResponse.self)
    }

    func list(_ filters: [String], namespace: String = "test") async throws -> [String] {
        let response: Containerd_Services_Containers_V1_ListContainersResponse = try await call(
            "containers.v1.Containers", "List",
            Containerd_Services_Containers_V1_ListContainersRequest.with { $0.filters = filters }, namespace: namespace)
        return response.containers.map { $0.id }
    }
}

@Suite("What the server says of itself")
struct ServerTests {
    private func plugin(_ type: String, _ id: String) async throws -> Containerd_Services_Introspection_V1_Plugin {
        let response: Containerd_Services_Introspection_V1_PluginInfoResponse = try await ServiceFixture().call(
            "introspection.v1.Introspection", "PluginInfo",
            Containerd_Services_Introspection_V1_PluginInfoRequest.with { ($0.type, $0.id) = (type, id) })
        return response.plugin
    }

    @Test("tells of one plugin")
    func pluginInfo() async throws {
        let found = try await plugin("io.containerd.snapshotter.v1", "overlayfs")
        #expect(found.id == "overlayfs" && found.platforms.count == 1)
        let missing = await #expect(throws: ServiceError.self) {
            try await plugin("io.containerd.snapshotter.v1", "zfs")
        }
        #expect(missing?.kind == .notFound)
    }

    @Test("has no sandboxes")
    func sandboxes() async throws {
        let answer: Google_Protobuf_Empty = try await ServiceFixture().call(
            "sandbox.v1.Store", "List", Google_Protobuf_Empty())
        #expect(answer == Google_Protobuf_Empty())
    }
}

@Suite("Container records")
struct ContainerServiceTests {
    @Test("are kept per namespace and found by filters")
    func createAndList() async throws {
        let fixture = try ServiceFixture()
        try await fixture.create("a", labels: ["role": "front"])
        try await fixture.create("b")
        try await fixture.create("a", namespace: "other")
        #expect(try await fixture.list([]) == ["a", "b"])
        #expect(try await fixture.list(["labels.role==front", "id==b"]) == ["a", "b"])
        #expect(try await fixture.list(["labels.role==front"]) == ["a"])
        #expect(try await fixture.list([], namespace: "other") == ["a"])
    }

    @Test("need a namespace, an id, a runtime and a spec")
    func refused() async throws {
        let fixture = try ServiceFixture()
        let missing = await #expect(throws: ServiceError.self) { try await fixture.create("a", namespace: "") }
        #expect(missing?.kind == .failedPrecondition)
        let badID = await #expect(throws: ServiceError.self) { try await fixture.create("../a") }
        #expect(badID?.kind == .invalidArgument)
        try await fixture.create("a")
        let twice = await #expect(throws: ServiceError.self) { try await fixture.create("a") }
        #expect(twice?.kind == .alreadyExists)
    }

    @Test("change as the field mask says, and can be deleted once")
    func updateAndDelete() async throws {
        let fixture = try ServiceFixture()
        try await fixture.create("a", labels: ["x": "1"])
        let update = Containerd_Services_Containers_V1_UpdateContainerRequest.with {
            $0.container.id = "a"
            $0.container.labels = ["y": "2"]
            $0.container.image = "ignored"
            $0.updateMask.paths = ["labels.y"]
        }
        let updated: Containerd_Services_Containers_V1_UpdateContainerResponse = try await fixture.call(
            "containers.v1.Containers", "Update", update)
        #expect(updated.container.labels == ["x": "1", "y": "2"])
        #expect(updated.container.image.isEmpty)
        var updateOfAll = updated.container
        updateOfAll.labels = ["z": "3"]
        let all: Containerd_Services_Containers_V1_UpdateContainerResponse = try await fixture.call(
            "containers.v1.Containers", "Update",
            Containerd_Services_Containers_V1_UpdateContainerRequest.with {
                $0.container = updateOfAll
                $0.updateMask = Google_Protobuf_FieldMask()  // as containerd's client sends it
            })
        #expect(all.container.labels == ["z": "3"])
        let delete = Containerd_Services_Containers_V1_DeleteContainerRequest.with { $0.id = "a" }
        let _: Google_Protobuf_Empty = try await fixture.call("containers.v1.Containers", "Delete", delete)
        let error = await #expect(throws: ServiceError.self) {
            let _: Google_Protobuf_Empty = try await fixture.call("containers.v1.Containers", "Delete", delete)
        }
        #expect(error?.kind == .notFound)
    }
}

@Suite("Namespaces and leases")
struct NamespaceServiceTests {
    private func names(_ fixture: ServiceFixture) async throws -> [String] {
        let response: Containerd_Services_Namespaces_V1_ListNamespacesResponse = try await fixture.call(
            "namespaces.v1.Namespaces", "List", Containerd_Services_Namespaces_V1_ListNamespacesRequest())
        return response.namespaces.map { $0.name }
    }

    @Test("a namespace comes with its first record, and goes only when it is empty")
    func life() async throws {
        let fixture = try ServiceFixture()
        #expect(try await names(fixture).isEmpty)
        try await fixture.create("a")
        #expect(try await names(fixture) == ["test"])
        let delete = Containerd_Services_Namespaces_V1_DeleteNamespaceRequest.with { $0.name = "test" }
        let error = await #expect(throws: ServiceError.self) {
            let _: Google_Protobuf_Empty = try await fixture.call("namespaces.v1.Namespaces", "Delete", delete)
        }
        #expect(error?.kind == .failedPrecondition)
        let remove = Containerd_Services_Containers_V1_DeleteContainerRequest.with { $0.id = "a" }
        let _: Google_Protobuf_Empty = try await fixture.call("containers.v1.Containers", "Delete", remove)
        let _: Google_Protobuf_Empty = try await fixture.call("namespaces.v1.Namespaces", "Delete", delete)
        #expect(try await names(fixture).isEmpty)
    }

    @Test("a lease lists its resources and takes them along")
    func leases() async throws {
        let fixture = try ServiceFixture()
        let created: Containerd_Services_Leases_V1_CreateResponse = try await fixture.call(
            "leases.v1.Leases", "Create", Containerd_Services_Leases_V1_CreateRequest.with { $0.id = "l" })
        #expect(created.lease.id == "l")
        let add = Containerd_Services_Leases_V1_AddResourceRequest.with {
            $0.id = "l"
            ($0.resource.id, $0.resource.type) = ("sha256:x", "content")
        }
        let _: Google_Protobuf_Empty = try await fixture.call("leases.v1.Leases", "AddResource", add)
        let listed: Containerd_Services_Leases_V1_ListResourcesResponse = try await fixture.call(
            "leases.v1.Leases", "ListResources",
            Containerd_Services_Leases_V1_ListResourcesRequest.with { $0.id = "l" })
        #expect(listed.resources.map { $0.id } == ["sha256:x"])
        let _: Google_Protobuf_Empty = try await fixture.call(
            "leases.v1.Leases", "Delete", Containerd_Services_Leases_V1_DeleteRequest.with { $0.id = "l" })
        let error = await #expect(throws: ServiceError.self) {
            let _: Google_Protobuf_Empty = try await fixture.call("leases.v1.Leases", "AddResource", add)
        }
        #expect(error?.kind == .notFound)
    }

    @Test("a collection comes with the end of a lease if it is to be waited for")
    func collection() async throws {
        let fixture = try ServiceFixture()
        for (id, sync) in [("a", false), ("b", true)] {
            let _: Containerd_Services_Leases_V1_CreateResponse = try await fixture.call(
                "leases.v1.Leases", "Create", Containerd_Services_Leases_V1_CreateRequest.with { $0.id = id })
            let delete = Containerd_Services_Leases_V1_DeleteRequest.with { ($0.id, $0.sync) = (id, sync) }
            let _: Google_Protobuf_Empty = try await fixture.call("leases.v1.Leases", "Delete", delete)
            #expect(fixture.collections.all == (sync ? ["test"] : []))
        }
    }
}

@Suite("Events")
struct EventServiceTests {
    @Test("reach the subscribers whose filters match")
    func subscribe() async throws {
        let events = EventService()
        let all = events.subscribe(try FilterSet([]))
        let exits = events.subscribe(try FilterSet(["topic==\"/tasks/exit\",namespace==b"]))
        events.publish("a", topic: "/tasks/exit", Containerd_Events_TaskExit.with { $0.id = "1" })
        events.publish("b", topic: "/tasks/start", Containerd_Events_TaskStart())
        events.publish("b", topic: "/tasks/exit", Containerd_Events_TaskExit.with { $0.id = "2" })
        var everything = all.makeAsyncIterator()
        var seen: [String] = []
        for _ in 0..<3 { seen.append(try await everything.next()?.topic ?? "") }
        #expect(seen == ["/tasks/exit", "/tasks/start", "/tasks/exit"])
        var exit = exits.makeAsyncIterator()
        let event = try await exit.next()
        #expect(event?.event.typeURL == "containerd.events.TaskExit")
        #expect(try event?.event.unpacked(as: Containerd_Events_TaskExit.self)?.id == "2")
    }

    @Test("a subscriber that falls far behind is told so")
    func slow() async throws {
        let events = EventService()
        let stream = events.subscribe(try FilterSet([]))
        for _ in 0..<10_000 { events.publish("a", topic: "/x", Google_Protobuf_Empty()) }
        let error = await #expect(throws: ServiceError.self) { for try await _ in stream {} }
        #expect(error?.kind == .unavailable)
    }
}
