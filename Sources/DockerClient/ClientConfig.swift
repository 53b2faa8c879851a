// SPDX-License-Identifier: Apache-2.0
package import JSON
package import LinuxSystem

/// The user's `config.json` and contexts, in docker's format and place.
package struct ClientConfig: Sendable {
    package let directory: FilePath
    package let values: JSONValue

    /// Reads `<directory>/config.json`; a missing file is an empty configuration.
    package init(directory: FilePath) throws(ClientError) {
        self.directory = directory
        let path = ClientConfig.path(in: directory)
        let bytes: [UInt8]
        do throws(SysError) { bytes = try readFile(path) } catch {
            if error.errno == .noSuchFile {
                values = .object([])
                return
            }
            throw .configuration("WARNING: Error loading config file: " + error.description)
        }
        do throws(JSONError) { values = bytes.isEmpty ? .object([]) : try JSONValue(parsing: bytes) } catch {
            throw .configuration("WARNING: Error parsing config file (" + path.string + "): " + error.description)
        }
    }

    package var path: FilePath { ClientConfig.path(in: directory) }

    private static func path(in directory: FilePath) -> FilePath { directory / "config.json" }

    /// Changes the file, which is read anew, since another program may have changed it, and replaced at once. Nobody else
    /// may read it afterwards: it holds credentials. What we do not know stays as it is.
    package func update(_ change: (inout JSONValue) -> Void) throws(ClientError) {
        var values = try ClientConfig(directory: directory).values
        change(&values)
        do throws(SysError) {
            try makeDirectories(directory, mode: 0o700)
            // A link stays one: some keep the file elsewhere.
            let target = try? readLink(path)
            let place = target.map { $0.isAbsolute ? $0 : directory / $0.string } ?? path
            try writeFileAtomically(place, values.bytes(.pretty), mode: 0o600)
        } catch {
            throw .configuration("cannot save credentials: " + error.description)
        }
    }

    /// `$DOCKER_CONFIG`, or `.docker` in the home directory.
    package static var standardDirectory: FilePath {
        if let directory = Environment.nonEmpty("DOCKER_CONFIG") { return FilePath(directory) }
        return FilePath(Environment.nonEmpty("HOME") ?? "/") / ".docker"
    }

    /// A text setting such as `psFormat` or `detachKeys`; nil when it is not set.
    package func string(_ key: String) -> String? {
        guard let text = values[key]?.string, !text.isEmpty else { return nil }
        return text
    }

    /// `HttpHeaders`, which are sent with every request.
    package var headers: [(name: String, value: String)] {
        (values["HttpHeaders"]?.stringPairs ?? []).map { ($0.key, $0.value) }
    }
}
