// SPDX-License-Identifier: Apache-2.0
import Flags
import JSON
import LinuxSystem
import OCISpec

var stateCommand: Command {
    Command(
        name: "state", help: "print the state of a container as JSON", usage: "CONTAINER-ID", flags: [],
        arity: .exactly(1)
    ) { invocation throws(RuntimeError) in
        writeText(1, describe(try invocation.container(), owner: "").serialized(JSONFormat(indent: 2)))
        return 0
    }
}

var listCommand: Command {
    Command(
        name: "list", help: "list the containers of this root", usage: "",
        flags: [
            .string("format", short: "f", default: "table", "table or json"),
            .bool("quiet", short: "q", "print ids only"),
        ], arity: .exactly(0)
    ) { invocation throws(RuntimeError) in
        var found: [JSONValue] = []
        for id in try invocation.store.ids() {
            // A container that is being deleted meanwhile is no error of the list.
            if let container = try? Container(id, in: invocation.store) {
                found.append(describe(container, owner: "root"))
            }
        }
        if invocation.values.bool("quiet") {
            for entry in found { writeLine(1, entry["id"]?.string ?? "") }
            return 0
        }
        switch invocation.values.string("format") {
        case "table": printTable(found)
        case "json": writeText(1, found.isEmpty ? "null" : JSONValue.array(found).serialized())
        default: throw RuntimeError("invalid format option")
        }
        return 0
    }
}

/// The object that `state` prints, with runc's members in runc's order.
private func describe(_ container: Container, owner: String) -> JSONValue {
    let status = container.status
    var value: JSONValue = [
        "ociVersion": .string(container.record.ociVersion), "id": .string(container.record.id),
        "pid": .int(Int64(container.state(status).pid)), "status": .string(status.rawValue),
        "bundle": .string(container.record.bundle), "rootfs": .string(container.record.rootfs),
        "created": .string(container.record.created),
    ]
    if !container.record.annotations.isEmpty { value.set("annotations", container.record.annotations.sortedObject) }
    value.set("owner", .string(owner))
    return value
}

private func printTable(_ entries: [JSONValue]) {
    var rows = [["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"]]
    for entry in entries {
        rows.append(
            ["id", "pid", "status", "bundle", "created", "owner"].map { key in
                entry[key]?.string ?? String(entry[key]?.int ?? 0)
            })
    }
    var widths = [12, 12, 12, 12, 12, 0]
    for row in rows {
        for column in 0..<5 { widths[column] = max(widths[column], row[column].utf8.count + 1) }
    }
    for row in rows {
        var line = ""
        for (column, cell) in row.enumerated() {
            line += cell + String(repeating: " ", count: max(0, widths[column] - cell.utf8.count))
        }
        writeLine(1, line)
    }
}
