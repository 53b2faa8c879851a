// SPDX-License-Identifier: Apache-2.0
import JSON
import LinuxSystem
import Proxies

extension DaemonHost {
    /// The proxy that the environment names for a daemon on TCP.
    func proxy(usesTLS: Bool) -> ProxySettings.Server? {
        guard case .tcp = self else { return nil }
        let settings = ProxySettings { Environment.nonEmpty($0) }
        return settings.server(scheme: usesTLS ? "https" : "http", authority: authority)
    }

    /// `host:port` of a daemon on TCP, as requests name it.
    var authority: String {
        guard case .tcp(let host, let port) = self else { return "" }
        return (host.contains(":") ? "[" + host + "]" : host) + ":\(port)"
    }
}

extension ProxySettings.Server {
    /// The header that names the user, with its end of line; empty for a proxy that asks for none.
    var authorization: String {
        user.isEmpty ? "" : "Proxy-Authorization: Basic " + Base64.encode(Array(user.utf8)) + "\r\n"
    }
}
