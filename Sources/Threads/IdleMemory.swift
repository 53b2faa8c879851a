// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import LinuxSystem

/// Memory that a daemon holds only because it was busy once.
package enum IdleMemory {
    /// Starts a thread that gives it back whenever the process has done next to nothing for `seconds` (5), once for
    /// each such rest. The next request pays about a millisecond for it.
    package static func releaseWhenIdle(after seconds: UInt32 = 5) {
        detachThread {
            var used = processorNanoseconds()
            var isReleased = false
            while true {
                sleep(seconds)
                let isIdle = processorNanoseconds() - used < Int64(seconds) * 2_000_000
                if isIdle && !isReleased { release() }
                isReleased = isIdle
                used = processorNanoseconds()
            }
        }
    }

    /// What malloc(3) keeps, and the pages of programs and libraries: most of those that are mapped are of the start
    /// alone, or came with their neighbours. They stay in the kernel's cache as long as it has room for them.
    static func release() {
        Heap.release()
        for code in codeMappings((try? readText(FilePath("/proc/self/maps"))) ?? "") {
            _ = madvise(UnsafeMutableRawPointer(bitPattern: code.lowerBound), code.count, MADV_DONTNEED)
        }
    }

    /// The address ranges of files' code: nobody has written to them, so the file has all that they hold (proc(5),
    /// /proc/PID/maps).
    static func codeMappings(_ maps: String) -> [Range<UInt>] {
        maps.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ", maxSplits: 5)
            guard fields.count == 6, fields[1] == "r-xp", fields[4] != "0" else { return nil }
            let ends = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            return ends.count == 2 && ends[0] < ends[1] ? ends[0]..<ends[1] : nil
        }
    }

    /// CPU time of all threads since the start of the process (clock_gettime(2)).
    private static func processorNanoseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
