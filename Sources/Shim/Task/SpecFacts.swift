// SPDX-License-Identifier: Apache-2.0
import JSON
import LinuxSystem

/// The little that the shim has to know of a bundle's config.json.
struct SpecFacts: Sendable, Equatable {
    /// Init is the first process of its own pid namespace, so that the kernel ends all others with it.
    var hasPIDNamespace = true

    /// A config.json that cannot be read counts as the usual one.
    init(bundle: FilePath) {
        guard let bytes = try? readFile(bundle / "config.json"), let spec = try? JSONValue(parsing: bytes) else {
            self.init()
            return
        }
        self.init(spec)
    }

    private init() {}

    init(_ spec: JSONValue) {
        guard case .array(let namespaces)? = spec["linux"]?["namespaces"] else {
            hasPIDNamespace = false
            return
        }
        hasPIDNamespace = namespaces.contains { namespace in
            namespace["type"]?.string == "pid" && (namespace["path"]?.string ?? "").utf8.isEmpty
        }
    }
}
