// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import Registry

/// Tells the supervisor how a registry is to be reached, as `--registry-mirror` and `--insecure-registry` want it:
/// `<exec-root>/registry/<registry>/hosts.toml`, containerd's registry host configuration. It is the transfer request
/// that names the directory.
struct RegistryHosts {
    private let directory: FilePath
    private let rules: RegistryConfiguration
    private let insecure: [String]

    init(_ configuration: EngineConfiguration) {
        directory = configuration.registryHostsDirectory
        insecure = configuration.insecureRegistries
        rules = RegistryConfiguration(insecureRegistries: insecure, mirrors: configuration.registryMirrors)
    }

    /// Writes the file for one registry, or removes the one of an earlier configuration.
    func prepare(_ domain: String) throws(EngineError) {
        let place = directory / domain
        let path = place / "hosts.toml"
        do throws(SysError) {
            guard let text = text(for: domain) else {
                if exists(path) { try removeFile(path) }
                return
            }
            let bytes = Array(text.utf8)
            if let known = try? readFile(path), known == bytes { return }
            try makeDirectories(place, mode: 0o755)
            try writeFileAtomically(path, bytes, mode: 0o644)
        } catch {
            throw .internal(error.description)
        }
    }

    /// nil if the registry is reached as any other.
    func text(for domain: String) -> String? {
        let head = "# Written by swrund from its configuration.\n"
        if domain == "docker.io", !rules.mirrors.isEmpty {
            let hosts = rules.mirrors.map { Self.table($0) + "  capabilities = [\"pull\", \"resolve\"]\n" }
            return head + "server = \"https://registry-1.docker.io\"\n" + hosts.joined()
        }
        guard !insecure.isEmpty, rules.isInsecure(domain) else { return nil }
        return head + "server = \"http://\(domain)\"\nskip_verify = true\n" + Self.table("https://" + domain)
            + "  skip_verify = true\n"
    }

    private static func table(_ url: String) -> String {
        let quoted = url.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        return "\n[host.\"\(quoted)\"]\n"
    }
}
