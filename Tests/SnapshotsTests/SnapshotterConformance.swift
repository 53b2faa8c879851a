// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import Snapshots
import Testing

/// What every snapshot driver must do, whatever it keeps snapshots in.
struct SnapshotterConformance {
    let snapshotter: any Snapshotter
    let namespace = "test"

    private func expect(_ kind: ErrorKind, _ body: () throws -> Void) {
        let error = #expect(throws: ServiceError.self) { try body() }
        #expect(error?.kind == kind)
    }

    func checkLifecycle() throws {
        #expect(try !snapshotter.prepare(namespace, "active").isEmpty)
        #expect(try snapshotter.stat(namespace, "active").kind == .active)
        #expect(try snapshotter.mounts(namespace, "active") == snapshotter.mounts(namespace, "active"))
        try snapshotter.commit(namespace, name: "layer", key: "active", labels: ["a": "b"])
        let layer = try snapshotter.stat(namespace, "layer")
        #expect(layer.kind == .committed)
        #expect(layer.labels["a"] == "b")
        #expect(layer.parent.isEmpty)
        expect(.notFound) { _ = try snapshotter.stat(namespace, "active") }
        expect(.failedPrecondition) { _ = try snapshotter.mounts(namespace, "layer") }
        #expect(!(try snapshotter.view(namespace, "child", parent: "layer", labels: [:])).isEmpty)
        #expect(try snapshotter.stat(namespace, "child").parent == "layer")
        // Parents first, whatever the names.
        #expect(try snapshotter.list(namespace).map { $0.name } == ["layer", "child"])
        try snapshotter.remove(namespace, "child")
        try snapshotter.remove(namespace, "layer")
        #expect(try snapshotter.list(namespace).isEmpty)
    }

    func checkRefusals() throws {
        _ = try snapshotter.prepare(namespace, "base-active")
        expect(.invalidArgument) { _ = try snapshotter.prepare(namespace, "x", parent: "base-active") }
        try snapshotter.commit(namespace, name: "base", key: "base-active")
        _ = try snapshotter.prepare(namespace, "top", parent: "base")
        expect(.alreadyExists) { _ = try snapshotter.prepare(namespace, "top", parent: "base") }
        expect(.alreadyExists) { try snapshotter.commit(namespace, name: "base", key: "top") }
        expect(.failedPrecondition) { try snapshotter.remove(namespace, "base") }
        expect(.failedPrecondition) { try snapshotter.commit(namespace, name: "again", key: "base") }
        expect(.notFound) { _ = try snapshotter.prepare(namespace, "y", parent: "nothing") }
        expect(.notFound) { try snapshotter.remove(namespace, "nothing") }
        expect(.notFound) { _ = try snapshotter.usage(namespace, "nothing") }
        expect(.invalidArgument) { _ = try snapshotter.prepare(namespace, "") }
        _ = try snapshotter.view(namespace, "view", parent: "base", labels: [:])
        expect(.failedPrecondition) { try snapshotter.commit(namespace, name: "z", key: "view") }
        // Another namespace knows nothing of all this.
        expect(.notFound) { _ = try snapshotter.stat("other", "base") }
        _ = try snapshotter.prepare("other", "top")
    }

    func checkLabels() throws {
        _ = try snapshotter.prepare(namespace, "a", parent: "", labels: ["x": "1"])
        let updated = try snapshotter.updateLabels(namespace, "a") { $0["y"] = "2" }
        let own = updated.labels.filter { !$0.key.hasPrefix("containerd.io/snapshot/") }  // what a driver tells
        #expect(own == ["x": "1", "y": "2"])
        #expect(try snapshotter.stat(namespace, "a").labels == updated.labels)
    }
}
