// SPDX-License-Identifier: Apache-2.0
package import JSON

/// A volume as `GET /volumes` and `GET /volumes/{name}` show it.
package struct VolumeResource: Sendable {
    package var name: String
    /// RFC 3339, whole seconds.
    package var created: String
    package var mountpoint: String
    package var driver = "local"
    package var scope = "local"
    /// What a plugin tells of it; nil is left out.
    package var status: JSONValue?
    /// nil is shown as null.
    package var labels: [(key: String, value: String)]?
    package var options: [(key: String, value: String)]?
    /// For `system df`: bytes and containers.
    package var usage: (size: Int64, references: Int)?

    package init(name: String, created: String, mountpoint: String) {
        self.name = name
        self.created = created
        self.mountpoint = mountpoint
    }

    package var json: JSONValue {
        var value: JSONValue = [
            "CreatedAt": .string(created), "Driver": .string(driver), "Labels": labels.map(JSONValue.texts) ?? .null,
            "Mountpoint": .string(mountpoint), "Name": .string(name),
            "Options": options.map(JSONValue.texts) ?? .null, "Scope": .string(scope),
        ]
        if let status { value.set("Status", status) }
        if let usage {
            value.set("UsageData", ["RefCount": .int(Int64(usage.references)), "Size": .int(usage.size)])
        }
        return value
    }
}

/// The body of `POST /volumes/create`.
package struct VolumeCreateRequest: Sendable {
    package var name: String
    package var driver: String
    package var labels: [(key: String, value: String)]?
    package var options: [(key: String, value: String)]?

    package init(json: JSONValue) throws(FieldError) {
        let table = FieldTable(
            "CreateOptions",
            [
                .init("Driver", .string), .init("DriverOpts", .stringMap), .init("Labels", .stringMap),
                .init("Name", .string),
            ])
        let body = try table.normalize(json)
        name = body["Name"]?.string ?? ""
        driver = body["Driver"]?.string ?? ""
        labels = body["Labels"]?.stringPairs
        options = body["DriverOpts"]?.stringPairs
    }
}
