// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
package import Netlink

/// /etc/resolv.conf (resolv.conf(5)): what the host has, and what a container gets.
package struct ResolvConf: Sendable, Equatable {
    package var nameservers: [String] = []
    package var search: [String] = []
    package var options: [String] = []

    package init(nameservers: [String] = [], search: [String] = [], options: [String] = []) {
        self.nameservers = nameservers
        self.search = search
        self.options = options
    }

    /// Reads the lines that are known; the last `search` or `domain` wins, as for the resolver.
    package init(parsing text: String) {
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.prefix { $0 != "#" && $0 != ";" }.split(whereSeparator: \.isWhitespace).map(String.init)
            guard words.count > 1 else { continue }
            switch words[0] {
            case "nameserver": nameservers.append(words[1])
            case "search", "domain": search = Array(words.dropFirst())
            case "options": options += words.dropFirst()
            default: break
            }
        }
    }

    package var text: String {
        var lines = nameservers.map { "nameserver " + $0 }
        if !search.isEmpty { lines.append("search " + search.joined(separator: " ")) }
        if !options.isEmpty { lines.append("options " + options.joined(separator: " ")) }
        return lines.map { $0 + "\n" }.joined()
    }

    /// The same with one server that knows the others, as containers on user-defined networks have it: names without a
    /// dot are asked for as they are.
    package func embedded(_ server: IPv4Address) -> ResolvConf {
        var copy = self
        copy.nameservers = [server.description]
        if !options.contains(where: { $0.hasPrefix("ndots:") }) { copy.options.append("ndots:0") }
        return copy
    }

    /// The servers to use where the host's own cannot be reached: as docker has them.
    package static let publicServers = ["8.8.8.8", "8.8.4.4"]

    /// What a container in a network namespace of its own can use: a server on the host's loopback is not reachable
    /// there, and IPv6 servers are not on an IPv4 network.
    package func reachableFromContainer() -> ResolvConf {
        var copy = self
        copy.nameservers = nameservers.filter { server in
            guard let address = IPv4Address(server) else { return false }
            return !address.isLoopback
        }
        if copy.nameservers.isEmpty { copy.nameservers = ResolvConf.publicServers }
        return copy
    }

    /// Each non-empty list replaces ours; `--dns-search .` means no search list.
    package func overriding(nameservers: [String], search: [String], options: [String]) -> ResolvConf {
        var copy = self
        if !nameservers.isEmpty { copy.nameservers = nameservers }
        if !search.isEmpty { copy.search = search == ["."] ? [] : search }
        if !options.isEmpty { copy.options = options }
        return copy
    }

    /// The host's. Where it names only systemd-resolved's stub on loopback, the file with the real servers is used.
    package static func host() -> ResolvConf {
        let plain = read("/etc/resolv.conf") ?? ResolvConf()
        guard plain.nameservers == ["127.0.0.53"] else { return plain }
        return read("/run/systemd/resolve/resolv.conf") ?? plain
    }

    private static func read(_ path: String) -> ResolvConf? {
        guard let text = try? readText(FilePath(path), limit: 1 << 16) else { return nil }
        return ResolvConf(parsing: text)
    }
}
