// SPDX-License-Identifier: Apache-2.0
package import OCISpec

/// A process limit as the kernel takes it (prlimit(2)).
package struct ResourceLimit: Sendable, Equatable {
    package var resource: Int32
    /// As the spec has it: `RLIMIT_NOFILE`.
    package var name: String { names[Int(resource)] }
    package var soft: UInt64
    package var hard: UInt64

    package init(resource: Int32, soft: UInt64, hard: UInt64) {
        self.resource = resource
        self.soft = soft
        self.hard = hard
    }

    package init(_ limit: RuntimeProcess.Limit) throws(RuntimeSpecError) {
        guard let index = names.firstIndex(of: limit.type) else {
            throw RuntimeSpecError("invalid rlimit type: " + limit.type)
        }
        self.init(resource: Int32(index), soft: limit.soft, hard: limit.hard)
    }
}

/// By number (asm-generic/resource.h).
private let names = [
    "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_DATA", "RLIMIT_STACK", "RLIMIT_CORE", "RLIMIT_RSS", "RLIMIT_NPROC",
    "RLIMIT_NOFILE", "RLIMIT_MEMLOCK", "RLIMIT_AS", "RLIMIT_LOCKS", "RLIMIT_SIGPENDING", "RLIMIT_MSGQUEUE",
    "RLIMIT_NICE", "RLIMIT_RTPRIO", "RLIMIT_RTTIME",
]
