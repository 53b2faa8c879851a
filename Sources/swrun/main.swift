// SPDX-License-Identifier: Apache-2.0
// swrun: the command line for people, docker's command tree over the Docker Engine API.
import Commands
import Glibc

// Scripts expect an exit code of 128 + signal rather than a death by signal. While streams are attached the signals
// are blocked and go to the container instead.
for number in [SIGHUP, SIGINT, SIGTERM] { signal(number) { _exit(128 + $0) } }

exit(CLI.main(Array(CommandLine.arguments.dropFirst())))
