// SPDX-License-Identifier: Apache-2.0
import Cgroups
import Flags
import JSON
import LinuxSystem

var psCommand: Command {
    Command(
        name: "ps", help: "list the processes of a container", usage: "CONTAINER-ID [PS OPTIONS]",
        flags: [.string("format", short: "f", default: "table", "table or json")], arity: .atLeast(1),
        passesArgumentsOn: true
    ) { invocation throws(RuntimeError) in
        let container = try invocation.container()
        if container.cgroup.isMissing { throw RuntimeError("the container has no cgroup that knows its processes") }
        let pids = container.cgroup.processes().sorted()
        switch invocation.values.string("format") {
        case "json": writeText(1, pids.isEmpty ? "null" : JSONValue.array(pids.map { .int(Int64($0)) }).serialized())
        case "table": try printTable(pids, options: Array(invocation.values.arguments.dropFirst()))
        default: throw RuntimeError("invalid format option")
        }
        return 0
    }
}

/// Runs the host's ps and keeps its heading and the lines of these processes.
private func printTable(_ pids: [Int32], options: [String]) throws(RuntimeError) {
    let output = try step("run ps") { () throws(SysError) in
        let pipe = try Pipe()
        let null = try open(FilePath("/dev/null"), 0)
        let spawn = Spawn(
            FilePath(exists(FilePath("/usr/bin/ps")) ? "/usr/bin/ps" : "/bin/ps"), options.isEmpty ? ["-ef"] : options)
        let pid = try spawn.start(stdin: null.raw, stdout: pipe.write.raw, stderr: 2)
        close(pipe.write)
        let bytes = try readAll(pipe.read, limit: 64 << 20)
        _ = try waitForChild(pid)
        return String(decoding: bytes, as: UTF8.self)
    }
    let lines = output.split(separator: "\n")
    guard let heading = lines.first,
        let column = heading.split(separator: " ").firstIndex(where: { $0 == "PID" })
    else { throw RuntimeError("couldn't find PID field in ps output") }
    writeLine(1, String(heading))
    for line in lines.dropFirst() {
        let fields = line.split(separator: " ")
        if fields.count > column, let pid = Int32(fields[column]), pids.contains(pid) { writeLine(1, String(line)) }
    }
}
