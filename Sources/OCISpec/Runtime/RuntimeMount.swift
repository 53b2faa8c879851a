// SPDX-License-Identifier: Apache-2.0

/// One entry of `mounts`.
package struct RuntimeMount: Sendable, Equatable {
    package var destination: String
    package var type: String
    package var source: String
    package var options: [String]
    package var hasIDMapping: Bool

    package init(destination: String, type: String = "", source: String = "", options: [String] = []) {
        self.destination = destination
        self.type = type
        self.source = source
        self.options = options
        hasIDMapping = false
    }

    init(_ fields: RuntimeFields) throws(RuntimeSpecError) {
        destination = try fields.required("destination")
        type = try fields.string("type") ?? ""
        source = try fields.string("source") ?? ""
        options = try fields.strings("options")
        hasIDMapping = fields.has("uidMappings") || fields.has("gidMappings")
    }
}
