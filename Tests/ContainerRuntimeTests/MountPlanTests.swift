// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import OCISpec
import Testing

@testable import ContainerRuntime

@Suite("Mounts of a spec")
struct MountPlanTests {
    private func plan(_ destination: String, _ type: String, _ source: String, _ options: [String] = []) throws
        -> MountPlan
    {
        try MountPlan(
            RuntimeMount(destination: destination, type: type, source: source, options: options), bundle: FilePath("/b")
        )
    }

    @Test("options are sorted by what they act on")
    func options() throws {
        let options = try MountOptions([
            "rbind", "ro", "nosuid", "rnoexec", "rslave", "size=64m", "mode=755", "noatime", "tmpcopyup",
        ])
        #expect(options.isBind && options.isRecursiveBind && options.copiesUp)
        #expect(options.set == [.readOnly, .noSuid, .noAccessTime])
        #expect(options.clear == .accessTimeMask)
        #expect(options.recursiveSet == .noExec)
        #expect(options.propagation == .slave && options.isPropagationRecursive)
        #expect(options.fileSystem == ["size=64m", "mode=755"])
    }

    @Test("of contradicting options the last one counts")
    func last() throws {
        let options = try MountOptions(["ro", "rw", "noexec", "exec"])
        #expect(options.set.isEmpty)
        #expect(options.clear == [.readOnly, .noExec])
    }

    @Test("sources are relative to the bundle, destinations to the root")
    func paths() throws {
        let bind = try plan("data/../x", "bind", "files", ["bind"])
        #expect(bind.kind == .bind(source: FilePath("/b/files"), recursive: false))
        #expect(bind.destination == "/x")
        #expect(try plan("/../../etc", "tmpfs", "").destination == "/etc")
    }

    @Test("a source in the container's root is taken from there once a mount has changed what it is")
    func innerSources() throws {
        let root = FilePath("/b/rootfs")
        var bind = try MountPlan(
            RuntimeMount(destination: "/b/rootfs/y", type: "bind", source: "/b/rootfs/x/deep", options: ["rbind"]),
            bundle: FilePath("/b"), rootfs: root)
        #expect(bind.destination == "/y")
        bind.findInnerSource(in: root, after: [try plan("/xy", "tmpfs", "t"), try plan("/x/other", "tmpfs", "t")])
        #expect(bind.innerSource == nil)
        bind.findInnerSource(in: root, after: [try plan("/x", "tmpfs", "t")])
        #expect(bind.innerSource == "/x/deep")
    }

    @Test(
        "an option that takes another back changes nothing by itself",
        arguments: ["atime", "diratime", "nostrictatime", "noatime,atime", "strictatime,nostrictatime"])
    func withdrawals(_ list: String) throws {
        let options = try MountOptions(list.split(separator: ",").map { String($0) })
        #expect(options.set.isEmpty && options.clear.isEmpty && options.hasAttributes)
    }

    @Test("the kinds of mounts")
    func kinds() throws {
        #expect(try plan("/dev", "tmpfs", "").kind == .fileSystem(type: "tmpfs", source: "tmpfs"))
        #expect(try plan("/sys/fs/cgroup", "cgroup", "cgroup").kind == .cgroup)
        #expect(try plan("/x", "", "/y", ["rbind"]).kind == .bind(source: FilePath("/y"), recursive: true))
    }

    @Test(
        "nothing may hide the paths below /proc that confinement is applied to",
        arguments: [
            ("/proc", "tmpfs", "tmpfs"), ("/proc", "bind", "/tmp"), ("/proc/sys", "bind", "/tmp"),
            ("/proc/x/../sysrq-trigger", "bind", "/tmp"), ("/proc/self", "tmpfs", "x"),
        ])
    func proc(_ destination: String, _ type: String, _ source: String) {
        #expect(throws: RuntimeError.self) { _ = try plan(destination, type, source) }
    }

    @Test("what is harmless there may be bound", arguments: ["/proc/cpuinfo", "/proc/uptime", "/proc/net/dev"])
    func allowedProc(_ destination: String) throws {
        _ = try plan(destination, "bind", "/x")
        _ = try plan("/proc", "proc", "proc")
    }

    @Test("only a bind mount can be id-mapped, and only with both lists")
    func idMapping() throws {
        #expect(try plan("/x", "bind", "/y", ["bind", "ridmap"]).idMapping == .init(uids: [], gids: []))
        #expect(throws: RuntimeError.self) { _ = try plan("/x", "tmpfs", "", ["idmap"]) }
    }

    @Test("what makes no sense is refused, not left out")
    func senseless() {
        #expect(throws: RuntimeError.self) { _ = try plan("/x", "bind", "") }
        #expect(throws: RuntimeError.self) { _ = try plan("/x", "", "") }
    }
}
