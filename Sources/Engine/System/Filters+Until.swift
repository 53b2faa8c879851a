// SPDX-License-Identifier: Apache-2.0
package import DockerAPI
package import LinuxSystem

extension Filters {
    /// What `until` names: points in time before which something must have been made, given as times or durations ago.
    package func untilTimes() throws(EngineError) -> [Timestamp] {
        try values("until").map { (text) throws(EngineError) in
            guard let time = TimeArgument.parse(text, now: .now) else {
                throw .invalidArgument("failed to parse value as time or duration: \"\(text)\"")
            }
            return time
        }
    }
}
