// SPDX-License-Identifier: Apache-2.0
import JSON
import LinuxSystem

/// containerd's registry host configuration, `<directory>/<registry>/hosts.toml`:
///
///     server = "https://registry-1.docker.io"     the registry itself, asked last
///     [host."https://mirror.example"]             asked before it, in the order of the file
///       capabilities = ["pull", "resolve"]
///       ca = "mirror.crt"                         also: client, skip_verify, override_path
enum HostsFile {
    private static let settings: Set<String> = [
        "capabilities", "ca", "client", "skip_verify", "override_path", "header",
    ]

    /// The endpoints that the first directory with a file for `domain` names; nil if there is none.
    static func endpoints(for domain: String, in directories: [String]) throws(RegistryError) -> [RegistryEndpoint]? {
        for directory in directories {
            for name in names(domain) {
                let place = FilePath(directory) / name
                let path = place / "hosts.toml"
                let bytes: [UInt8]
                do throws(SysError) { bytes = try readFile(path, limit: 1 << 20) } catch {
                    if error.errno == .noSuchFile || error.errno == .notDirectory { continue }
                    throw .invalidResponse("cannot read registry hosts: " + error.description)
                }
                do throws(Malformed) { return try parse(bytes, for: domain, place: place) } catch {
                    throw .invalidResponse("\(path.string): \(error.reason)")
                }
            }
        }
        return nil
    }

    /// Directories may not hold a colon on every system: `host_5000_` stands for `host:5000`.
    private static func names(_ domain: String) -> [String] {
        var names = [domain]
        if let colon = domain.lastIndex(of: ":"), !domain.hasSuffix("]") {
            names.append(domain[..<colon] + "_" + domain[domain.index(after: colon)...] + "_")
        }
        return names + ["_default"]
    }

    struct Malformed: Error, Equatable {
        var reason: String
    }

    static func parse(
        _ bytes: [UInt8], for domain: String, place: FilePath
    ) throws(Malformed) -> [RegistryEndpoint] {
        let entries: [TOMLReader.Entry]
        do throws(TOMLReader.Malformed) { entries = try TOMLReader.read(bytes) } catch {
            throw Malformed(reason: "line \(error.line): \(error.reason)")
        }
        let usual = "https://" + (domain == RegistryConfiguration.hub ? "registry-1.docker.io" : domain)
        var (server, own): (String, [String: JSONValue]) = (usual, [:])
        var hosts: [(url: String, settings: [String: JSONValue])] = []
        for entry in entries {
            switch entry.path.count {
            case 1 where entry.path[0] == "server": server = entry.value.string ?? ""
            case 1 where settings.contains(entry.path[0]): own[entry.path[0]] = entry.value
            case 1 where entry.path[0] == "host": break
            case 2 where entry.path[0] == "host": hosts.append((entry.path[1], [:]))
            case 3 where entry.path[0] == "host" && settings.contains(entry.path[2]):
                if hosts.last?.url != entry.path[1] { hosts.append((entry.path[1], [:])) }
                hosts[hosts.count - 1].settings[entry.path[2]] = entry.value
            case 4 where entry.path[2] == "header":
                throw Malformed(reason: "headers for hosts are not supported")
            default: throw Malformed(reason: "unknown setting \(entry.path.joined(separator: "."))")
            }
        }
        var endpoints: [RegistryEndpoint] = []
        for (url, settings) in hosts + [(server, own)] where !url.isEmpty {
            endpoints.append(try endpoint(url, settings, of: domain, place))
        }
        if !endpoints.isEmpty { endpoints[endpoints.count - 1].isMirror = false }
        return endpoints
    }

    private static func endpoint(
        _ url: String, _ settings: [String: JSONValue], of domain: String, _ place: FilePath
    ) throws(Malformed) -> RegistryEndpoint {
        guard var endpoint = RegistryEndpoint(mirror: url) else {
            throw Malformed(reason: "\(url) is no URL of a host")
        }
        endpoint.isMirror = endpoint.authority != domain
        endpoint.isInsecure = settings["skip_verify"]?.bool ?? false
        endpoint.hasWholePath = settings["override_path"]?.bool ?? false
        if let list = settings["capabilities"] {
            guard let names = list.strings else { throw Malformed(reason: "capabilities must be a list of strings") }
            endpoint.canPull = names.contains("pull") || names.contains("resolve")
            endpoint.canPush = names.contains("push")
        }
        let absolute = { (text: String) in text.hasPrefix("/") ? text : (place / text).string }
        if let ca = settings["ca"] {
            guard let files = ca.string.map({ [$0] }) ?? ca.strings else {
                throw Malformed(reason: "ca must be a string or a list of strings")
            }
            endpoint.trust.roots = files.map(absolute)
        }
        if let client = settings["client"] {
            let pairs = client.string.map { [JSONValue.string($0)] } ?? client.array ?? []
            for pair in pairs {
                guard let files = pair.string.map({ [$0, $0] }) ?? pair.strings, (1...2).contains(files.count) else {
                    throw Malformed(reason: "client must name a certificate and its key")
                }
                endpoint.trust.client = [absolute(files[0]), absolute(files[files.count - 1])]
            }
        }
        return endpoint
    }
}
