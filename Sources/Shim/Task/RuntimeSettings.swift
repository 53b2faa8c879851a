// SPDX-License-Identifier: Apache-2.0
import CLinux
import JSON
import LinuxSystem
import ShimAPI

/// Which OCI runtime makes this container, and where that runtime keeps its state.
struct RuntimeSettings: Sendable, Equatable {
    var binary: FilePath
    var root: FilePath
    var systemdCgroup = false
    var noPivotRoot = false
    var noNewKeyring = false

    /// The runtime's state is per namespace, so that two namespaces may have containers of the same id.
    init(_ options: RuntimeOptions, namespace: String) throws(SysError) {
        binary = try Self.locate(options.binaryName)
        root = FilePath(options.root.utf8.isEmpty ? "/run/swrunc" : options.root) / namespace
        systemdCgroup = options.systemdCgroup
        noPivotRoot = options.noPivotRoot
        noNewKeyring = options.noNewKeyring
    }

    /// swrunc beside our own program, unless the client names another: a path, or a name to look for in PATH.
    private static func locate(_ name: String) throws(SysError) -> FilePath {
        if name.utf8.isEmpty { return try programDirectory() / "swrunc" }
        if name.utf8.contains(UInt8(ascii: "/")) {
            guard access(name, F_OK) == 0 else { throw SysError("find runtime", name, .noSuchFile) }
            return FilePath(name)
        }
        guard let found = findExecutable(name) else {
            throw SysError("find runtime", name, .noSuchFile, hint: "not in PATH")
        }
        return found
    }

    // MARK: Kept in the bundle, for `swrun-shim delete` after the shim itself is gone

    private static func file(_ bundle: FilePath) -> FilePath { bundle / "shim.json" }

    func save(in bundle: FilePath) throws(SysError) {
        let document: JSONValue = .object([
            .init("binary", .string(binary.string)), .init("root", .string(root.string)),
            .init("systemdCgroup", .bool(systemdCgroup)),
        ])
        try writeFile(Self.file(bundle), document.bytes())
    }

    /// Nil if nothing was saved, so that there never was a container.
    init?(savedIn bundle: FilePath) {
        guard let bytes = try? readFile(Self.file(bundle), limit: 65536),
            let document = try? JSONValue(parsing: bytes), let binary = document["binary"]?.string,
            let root = document["root"]?.string
        else { return nil }
        self.binary = FilePath(binary)
        self.root = FilePath(root)
        systemdCgroup = document["systemdCgroup"]?.bool ?? false
    }

    /// The flags before every command.
    func globalArguments(log: FilePath?) -> [String] {
        var arguments = ["--root", root.string]
        if let log { arguments += ["--log", log.string, "--log-format", "json"] }
        if systemdCgroup { arguments.append("--systemd-cgroup") }
        return arguments
    }
}
