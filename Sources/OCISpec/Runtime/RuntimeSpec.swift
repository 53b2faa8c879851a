// SPDX-License-Identifier: Apache-2.0
package import JSON

/// A bundle's config.json (OCI runtime spec, config.md), as far as a Linux runtime acts on it.
package struct RuntimeSpec: Sendable, Equatable {
    package var ociVersion: String
    package var process: RuntimeProcess?
    package var root: RuntimeRoot?
    package var hostname = ""
    package var domainname = ""
    package var mounts: [RuntimeMount] = []
    package var hooks = RuntimeHooks()
    package var annotations: [RuntimePair] = []
    package var linux = RuntimeLinux()
    /// What a process that is added later takes from this one (see `ContainerRecord.inherited`).
    package var inherited: JSONValue = [:]

    package init(_ value: JSONValue) throws(RuntimeSpecError) {
        let fields = try RuntimeFields(value)
        ociVersion = try fields.required("ociVersion")
        process = try fields.object("process").map { (process) throws(RuntimeSpecError) in
            try RuntimeProcess(process)
        }
        root = try fields.object("root").map { (root) throws(RuntimeSpecError) in try RuntimeRoot(root) }
        hostname = try fields.string("hostname") ?? ""
        domainname = try fields.string("domainname") ?? ""
        for mount in try fields.objects("mounts") { mounts.append(try RuntimeMount(mount)) }
        if let found = try fields.object("hooks") { hooks = try RuntimeHooks(found) }
        annotations = try fields.pairs("annotations")
        if let found = try fields.object("linux") { linux = try RuntimeLinux(found) }
        inherited = inheritedMembers(try fields.object("process"), try fields.object("linux"))
    }

    /// Reads the bytes of a config.json.
    package init(parsing bytes: [UInt8]) throws(RuntimeSpecError) {
        let value: JSONValue
        do throws(JSONError) { value = try JSONValue(parsing: bytes) } catch {
            throw RuntimeSpecError(error.description)
        }
        try self.init(value)
    }
}

private func inheritedMembers(_ process: RuntimeFields?, _ linux: RuntimeFields?) -> JSONValue {
    var found: JSONValue = [:]
    for key in RuntimeProcess.inheritedKeys { if let member = process?.raw(key) { found.set(key, member) } }
    for key in ["personality", "memoryPolicy"] { if let member = linux?.raw(key) { found.set(key, member) } }
    if let profile = linux?.raw("seccomp"), let path = profile["listenerPath"], path.string?.isEmpty == false {
        found.set("seccompAgent", ["path": path, "metadata": profile["listenerMetadata"] ?? ""])
    }
    return found
}

/// `root`: where the root file system is, relative to the bundle.
package struct RuntimeRoot: Sendable, Equatable {
    package var path: String
    package var isReadOnly: Bool

    init(_ fields: RuntimeFields) throws(RuntimeSpecError) {
        path = try fields.required("path")
        isReadOnly = try fields.bool("readonly")
    }
}
