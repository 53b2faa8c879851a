// SPDX-License-Identifier: Apache-2.0
package import LinuxSystem

extension ContainerState {
    /// The STATUS column of `ps`: `Up 2 hours`, `Exited (137) 3 minutes ago`.
    package func statusText(now: Timestamp) -> String {
        switch phase {
        case .created: return "Created"
        case .running(let run): return "Up " + HumanDuration.text(from: run.startedAt, to: now)
        case .paused(let run): return "Up " + HumanDuration.text(from: run.startedAt, to: now) + " (Paused)"
        case .restarting(let exit):
            return "Restarting (\(exit.code)) " + HumanDuration.text(from: exit.finishedAt, to: now) + " ago"
        case .exited(let exit):
            if exit.startedAt == nil { return "Created" }
            return "Exited (\(exit.code)) " + HumanDuration.text(from: exit.finishedAt, to: now) + " ago"
        case .removing: return "Removal In Progress"
        case .dead: return "Dead"
        }
    }
}

extension ContainerRecord {
    /// The same with what the health checks say: `Up 2 hours (healthy)`.
    package func statusText(now: Timestamp) -> String {
        let text = state.statusText(now: now)
        guard case .running = state.phase, let health else { return text }
        return "\(text) (\(health.shown))"
    }
}

/// Durations as docker prints them for people.
package enum HumanDuration {
    package static func text(from start: Timestamp, to end: Timestamp) -> String {
        text(seconds: max(0, (end.nanoseconds - start.nanoseconds) / 1_000_000_000))
    }

    package static func text(seconds: Int64) -> String {
        let minutes = seconds / 60
        let hours = (seconds + 1800) / 3600  // rounded, as docker does
        switch seconds {
        case ..<1: return "Less than a second"
        case 1: return "1 second"
        case ..<60: return "\(seconds) seconds"
        case _ where minutes == 1: return "About a minute"
        case _ where minutes < 60: return "\(minutes) minutes"
        case _ where hours == 1: return "About an hour"
        case _ where hours < 48: return "\(hours) hours"
        case _ where hours < 24 * 7 * 2: return "\(hours / 24) days"
        case _ where hours < 24 * 30 * 2: return "\(hours / 24 / 7) weeks"
        case _ where hours < 24 * 365 * 2: return "\(hours / 24 / 30) months"
        default: return "\(hours / 24 / 365) years"
        }
    }
}
