// SPDX-License-Identifier: Apache-2.0
import CLinux
import DockerAPI
import JSON
import LinuxSystem
import Netlink
import Networking

// /etc/hostname, /etc/hosts and /etc/resolv.conf, made anew at each start.
extension ContainerService {
    func writeConfigFiles(_ record: ContainerRecord, _ attachment: NetworkAttachment) throws(EngineError) {
        if sharedFilesOwner(record) != nil { return }
        let directory = directory(record.id)
        let text = hosts(
            record, sharesHost: attachment.netnsPath == nil, gateway: attachment.gateway?.description ?? "",
            links: try linkLines(record))
        do throws(SysError) {
            try write(directory / "resolv.conf", attachment.resolvConf)
            try write(directory / "hostname", record.config.hostname + "\n")  // after it: `isEdited`
            try write(directory / "hosts", text)
        } catch {
            throw .internal("write the container's configuration files: \(error.description)")
        }
    }

    /// Whether somebody has changed the container's resolv.conf since we wrote it, by its age: it stays as it is then.
    private func isEdited(_ resolvConf: FilePath) -> Bool {
        guard let hostname = try? status(resolvConf.parent / "hostname"), let own = try? status(resolvConf) else {
            return false
        }
        return Timestamp(own.st_mtim) > Timestamp(hostname.st_mtim)
    }

    /// A running container has joined a network: its address there, and the embedded name server if it is the first
    /// network with names.
    func rewriteConfigFiles(_ record: ContainerRecord, joined attachment: NetworkAttachment) throws(EngineError) {
        if sharedFilesOwner(record) != nil { return }
        let directory = directory(record.id)
        do throws(SysError) {
            let resolvConf = directory / "resolv.conf"
            let old = (try? readText(resolvConf)) ?? ""
            if !attachment.names.isEmpty, !old.contains("nameserver 127.0.0.11"), !isEdited(resolvConf) {
                try write(resolvConf, attachment.resolvConf)
            }
            let hosts = (try? readText(directory / "hosts")).map { $0 + "\n" } ?? ""
            let lines = attachment.addressTexts.map { ownLine(record, $0) }
            try write(directory / "hosts", hosts + lines.joined())
        } catch {
            throw .internal("rewrite the container's configuration files: \(error.description)")
        }
    }

    /// A running container has left the network on which it had this address.
    func removeHostsLine(_ record: ContainerRecord, address: String) {
        if address.isEmpty || sharedFilesOwner(record) != nil { return }
        let file = directory(record.id) / "hosts"
        guard let text = try? readText(file) else { return }
        try? write(
            file,
            text.split(separator: "\n").filter { $0 != ownLine(record, address).dropLast() }
                .map { $0 + "\n" }.joined())
    }

    /// With the present addresses of linked containers.
    func rewriteHosts(_ record: ContainerRecord) {
        guard sharedFilesOwner(record) == nil, let links = try? linkLines(record) else { return }
        let gateway = record.network.networks.first?.value["Gateway"]?.string ?? ""
        try? write(
            directory(record.id) / "hosts", hosts(record, sharesHost: false, gateway: gateway, links: links))
    }

    private func ownLine(_ record: ContainerRecord, _ address: String) -> String {
        let domain = record.config.domainname
        let name = record.config.hostname
        let full = domain.isEmpty ? name : name + "." + domain
        let short = String(full.prefix { $0 != "." })
        return address + "\t" + (full == short ? name : full + " " + short) + "\n"
    }

    func configFiles(_ record: ContainerRecord) -> [(destination: String, source: String)] {
        let directory = directory(sharedFilesOwner(record) ?? record.id)
        return ["resolv.conf", "hostname", "hosts"].map { ("/etc/" + $0, (directory / $0).string) }
    }

    /// With `--network container:X` the files are X's.
    private func sharedFilesOwner(_ record: ContainerRecord) -> String? {
        guard record.networkMode.hasPrefix("container:") else { return nil }
        let named = String(record.networkMode.dropFirst("container:".count))
        return (try? networkSource(try find(named)).id) ?? named
    }

    private func hosts(_ record: ContainerRecord, sharesHost: Bool, gateway: String, links: String) -> String {
        var text: String
        if sharesHost {
            text = (try? readText(FilePath("/etc/hosts"))).map { $0 + "\n" } ?? ""
        } else {
            text = "127.0.0.1\tlocalhost\n"
            if !record.isWithoutIPv6 {
                text += """
                    ::1\tlocalhost ip6-localhost ip6-loopback
                    fe00::\tip6-localnet
                    ff00::\tip6-mcastprefix
                    ff02::1\tip6-allnodes
                    ff02::2\tip6-allrouters

                    """
            }
        }
        for entry in record.hostConfig.list("ExtraHosts") {
            guard let mark = entry.firstIndex(where: { $0 == ":" || $0 == "=" }) else { continue }
            var address = String(entry[entry.index(after: mark)...])
            if address.hasPrefix("["), address.hasSuffix("]") { address = String(address.dropFirst().dropLast()) }
            if address == "host-gateway" { address = hostGateway(gateway, sharesHost: sharesHost) }
            if !address.isEmpty { text += address + "\t" + entry[..<mark] + "\n" }
        }
        text += links
        for address in record.addresses { text += ownLine(record, address) }
        return text
    }

    /// What `host-gateway` stands for: `--host-gateway-ip`, or else the host's end of the container's network.
    private func hostGateway(_ gateway: String, sharesHost: Bool) -> String {
        if !configuration.hostGateway.isEmpty { return configuration.hostGateway }
        return gateway.isEmpty && sharesHost ? "127.0.0.1" : gateway
    }

    /// Without fsync: after a crash the next start writes it again.
    private func write(_ path: FilePath, _ text: String) throws(SysError) {
        let file = try open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o644)
        try writeAll(file, Array(text.utf8))
        if !configuration.identities.isEmpty { try changeOwner(path, configuration.identities.root) }
    }
}
