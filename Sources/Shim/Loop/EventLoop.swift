// SPDX-License-Identifier: Apache-2.0
import LinuxSystem

/// The shim's only thread: waits for descriptors and deadlines and calls their handlers, one at a time.
///
/// A handler keeps what it captures alive until `unwatch` or `cancel`, so an object that watches something lives until
/// it is closed; nothing else has to hold it.
final class EventLoop {
    typealias Handler = (Readiness) -> Void

    /// Names one watched descriptor or one timer. Never used twice, so an event that is already in hand for something
    /// unwatched meanwhile finds nobody.
    struct Token: Equatable, Sendable {
        fileprivate var number: UInt64
    }

    private struct Source {
        var token: Token
        var fd: CInt
        var interest: Readiness
        var delaysStop: Bool
        var handler: Handler
    }

    private struct Timer {
        var token: Token
        var deadline: Int64
        var action: () -> Void
    }

    private let epoll: Epoll
    private var sources: [Source] = []
    private var timers: [Timer] = []
    private var lastToken: UInt64 = 0
    private var stopDeadline: Int64?

    init() throws(SysError) { epoll = try Epoll() }

    /// Calls `handler` whenever `fd` is ready. The caller keeps `fd` open until `unwatch`. With `delaysStop`, `stop`
    /// waits for the end of it.
    func watch(
        _ fd: CInt, _ interest: Readiness, delaysStop: Bool = false, _ handler: @escaping Handler
    ) throws(SysError) -> Token {
        let token = makeToken()
        if !interest.isEmpty { try epoll.add(fd, token: token.number, interest) }
        sources.append(
            Source(token: token, fd: fd, interest: interest, delaysStop: delaysStop, handler: handler))
        return token
    }

    /// Changes what is waited for. An empty interest takes the descriptor out of epoll, which would report a hang-up
    /// for ever otherwise.
    func setInterest(_ token: Token, _ interest: Readiness) {
        guard let index = sources.firstIndex(where: { $0.token == token }), sources[index].interest != interest
        else { return }
        let source = sources[index]
        sources[index].interest = interest
        if interest.isEmpty {
            epoll.remove(source.fd)
        } else if source.interest.isEmpty {
            _ = try? epoll.add(source.fd, token: token.number, interest)
        } else {
            _ = try? epoll.modify(source.fd, token: token.number, interest)
        }
    }

    func unwatch(_ token: Token) {
        guard let index = sources.firstIndex(where: { $0.token == token }) else { return }
        let source = sources.remove(at: index)
        if !source.interest.isEmpty { epoll.remove(source.fd) }
    }

    /// Calls `action` once, after at least so long.
    @discardableResult
    func after(milliseconds: Int64, _ action: @escaping () -> Void) -> Token {
        let token = makeToken()
        let deadline = monotonicNanoseconds() + milliseconds * 1_000_000
        timers.append(Timer(token: token, deadline: deadline, action: action))
        return token
    }

    func cancel(_ timer: Token) { timers.removeAll { $0.token == timer } }

    /// Ends `run` when nothing that delays it is left, at the latest after so long.
    func stop(withinMilliseconds patience: Int64) {
        guard stopDeadline == nil else { return }
        stopDeadline = monotonicNanoseconds() + patience * 1_000_000
        after(milliseconds: patience) {}
    }

    func run() throws(SysError) {
        while !mayStop {
            for event in try epoll.wait(timeoutMilliseconds: millisecondsToNextTimer()) {
                guard let source = sources.first(where: { $0.token.number == event.token }) else { continue }
                source.handler(event.ready)
            }
            fireTimers()
        }
    }

    private var mayStop: Bool {
        guard let stopDeadline else { return false }
        return monotonicNanoseconds() >= stopDeadline || !sources.contains { $0.delaysStop }
    }

    private func makeToken() -> Token {
        lastToken += 1
        return Token(number: lastToken)
    }

    private func millisecondsToNextTimer() -> CInt {
        guard let next = timers.map({ $0.deadline }).min() else { return -1 }
        let rest = next - monotonicNanoseconds()
        return rest <= 0 ? 0 : CInt(clamping: (rest + 999_999) / 1_000_000)
    }

    private func fireTimers() {
        guard !timers.isEmpty else { return }
        let now = monotonicNanoseconds()
        while let index = timers.firstIndex(where: { $0.deadline <= now }) {
            timers.remove(at: index).action()
        }
    }
}
