// SPDX-License-Identifier: Apache-2.0
package import AsyncTTRPC
import ContainerdAPI
import FoundationEssentials
import Glibc
package import LinuxSystem
import OCISpec
import SwiftProtobuf

/// What this server is and which parts it has, in containerd's terms: clients look for the snapshotter's platforms here.
package struct IntrospectionService: Sendable {
    private let uuid: String

    /// Reads the server's id below `root`, or makes it.
    package init(root: FilePath) throws {
        let file = root / "uuid"
        if exists(file) {
            uuid = try readText(file)
        } else {
            uuid = UUID().uuidString.lowercased()
            try writeFileAtomically(file, Array(uuid.utf8))
        }
    }

    package func register(on table: inout RPCHandlerTable) {
        let service = "containerd.services.introspection.v1.Introspection"
        table.unary(service, "Server", server)
        table.unary(service, "Plugins", plugins)
        table.unary(service, "PluginInfo", pluginInfo)
    }

    private func server(
        _ request: Google_Protobuf_Empty, _ context: RPCContext
    ) throws -> Containerd_Services_Introspection_V1_ServerResponse {
        return .with {
            $0.uuid = uuid
            $0.pid = UInt64(getpid())
            $0.pidns = Self.pidNamespace
        }
    }

    /// The number in `pid:[4026531836]`.
    private static var pidNamespace: UInt64 {
        guard let name = try? readLink(FilePath("/proc/self/ns/pid")) else { return 0 }
        return UInt64(name.string.filter(\.isWholeNumber)) ?? 0
    }

    private func plugins(
        _ request: Containerd_Services_Introspection_V1_PluginsRequest, _ context: RPCContext
    ) throws -> Containerd_Services_Introspection_V1_PluginsResponse {
        let filters = try FilterSet(request.filters)
        let found = Self.all.filter { plugin in
            filters.matches { path in
                switch path {
                case ["type"]: plugin.type
                case ["id"]: plugin.id
                default: nil
                }
            }
        }
        return .with { $0.plugins = found }
    }

    private func pluginInfo(
        _ request: Containerd_Services_Introspection_V1_PluginInfoRequest, _ context: RPCContext
    ) throws -> Containerd_Services_Introspection_V1_PluginInfoResponse {
        guard let plugin = Self.all.first(where: { $0.type == request.type && $0.id == request.id }) else {
            throw ServiceError(.notFound, "plugin \(request.type).\(request.id): not found")
        }
        return .with { $0.plugin = plugin }
    }

    private static let all: [Containerd_Services_Introspection_V1_Plugin] =
        [
            plugin("io.containerd.content.v1", "content"),
            plugin("io.containerd.snapshotter.v1", "overlayfs", hasPlatform: true),
            plugin("io.containerd.metadata.v1", "sqlite"),
            plugin("io.containerd.differ.v1", "walking", hasPlatform: true),
            plugin("io.containerd.runtime.v2", "task", hasPlatform: true),
            plugin("io.containerd.transfer.v1", "local"),
        ] + services.map { plugin("io.containerd.grpc.v1", $0) }

    private static let services = [
        "containers", "content", "diff", "events", "images", "introspection", "leases", "namespaces", "snapshots",
        "streaming", "tasks", "transfer", "version",
    ]

    private static func plugin(
        _ type: String, _ id: String, hasPlatform: Bool = false
    ) -> Containerd_Services_Introspection_V1_Plugin {
        .with {
            $0.type = type
            $0.id = id
            if hasPlatform { $0.platforms = [.host] }
        }
    }
}

extension Containerd_Types_Platform {
    /// The machine that we run on.
    static var host: Containerd_Types_Platform {
        #if arch(arm64)
            let architecture = "arm64"
        #else
            let architecture = "amd64"
        #endif
        return .with {
            $0.os = "linux"
            $0.architecture = architecture
        }
    }
}
