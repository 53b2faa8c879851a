// SPDX-License-Identifier: Apache-2.0
import CLinux
import Flags
import LinuxSystem
import OCISpec

var runCommand: Command {
    Command(
        name: "run", help: "create and start a container, and wait for its end", usage: "CONTAINER-ID",
        flags: launchFlags + [
            .bool("detach", short: "d", "do not wait for it"),
            .bool("keep", "do not delete it when it has ended"),
            .bool("no-subreaper", "do not adopt the processes that it leaves"),
        ], arity: .exactly(1), failurePrefix: "runc run failed: ", entersContainer: true
    ) { invocation throws(RuntimeError) in
        let launcher = try makeLauncher(invocation)
        let log = invocation.log
        let isDetached = invocation.values.bool("detach")
        let hasTerminal = launcher.plan.process.hasTerminal
        if isDetached, hasTerminal, launcher.options.consoleSocket == nil {
            throw RuntimeError("cannot allocate tty if runc will detach without setting console socket")
        }
        if launcher.options.consoleSocket != nil, !(isDetached && hasTerminal) {
            throw RuntimeError("cannot use console socket if runc will not detach or allocate tty")
        }
        if isDetached {
            let console = try openConsole(launcher.options)
            try launchDetached(launcher, console: console, log)
            return 0
        }
        if !invocation.values.bool("no-subreaper") { try step("") { () throws(SysError) in try becomeSubreaper() } }
        let code = try runInForeground(hasTerminal: hasTerminal) { (console) throws(RuntimeError) in
            try launchNow(launcher, console: console, log)
        }
        if !invocation.values.bool("keep") { try destroy(try launcher.container(), log) }
        return code
    }
}

private func launchDetached(
    _ launcher: Launcher, console: consuming OwnedFD?, _ log: Log
) throws(RuntimeError) {
    let child = try launchNow(launcher, console: console, log)
    try child.readiness?.forward(of: child.pid, child.process)
}

/// Stands in for what `launch` starts until it ends; with a terminal, `launch` gets the socket that it is sent to.
func runInForeground(
    hasTerminal: Bool, _ launch: (consuming OwnedFD?) throws(RuntimeError) -> LaunchedContainer
) throws(RuntimeError) -> CInt {
    let signals = try step("") { () throws(SysError) in try SignalDescriptor(nonBlocking: true) }
    guard hasTerminal else {
        let child = try launch(nil)
        return try Foreground(child, signals: signals).wait()
    }
    let sockets = try step("") { () throws(SysError) in try UnixSocket.pair() }
    let ours = sockets.first
    let child = try launch(sockets.second)
    let master = try step("receive the terminal") { () throws(SysError) in try receiveDescriptor(ours) }
    guard let master else { throw RuntimeError("the container sent no terminal") }
    return try Foreground(child, signals: signals).relay(master)
}

/// Launches without waiting for a `start`. The container is deleted again if its program cannot be executed.
private func launchNow(
    _ launcher: Launcher, console: consuming OwnedFD?, _ log: Log
) throws(RuntimeError) -> LaunchedContainer {
    try starting { () throws(RuntimeError) in
        let child = try launcher.launch(waitsForStart: false, console: console)
        do throws(RuntimeError) {
            try child.expect(.ended)
            if !launcher.plan.spec.hooks.poststart.isEmpty {
                let container = try launcher.container()
                try runHooks(container.record.poststart, named: "poststart", state: container.state(.running))
            }
        } catch {
            if let container = try? launcher.container() { try? destroy(container, log) }
            _ = try? waitForChild(child.pid)
            throw error
        }
        return child
    }
}

extension Launcher {
    /// The container that was launched.
    fileprivate func container() throws(RuntimeError) -> Container { try Container(id, in: store, cgroup: cgroup) }
}
