// SPDX-License-Identifier: Apache-2.0
import GoTemplate
import JSON
import LinuxSystem

/// One line of `ps`.
struct ContainerRow {
    static let list = ListFormat(
        [
            ("ID", "CONTAINER ID"), ("Image", "IMAGE"), ("Command", "COMMAND"), ("RunningFor", "CREATED"),
            ("Status", "STATUS"), ("Ports", "PORTS"), ("Names", "NAMES"),
        ],
        others: [
            ("CreatedAt", "CREATED AT"), ("HealthStatus", "HEALTH"), ("Labels", "LABELS"),
            ("LocalVolumes", "LOCAL VOLUMES"), ("Mounts", "MOUNTS"), ("Networks", "NETWORKS"),
            ("Platform", "PLATFORM"), ("Size", "SIZE"), ("State", "STATE"),
        ])

    private let container: JSONValue
    private let truncates: Bool

    init(_ container: JSONValue, truncates: Bool) {
        self.container = container
        self.truncates = truncates
    }

    var record: TemplateRecord {
        let created = Timestamp(nanoseconds: (container["Created"]?.int ?? 0) * 1_000_000_000)
        let mounts = container["Mounts"]?.array ?? []
        return TemplateRecord(
            typeName: "*formatter.ContainerContext",
            fields: [
                ("Command", .string(command)), ("CreatedAt", .string(LocalTime.goText(created))),
                ("ID", .string(id)), ("Image", .string(image)),
                ("Labels", .string(LabelText.joined(container["Labels"]))),
                ("LocalVolumes", .string("\(mounts.count { $0["Driver"]?.string == "local" })")),
                ("Mounts", .string(mounts.map(mountName).joined(separator: ","))), ("Names", .string(names)),
                ("Networks", .string(networks)),
                ("Platform", container["ImageManifestDescriptor"]?["platform"] ?? .null),
                ("Ports", .string(PortText.list(container["Ports"]?.array ?? []))),
                ("RunningFor", .string(DurationText.human(seconds: Timestamp.now.seconds - created.seconds) + " ago")),
                ("Size", .string(size)), ("State", container["State"] ?? ""), ("Status", container["Status"] ?? ""),
            ], method: method)
    }

    private var method: TemplateRecord.Method {
        let labels = LabelText.method(container["Labels"])
        let health = health
        return { name, arguments in name == "HealthStatus" ? .string(health) : labels(name, arguments) }
    }

    /// The state of the health check is only told inside the status text.
    private var health: String {
        let status = container["Status"]?.string ?? ""
        if status.hasSuffix("(healthy)") { return "healthy" }
        if status.hasSuffix("(unhealthy)") { return "unhealthy" }
        return status.hasSuffix("(health: starting)") ? "starting" : ""
    }

    private var id: String {
        let id = container["Id"]?.string ?? ""
        return truncates ? Ellipsis.id(id) : id
    }

    private var names: String {
        var names = (container["Names"]?.strings ?? []).map { String($0.drop { $0 == "/" }) }
        // Names that links gave (`other/alias`) are left out.
        if truncates { names = names.filter { !$0.contains("/") } }
        return names.joined(separator: ",")
    }

    private var image: String {
        let image = container["Image"]?.string ?? ""
        if image.isEmpty { return "<no image>" }
        guard truncates else { return image }
        let imageID = container["ImageID"]?.string ?? ""
        if !imageID.isEmpty, Ellipsis.id(imageID) == Ellipsis.id(image) { return Ellipsis.id(imageID) }
        // A digest is of no use when it is cut: show the name.
        if let (name, _) = image.cut("@"), let parsed = try? ImageName(name) {
            return parsed.tag == nil ? parsed.familiarName : parsed.familiarTagged
        }
        return image
    }

    private var command: String {
        let command = container["Command"]?.string ?? ""
        return (truncates ? Ellipsis.cut(command, 20) : command).quoted
    }

    private var networks: String {
        (container["NetworkSettings"]?["Networks"]?.members ?? []).map(\.key).sorted().joined(separator: ",")
    }

    private func mountName(_ mount: JSONValue) -> String {
        let name = mount["Name"]?.string ?? ""
        let text = name.isEmpty ? mount["Source"]?.string ?? "" : name
        return truncates ? Ellipsis.cut(text, 15) : text
    }

    private var size: String {
        let own = SizeText.short(Double(container["SizeRw"]?.int ?? 0))
        let total = container["SizeRootFs"]?.int ?? 0
        return total > 0 ? own + " (virtual " + SizeText.short(Double(total)) + ")" : own
    }
}
