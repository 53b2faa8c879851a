// SPDX-License-Identifier: Apache-2.0
package import JSON

/// One mount that the user asked for: a bind, a volume, a tmpfs or an image.
package struct MountPoint: Sendable, Equatable {
    package enum Kind: String, Sendable { case bind, volume, tmpfs, image }

    /// Whether what is mounted below a read-only mount is read-only, too.
    package enum ReadOnlyBelow: String, Sendable { case wherePossible, never, always }

    package var kind: Kind
    /// The volume's name; empty for an anonymous volume until it is made. The image's as the user gave it.
    package var name = ""
    /// The host path; of a volume once it is resolved, of an image where it is mounted while the container runs.
    package var source = ""
    package var destination: String
    /// Of a volume; empty for the default, until the volume is made.
    package var driver = ""
    /// What a volume gets if it has to be made; nil leaves it to the volume service.
    package var volumeLabels: [String: String]?
    package var volumeOptions: [String: String]?
    /// The part of a volume or image that is mounted, relative to its root; empty is all of it.
    package var subpath = ""
    /// `sha256:…` of an image.
    package var imageID = ""
    /// How an image's layers are mounted.
    package var layers: RootMount?
    /// What the user wrote behind the last colon of `-v`.
    package var mode = ""
    package var writable = true
    package var propagation = ""
    /// Whether the user named it.
    package var propagationIsGiven = false
    /// Mount options of a tmpfs.
    package var options: [String] = []
    /// A missing source is made as a directory (`-v`), or is an error (`--mount`).
    package var createsSource = false
    /// Bind only what is mounted at the source itself, not what is mounted below it.
    package var nonRecursive = false
    /// What is mounted below a read-only mount.
    package var readOnlyBelow = ReadOnlyBelow.wherePossible
    /// The content of the image at the destination is copied into the volume when it is empty.
    package var copiesContent = true
    /// Made for this container only (`-v /path`, `VOLUME`): removed with it by `rm -v` and `--rm`.
    package var anonymous = false

    package init(_ kind: Kind, destination: String) {
        self.kind = kind
        self.destination = destination
    }

    /// An element of `Mounts` in inspect and list.
    package var json: JSONValue {
        var json: JSONValue = ["Type": .string(kind.rawValue)]
        if kind == .volume || kind == .image { json.set("Name", .string(name)) }
        json.set("Source", .string(source))
        json.set("Destination", .string(destination))
        if kind == .volume { json.set("Driver", .string(driver)) }
        json.set("Mode", .string(mode))
        json.set("RW", .bool(writable))
        json.set("Propagation", .string(propagation))
        return json
    }

    /// The element of the runtime spec's `mounts`; `recursively` if the runtime can make all that is mounted below
    /// read-only.
    func specMount(recursively: Bool = true) -> JSONValue {
        if kind == .tmpfs {
            return [
                "destination": .string(destination), "type": "tmpfs", "source": "tmpfs", "options": .strings(options),
            ]
        }
        var options = [nonRecursive ? "bind" : "rbind"]
        if !writable { options.append(recursively && readOnlyBelow != .never ? "rro" : "ro") }
        options.append(propagation.isEmpty ? "rprivate" : propagation)
        return [
            "destination": .string(destination), "type": "bind", "source": .string(source),
            "options": .strings(options),
        ]
    }
}

extension MountPoint {
    /// The form in which the record store keeps it.
    package var record: JSONValue {
        var record = json
        record.set("Options", .strings(options))
        record.set("CreatesSource", .bool(createsSource))
        record.set("NonRecursive", .bool(nonRecursive))
        record.set("PropagationIsGiven", .bool(propagationIsGiven))
        record.set("ReadOnlyBelow", .string(readOnlyBelow.rawValue))
        record.set("CopiesContent", .bool(copiesContent))
        record.set("Anonymous", .bool(anonymous))
        if !subpath.isEmpty { record.set("Subpath", .string(subpath)) }
        if !imageID.isEmpty { record.set("ImageID", .string(imageID)) }
        if let layers { record.set("Layers", layers.json) }
        return record
    }

    package init?(record: JSONValue) {
        guard let kind = Kind(rawValue: record["Type"]?.string ?? ""),
            let destination = record["Destination"]?.string
        else { return nil }
        self.init(kind, destination: destination)
        name = record["Name"]?.string ?? ""
        source = record["Source"]?.string ?? ""
        driver = record["Driver"]?.string ?? ""
        mode = record["Mode"]?.string ?? ""
        writable = record["RW"]?.bool ?? true
        propagation = record["Propagation"]?.string ?? ""
        options = record["Options"]?.strings ?? []
        createsSource = record["CreatesSource"]?.bool ?? false
        nonRecursive = record["NonRecursive"]?.bool ?? false
        propagationIsGiven = record["PropagationIsGiven"]?.bool ?? true
        readOnlyBelow = ReadOnlyBelow(rawValue: record["ReadOnlyBelow"]?.string ?? "") ?? .wherePossible
        copiesContent = record["CopiesContent"]?.bool ?? true
        anonymous = record["Anonymous"]?.bool ?? false
        subpath = record["Subpath"]?.string ?? ""
        imageID = record["ImageID"]?.string ?? ""
        layers = record["Layers"].map { RootMount(json: $0) }
    }
}
