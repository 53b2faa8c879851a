// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem

/// Before a process of ours enters a container, this program must be one that nobody can write to: a container can
/// reach the program of any process inside it through /proc/PID/exe, and could overwrite the host's file once that
/// process has ended (CVE-2019-5736).
///
/// If the program's file is writable, it runs itself again: from a copy of its mount that is read-only and attached
/// nowhere, so that nobody can change that, or from a copy of the file in memory, sealed for ever (memfd_create(2)).
/// Nothing tells the second run what it is: it looks at its own file, as the first did.
func runFromUnwritableProgram(_ arguments: [String], _ log: Log) throws(SysError) {
    let program = try open(FilePath("/proc/self/exe"), O_RDONLY)
    if isUnwritable(program) { return }
    log.debug("runc exeseal: using /proc/self/exe clone")
    if let tree = try? MountTree.clone(of: program), (try? tree.change(set: .readOnly)) != nil {
        try? execute(tree.fd, arguments)
    }
    let copy = OwnedFD(owning: try sys("memfd_create") { createExecutableMemory() })
    try fill(copy, from: program)
    let number = copy.raw
    try sys("fcntl(F_ADD_SEALS)") { swrun_fcntl(number, F_ADD_SEALS, CLong(allSeals)) }
    try execute(copy, arguments)
}

/// Returns only by an error.
private func execute(_ program: borrowing OwnedFD, _ arguments: [String]) throws(SysError) {
    let number = program.raw
    try sys("execveat", "own copy") {
        withCStrings(arguments) { argv in swrun_execute_fd(number, argv, swrun_environment()) }
    }
}

private let allSeals: CInt = 0x1 | 0x2 | 0x4 | 0x8  // F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE

/// MFD_EXEC
private let executableMemory: UInt32 = 0x10

/// ST_RDONLY
private let readOnlyMount: UInt = 1

/// A sealed memory file, or a file on a mount that is read-only.
private func isUnwritable(_ program: borrowing OwnedFD) -> Bool {
    let number = program.raw
    let seals = swrun_fcntl(number, F_GET_SEALS, 0)
    if seals >= 0, seals & allSeals == allSeals { return true }
    var info = statvfs()
    return fstatvfs(number, &info) == 0 && info.f_flag & readOnlyMount != 0
}

/// MFD_EXEC is asked for by kernels that make memory files not executable otherwise, and unknown to those before 6.3.
private func createExecutableMemory() -> CInt {
    let flags: UInt32 = 0x1 | 0x2  // MFD_CLOEXEC | MFD_ALLOW_SEALING
    let number = swrun_memfd_create("swrunc", flags | executableMemory)
    return number < 0 && Errno.current == .invalidArgument ? swrun_memfd_create("swrunc", flags) : number
}

private func fill(_ copy: borrowing OwnedFD, from program: borrowing OwnedFD) throws(SysError) {
    let (target, source) = (copy.raw, program.raw)
    while try sys("sendfile", "", { swrun_sendfile(target, source, 1 << 26) }) > 0 {}
}
