// SPDX-License-Identifier: Apache-2.0
import EngineHTTP
import Flags
import HTTPServer
import JSON
import LinuxSystem

/// A socket to serve: where, and what its clients may do.
struct Place: Sendable {
    var listener: Listener
    var policy: SocketPolicy
}

// Where the daemon listens, and with what keys.
extension Settings {
    /// Every `-H`, or the usual unix socket; with TLS, as docker has it, the usual TCP port of this machine.
    ///
    /// - Parameter standard: what is served when nothing is named.
    func places(standard: String) throws(DaemonError) -> [Place] {
        var hosts = try list("host")
        if hosts.isEmpty { hosts = [try usesTLS() ? "tcp://localhost:2376" : standard] }
        let policies = try policies()
        for key in policies.keys where !hosts.contains(key) {
            throw DaemonError("socket-policies: \(key) is not one of the hosts: \(hosts.joined(separator: ", "))")
        }
        var places: [Place] = []
        for host in hosts {
            let place = Place(listener: try Listener(host, usesTLS: try usesTLS()), policy: policies[host] ?? .full)
            try checkExposure(place.listener)
            places.append(place)
        }
        return places
    }

    /// `socket-policies`, a key of ours: host → `{"access": "read-only", "label": "key=value"}`.
    private func policies() throws(DaemonError) -> [String: SocketPolicy] {
        guard let value = file["socket-policies"] else { return [:] }
        guard let members = value.members else { throw wrongType("socket-policies", "an object of objects") }
        var policies: [String: SocketPolicy] = [:]
        for member in members {
            let unknown = (member.value.members ?? []).map(\.key).filter { $0 != "access" && $0 != "label" }
            let name = member.value["access"]?.string ?? "full"
            guard member.value.members != nil, unknown.isEmpty, let access = SocketPolicy.Access(rawValue: name),
                member.value["label"].map({ $0.string?.isEmpty == false }) ?? true
            else {
                throw DaemonError(
                    "socket-policies: \(member.key): expected access (full, read-only or events) and label "
                        + "(key or key=value)")
            }
            policies[member.key] = SocketPolicy(access: access, label: member.value["label"]?.string ?? "")
        }
        return policies
    }

    /// `--metrics-addr`; nil for none.
    func metricsAddress() throws(DaemonError) -> (host: String, port: UInt16)? {
        let text = try string("metrics-addr")
        if text.isEmpty { return nil }
        let frame = "failed to start metrics server: "
        guard text.contains(":") else {
            throw DaemonError(frame + "error parsing tcp address: address \(text): missing port in address")
        }
        guard let address = TCPListening.address(text, port: 0) else {
            throw DaemonError(frame + "listen tcp: address \(text): invalid port")
        }
        if address.host.isEmpty { throw DaemonError(frame + "failed to lookup  address in host specification") }
        return address
    }

    // MARK: TLS

    private func isGiven(_ flag: String) -> Bool { flags.isSet(flag) || file[flag] != nil }

    /// As dockerd: naming `--tlsverify` at all turns TLS on.
    func usesTLS() throws(DaemonError) -> Bool { try bool("tls") || isGiven("tlsverify") }

    private func verifiesClients() throws(DaemonError) -> Bool { try bool("tlsverify") }

    /// A TCP socket that everybody can reach, who is root here then, must be wanted: `--tls=false`, or `--tlsverify=false`
    /// for TLS without clients' certificates.
    private func checkExposure(_ listener: Listener) throws(DaemonError) {
        guard case .tcp = listener, !listener.isLocal else { return }
        if try verifiesClients() { return }
        if isGiven("tlsverify") { return }
        let wantsNone = try !bool("tls")
        if isGiven("tls"), wantsNone { return }
        throw DaemonError(
            "refusing to listen on tcp://\(listener.description) without --tlsverify: whoever can connect is root on this "
                + "machine; --tlsverify lets in only clients with a certificate, --tls=false insists on no protection")
    }

    /// The keys for TCP sockets; nil for plain HTTP.
    func serverTLS() throws -> ServerTLS? {
        guard try usesTLS() else { return nil }
        let directory =
            Environment.nonEmpty("DOCKER_CERT_PATH") ?? (Environment.nonEmpty("HOME") ?? "/root") + "/.docker"
        func path(_ flag: String, _ name: String) throws(DaemonError) -> String {
            let given = try string(flag)
            return given.isEmpty ? directory + "/" + name : given
        }
        let authority = try verifiesClients() ? try path("tlscacert", "ca.pem") : nil
        return try ServerTLS(
            certificate: path("tlscert", "cert.pem"), key: path("tlskey", "key.pem"), authority: authority)
    }

    /// What dockerd's log says about sockets that are not protected; nil for those that are.
    func warning(_ listener: Listener) throws(DaemonError) -> String? {
        guard case .tcp = listener, try !verifiesClients() else { return nil }
        let address = "tcp://" + listener.description
        if try usesTLS() {
            return "Binding to IP address without --tlsverify is insecure and gives root access on this machine to "
                + "everyone who has access to your network: \(address)"
        }
        return
            "[SECURITY] API is accessible on http://\(listener.description) without encryption: access to the remote "
            + "API is equivalent to root access on the host"
    }
}
