// SPDX-License-Identifier: Apache-2.0
import CLinux
import DockerAPI
import LinuxSystem
import Netlink
import Networking

// /etc/hostname, /etc/hosts and /etc/resolv.conf, made anew at each start.
extension ContainerService {
    func writeConfigFiles(_ record: ContainerRecord, _ attachment: NetworkAttachment) throws(EngineError) {
        if sharedFilesOwner(record) != nil { return }
        let directory = directory(record.id)
        do throws(SysError) {
            try write(directory / "hostname", record.config.hostname + "\n")
            try write(directory / "resolv.conf", attachment.resolvConf)
            try write(directory / "hosts", hosts(record, attachment))
        } catch {
            throw .internal("write the container's configuration files: \(error.description)")
        }
    }

    func configFiles(_ record: ContainerRecord) -> [(destination: String, source: String)] {
        let directory = directory(sharedFilesOwner(record) ?? record.id)
        return ["resolv.conf", "hostname", "hosts"].map { ("/etc/" + $0, (directory / $0).string) }
    }

    /// With `--network container:X` the files are X's.
    private func sharedFilesOwner(_ record: ContainerRecord) -> String? {
        guard record.networkMode.hasPrefix("container:") else { return nil }
        return String(record.networkMode.dropFirst("container:".count))
    }

    private func hosts(_ record: ContainerRecord, _ attachment: NetworkAttachment) throws(SysError) -> String {
        var text: String
        if attachment.netnsPath == nil {
            text = (try? readText(FilePath("/etc/hosts"))).map { $0 + "\n" } ?? ""
        } else {
            text = """
                127.0.0.1\tlocalhost
                ::1\tlocalhost ip6-localhost ip6-loopback
                fe00::\tip6-localnet
                ff00::\tip6-mcastprefix
                ff02::1\tip6-allnodes
                ff02::2\tip6-allrouters

                """
        }
        for entry in record.hostConfig.list("ExtraHosts") {
            guard let mark = entry.firstIndex(where: { $0 == ":" || $0 == "=" }) else { continue }
            var address = String(entry[entry.index(after: mark)...])
            if address == "host-gateway" { address = attachment.gateway?.description ?? "" }
            if !address.isEmpty { text += address + "\t" + entry[..<mark] + "\n" }
        }
        if !attachment.ipAddress.isEmpty {
            let domain = record.config.domainname
            let name = record.config.hostname
            let names = domain.isEmpty ? name : "\(name).\(domain) \(name)"
            text += attachment.ipAddress + "\t" + names + "\n"
        }
        return text
    }

    /// Without fsync: after a crash the next start writes it again.
    private func write(_ path: FilePath, _ text: String) throws(SysError) {
        let file = try open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o644)
        try writeAll(file, Array(text.utf8))
    }
}
