// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import JSON
import LinuxSystem

// Limits and log options, with docker's words.
extension ContainerValidation {
    func checkMemory() throws(EngineError) {
        let memory = host.number("Memory")
        let swap = host.number("MemorySwap")
        let reservation = host.number("MemoryReservation")
        if memory != 0, memory < 6 << 20 { throw .invalidArgument("Minimum memory limit allowed is 6MB") }
        if memory > 0, swap > 0, swap < memory {
            throw .invalidArgument("Minimum memoryswap limit should be larger than memory limit, see usage")
        }
        if memory == 0, swap > 0 {
            throw .invalidArgument("You should always set the Memory limit when using Memoryswap limit, see usage")
        }
        if let swappiness = host["MemorySwappiness"].int, !(-1...100).contains(swappiness) {
            throw .invalidArgument("Invalid value: \(swappiness), valid memory swappiness range is 0-100")
        }
        if reservation != 0, reservation < 6 << 20 {
            throw .invalidArgument("Minimum memory reservation allowed is 6MB")
        }
        if memory > 0, reservation > memory {
            throw .invalidArgument("Minimum memory limit can not be less than memory reservation limit, see usage")
        }
    }

    func checkCPU() throws(EngineError) {
        let nano = host.number("NanoCpus")
        let cpus = facts.cpuCount
        if nano > 0, host.number("CpuPeriod") > 0 {
            throw .invalidArgument("Conflicting options: Nano CPUs and CPU Period cannot both be set")
        }
        if nano > 0, host.number("CpuQuota") > 0 {
            throw .invalidArgument("Conflicting options: Nano CPUs and CPU Quota cannot both be set")
        }
        if nano < 0 || nano > Int64(cpus) * 1_000_000_000 {
            throw .invalidArgument(
                "Range of CPUs is from 0.01 to \(cpus).00, as there are only \(cpus) CPUs available")
        }
        let period = host.number("CpuPeriod")
        if period != 0, !(1000...1_000_000).contains(period) {
            throw .invalidArgument(
                "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)")
        }
        let quota = host.number("CpuQuota")
        if quota > 0, quota < 1000 { throw .invalidArgument("CPU cfs quota can not be less than 1ms (i.e. 1000)") }
        try checkSet("CpusetCpus", "cpuset cpus", "CPUs", "/sys/devices/system/cpu/online")
        try checkSet("CpusetMems", "cpuset mems", "memory nodes", "/sys/devices/system/node/online")
    }

    private func checkSet(_ field: String, _ title: String, _ what: String, _ file: String) throws(EngineError) {
        let text = host.text(field)
        if text.isEmpty { return }
        guard let wanted = Self.numbers(text) else {
            throw .invalidArgument("Invalid value \(text) for \(title): invalid format: \(text)")
        }
        let online = (try? readText(FilePath(file))) ?? "0"
        guard let available = Self.numbers(online), wanted.isSubset(of: available) else {
            throw .invalidArgument("Requested \(what) are not available - requested \(text), available: \(online)")
        }
    }

    /// `0-2,5` as a set; nil if it is malformed.
    static func numbers(_ text: String) -> Set<Int>? {
        var result: Set<Int> = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            guard (1...2).contains(ends.count), let low = ends[0], let high = ends[ends.count - 1], low >= 0,
                low <= high, high < 8192
            else { return nil }
            result.formUnion(low...high)
        }
        return result
    }

    func checkLog() throws(EngineError) {
        try LogOptions.validate(driver: host.logDriver, options: host.logOptions)
    }
}
