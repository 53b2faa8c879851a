// SPDX-License-Identifier: Apache-2.0

/// One entry of `mounts`.
package struct RuntimeMount: Sendable, Equatable {
    package var destination: String
    package var type: String
    package var source: String
    package var options: [String]
    package var uidMappings: [RuntimeLinux.IDMapping] = []
    package var gidMappings: [RuntimeLinux.IDMapping] = []

    package init(destination: String, type: String = "", source: String = "", options: [String] = []) {
        self.destination = destination
        self.type = type
        self.source = source
        self.options = options
    }

    init(_ fields: RuntimeFields) throws(RuntimeSpecError) {
        destination = try fields.required("destination")
        type = try fields.string("type") ?? ""
        source = try fields.string("source") ?? ""
        options = try fields.strings("options")
        for mapping in try fields.objects("uidMappings") { uidMappings.append(try .init(mapping)) }
        for mapping in try fields.objects("gidMappings") { gidMappings.append(try .init(mapping)) }
    }
}
