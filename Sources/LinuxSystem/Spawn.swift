// SPDX-License-Identifier: Apache-2.0
package import CLinux

/// Starts a program as a child: nothing is inherited but the three descriptors given, unless it is asked for.
package struct Spawn {
    package var path: FilePath
    /// Without the program's name, which becomes argv[0].
    package var arguments: [String]
    /// `KEY=value`; nothing is inherited.
    package var environment: [String]
    package var directory: FilePath?
    /// In a session of its own, so that it outlives us and our terminal.
    package var newSession = false
    /// Killed (SIGKILL) when the thread that started it ends.
    package var diesWithParent = false
    /// In a process group of its own, which becomes the foreground group of the terminal on stdin, if there is one.
    package var inForeground = false
    /// What is not close-on-exec is inherited too.
    package var keepsDescriptors = false
    /// argv[0]; nil: the path.
    package var programName: String?

    package init(_ path: FilePath, _ arguments: [String], environment: [String] = []) {
        self.path = path
        self.arguments = arguments
        self.environment = environment
    }

    /// Returns the child's pid once it has executed the program; an error of execve(2) is thrown here.
    package func start(stdin: CInt, stdout: CInt, stderr: CInt) throws(SysError) -> pid_t {
        let flags =
            (newSession ? CInt(SWRUN_SPAWN_SETSID) : 0)
            | (diesWithParent ? CInt(SWRUN_SPAWN_PDEATHSIG) : 0)
            | (inForeground ? CInt(SWRUN_SPAWN_FOREGROUND) : 0)
            | (keepsDescriptors ? CInt(SWRUN_SPAWN_KEEP) : 0)
        var stdio: (CInt, CInt, CInt) = (stdin, stdout, stderr)
        return try sys("exec", path.string) {
            withCStrings([programName ?? path.string] + arguments) { argv in
                withCStrings(environment) { envp in
                    withUnsafeMutablePointer(to: &stdio) { triple in
                        triple.withMemoryRebound(to: CInt.self, capacity: 3) { descriptors in
                            withOptionalCString(directory?.string) { cwd in
                                swrun_spawn(path.string, argv, envp, cwd, descriptors, flags)
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Lends a NULL-terminated array of C strings, as execve(2) takes it.
package func withCStrings<R>(
    _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> R
) -> R {
    var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) }
    pointers.append(nil)
    defer { for case let pointer? in pointers { free(pointer) } }
    return pointers.withUnsafeBufferPointer { buffer in
        guard let base = buffer.baseAddress else { preconditionFailure("never empty: it ends with NULL") }
        return body(base)
    }
}

private func withOptionalCString<R>(_ string: String?, _ body: (UnsafePointer<CChar>?) -> R) -> R {
    guard let string else { return body(nil) }
    return string.withCString { body($0) }
}

/// The directory of the running program: the five programs find one another there.
package func programDirectory() throws(SysError) -> FilePath { try readLink(FilePath("/proc/self/exe")).parent }

package func readLink(_ path: FilePath) throws(SysError) -> FilePath {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = try sys("readlink", path.string) { readlink(path.string, &buffer, buffer.count) }
    return FilePath(String(decoding: buffer[0..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self))
}
