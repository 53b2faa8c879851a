// SPDX-License-Identifier: Apache-2.0
import DockerClient
import JSON
import LinuxSystem

/// Pulls an image and shows how it goes.
struct ImagePulling {
    let client: DockerClient
    let config: ClientConfig

    /// - Parameter progressTo: the descriptor for progress; a terminal gets bars, anything else plain lines.
    func pull(
        _ image: String, platform: String?, allTags: Bool = false, isQuiet: Bool, progressTo descriptor: Int32
    ) throws {
        let name = try ImageName(image)
        var query = Query([
            ("fromImage", name.domain == "docker.io" ? name.familiarFull : name.domain + "/" + name.path)
        ])
        if !allTags { query.add("tag", name.digest ?? name.tag ?? "latest") }
        if let platform { query.add("platform", platform) }
        let response = try client.send(
            "POST", "/images/create", query,
            headers: [("X-Registry-Auth", RegistryLogin(config: config).header(forHost: name.domain))])
        var display = ProgressDisplay(descriptor: descriptor, isSilent: isQuiet)
        try display.show(JSONLines(response))
    }
}

extension ImageName {
    /// The name that the API takes for images of the default registry: `docker.io/library/busybox`.
    var familiarFull: String { domain + "/" + path }
}
