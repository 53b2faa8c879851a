// SPDX-License-Identifier: Apache-2.0
// swrunc: an OCI runtime with runc's command line (docs/architecture.md).
import CLinux
import ContainerRuntime
import LinuxSystem

func runProgram() -> CInt {
    // A closed stdin, stdout or stderr would be taken by the first file we open.
    for standard in CInt(0)..<3 where swrun_fcntl(standard, F_GETFD, 0) < 0 {
        if swrun_open("/dev/null", O_RDWR, 0) < 0 { return 1 }
    }
    guard let arguments = try? CommandLineArguments.current() else { return 1 }
    return RuntimeCommandLine.run(arguments)
}

exit(runProgram())
