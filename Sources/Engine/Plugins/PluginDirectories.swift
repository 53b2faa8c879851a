// SPDX-License-Identifier: Apache-2.0
import CLinux
import JSON
import LinuxSystem

/// Where plugins are found. In each directory a plugin is `NAME.sock` or `NAME/NAME.sock`, else the URL in `NAME.spec` or
/// `NAME/NAME.spec`, else the description in `NAME.json` or `NAME/NAME.json`.
package struct PluginDirectories: Sendable {
    /// docker's places, in its order.
    package static let standard = ["/run/docker/plugins", "/etc/docker/plugins", "/usr/lib/docker/plugins"]

    private static let suffixes = [".sock", ".spec", ".json"]

    private let paths: [FilePath]

    package init(_ paths: [String]) { self.paths = paths.map { FilePath($0) } }

    /// The address of a plugin; nil if there is none of this name.
    func address(of name: String) throws(PluginError) -> PluginAddress? {
        guard !name.isEmpty, !name.contains("/"), name != "." && name != ".." else { return nil }
        for directory in paths {
            for suffix in Self.suffixes {
                for path in [directory / (name + suffix), directory / name / (name + suffix)] {
                    if let address = try address(in: path, suffix) { return address }
                }
            }
        }
        return nil
    }

    private func address(in path: FilePath, _ suffix: String) throws(PluginError) -> PluginAddress? {
        guard let info = try? status(path) else { return nil }
        if suffix == ".sock" {
            return info.st_mode & UInt32(S_IFMT) == UInt32(S_IFSOCK) ? PluginAddress(socket: path.string) : nil
        }
        guard let bytes = try? readFile(path) else { return nil }
        if suffix == ".spec" { return try PluginAddress(url: String(decoding: bytes, as: UTF8.self)) }
        guard let json = try? JSONValue(parsing: bytes) else {
            throw PluginError(.unreachable, "read \(path.string): not a JSON document")
        }
        return try PluginAddress(json: json)
    }

    /// Whether a plugin of this name may come: it is one, and there is a directory for it.
    func mayCome(_ name: String) -> Bool {
        !name.isEmpty && !name.contains("/") && paths.contains { exists($0) }
    }

    /// The names of all plugins that are there.
    func names() -> [String] {
        var names: [String] = []
        for directory in paths {
            for entry in (try? listDirectory(directory)) ?? [] {
                let suffix = Self.suffixes.first { entry.hasSuffix($0) }
                let name = suffix.map { String(entry.dropLast($0.count)) } ?? entry
                guard !names.contains(name) else { continue }
                if suffix != nil || Self.suffixes.contains(where: { exists(directory / name / (name + $0)) }) {
                    names.append(name)
                }
            }
        }
        return names.sorted()
    }
}
