// SPDX-License-Identifier: Apache-2.0
package import JSON

/// The body of `POST /containers/{name}/checkpoints`, docker's checkpoint.CreateOptions.
package struct CheckpointCreateRequest: Sendable {
    package var name: String
    /// A directory of the host for it; empty for the container's own.
    package var directory: String
    /// The container ends once it is saved.
    package var exits: Bool

    package init(json: JSONValue) throws(FieldError) {
        let table = FieldTable(
            "CreateOptions",
            [.init("CheckpointID", .string), .init("CheckpointDir", .string), .init("Exit", .bool)])
        let body = try table.normalize(json)
        name = body["CheckpointID"]?.string ?? ""
        directory = body["CheckpointDir"]?.string ?? ""
        exits = body["Exit"]?.bool ?? false
    }
}
