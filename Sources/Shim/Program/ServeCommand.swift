// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem

/// The shim itself: serves the socket that it was started with until it has nothing to care for any more.
enum ServeCommand {
    /// How long a shim without a container waits for somebody to want one.
    private static let lonelyMilliseconds: Int64 = 10_000

    /// How long attach clients may take to read what is still on its way to them.
    private static let lingerMilliseconds: Int64 = 30_000

    static func run(_ arguments: ShimArguments) throws(SysError) {
        let listener = try takeListener()
        let path = FilePath(arguments.socket)
        let loop = try EventLoop()
        let context = try ShimContext(loop: loop, namespace: arguments.namespace, socketPath: path)
        let service = TaskService(context: context)
        let server = try ShimServer(listener, path: path, loop: loop) { service.handle($0, $1) }
        let end = {
            server.close()
            context.events.whenIdle { loop.stop(withinMilliseconds: lingerMilliseconds) }
        }
        service.onShutdown = end
        context.reaper.onTerminate = { if service.isIdle { end() } }
        let watchLoneliness = { leaveWhenLonely(service, server, loop, end) }
        service.onIdle = watchLoneliness
        server.onDesertion = watchLoneliness
        watchLoneliness()
        try loop.run()
    }

    /// A supervisor that dies between two steps leaves nobody to say `Shutdown`. The next one may even have removed the
    /// bundle, and killed the container, of a task that it could not reach: nobody will ever ask for that.
    private static func leaveWhenLonely(
        _ service: TaskService, _ server: ShimServer, _ loop: EventLoop, _ end: @escaping () -> Void
    ) {
        loop.after(milliseconds: lonelyMilliseconds) {
            let isUnneeded = service.isIdle || isBundleGone
            guard isUnneeded || !server.hasConnections else { return }
            if isUnneeded, !server.hasConnections { return end() }
            leaveWhenLonely(service, server, loop, end)
        }
    }

    /// The shim works in its bundle's directory.
    private static var isBundleGone: Bool { (try? status(FilePath(".")))?.st_nlink == 0 }

    /// Moves the socket from stdin to a number of its own.
    private static func takeListener() throws(SysError) -> OwnedFD {
        let number = try sys("fcntl(F_DUPFD_CLOEXEC)") { swrun_fcntl(0, F_DUPFD_CLOEXEC, 3) }
        let listener = OwnedFD(owning: number)
        let null = try LinuxSystem.open(FilePath("/dev/null"), O_RDWR)
        let nullNumber = null.raw
        try sys("dup2") { dup2(nullNumber, 0) }
        return listener
    }
}
