// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem

/// What the program `swrun-shim` does; its exit code.
package enum ShimProgram {
    package static func run(_ arguments: [String]) -> CInt {
        if FilePath(arguments.first ?? "").lastComponent == "docker-init" {
            return InitProgram.run(Array(arguments.dropFirst()))
        }
        do throws(ShimArguments.InvalidArguments) {
            return perform(try ShimArguments(parsing: Array(arguments.dropFirst())))
        } catch {
            return complain(error.message)
        }
    }

    private static func perform(_ arguments: ShimArguments) -> CInt {
        do throws(SysError) {
            switch arguments.action {
            case .version: try write("swrun-shim version " + Version.number + "\n")
            case .start: try write(try StartCommand.run(try checked(arguments)))
            case .delete: try writeAll(1, try DeleteCommand.run(try checked(arguments)))
            case .serve: try ServeCommand.run(arguments)
            }
            return 0
        } catch {
            return complain(error.description)
        }
    }

    private static func checked(_ arguments: ShimArguments) throws(SysError) -> ShimArguments {
        guard !arguments.namespace.utf8.isEmpty, !arguments.id.utf8.isEmpty, !arguments.address.utf8.isEmpty else {
            throw SysError("swrun-shim", "", .invalidArgument, hint: "-namespace, -id and -address are required")
        }
        return arguments
    }

    private static func write(_ text: String) throws(SysError) { try writeAll(1, Array(text.utf8)) }

    private static func writeAll(_ fd: CInt, _ bytes: [UInt8]) throws(SysError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = try sys("write") { rest.withUnsafeBytes { CLinux.write(fd, $0.baseAddress, $0.count) } }
            rest = rest.dropFirst(count)
        }
    }

    static func complain(_ message: String) -> CInt {
        _ = try? writeAll(2, Array(("swrun-shim: " + message + "\n").utf8))
        return 1
    }
}
