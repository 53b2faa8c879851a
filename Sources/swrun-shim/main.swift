// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem
import Shim

exit(ShimProgram.run((try? CommandLineArguments.current()) ?? []))
