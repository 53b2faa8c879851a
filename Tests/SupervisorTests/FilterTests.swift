// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import Testing

@testable import Supervisor

@Suite("containerd's filters")
struct FilterTests {
    private func field(_ path: [String]) -> String? {
        switch path {
        case ["id"]: "web-1"
        case ["topic"]: "/tasks/exit"
        default: labelField(path, ["com.example/role": "front", "tier": "x,y"])
        }
    }

    @Test(
        "match as containerd's do",
        arguments: [
            ("id==web-1", true), ("id==web-2", false), ("id!=web-2", true), ("id~=^web", true), ("id~=^db", false),
            ("topic==\"/tasks/exit\"", true), ("topic~=|^/tasks/|", true), ("topic~=/exit$/", true),
            ("labels.\"com.example/role\"==front", true), ("labels.tier==\"x,y\"", true), ("labels.none==x", false),
            ("labels.none!=x", true), ("id", true), ("labels.none", false), ("id==web-1,labels.tier", true),
            ("id==web-1,labels.none", false), ("nothing==", false),
            ("topic==\"/tasks/exit\", id==web-1", true), (" id == web-1 , labels.tier", true),
            ("id==web-1 ,id==x", false),
        ])
    func match(_ expression: String, _ expected: Bool) throws {
        #expect(try Filter(expression).matches(field) == expected)
    }

    @Test("several filters are alternatives, and none lets everything pass")
    func set() throws {
        #expect(try FilterSet(["id==x", "id==web-1"]).matches(field))
        #expect(try !FilterSet(["id==x", "id==y"]).matches(field))
        #expect(try FilterSet([]).matches(field))
        #expect(try FilterSet([""]).matches(field))
    }

    @Test(
        "malformed filters are refused",
        arguments: ["==x", "id==\"open", "id==a,", "labels.", "a b==c", "id==a b", ","])
    func malformed(_ expression: String) {
        let error = #expect(throws: ServiceError.self) { try Filter(expression) }
        #expect(error?.kind == .invalidArgument)
    }

    @Test("a pattern that is no regular expression matches nothing")
    func badPattern() throws {
        #expect(try !Filter("id~=[").matches(field))
    }
}

@Suite("Identifiers")
struct IdentifierTests {
    @Test("containerd's names pass", arguments: ["a", "web-1", "a.b_c-d", "0", String(repeating: "x", count: 76)])
    func valid(_ name: String) throws {
        try Identifier.validate(name, what: "id")
    }

    @Test(
        "everything that could leave a directory or confuse does not",
        arguments: ["", ".", "..", "-a", "a-", "a--b", "a/b", "a b", "ä", String(repeating: "x", count: 77)])
    func invalid(_ name: String) {
        let error = #expect(throws: ServiceError.self) { try Identifier.validate(name, what: "id") }
        #expect(error?.kind == .invalidArgument)
    }
}

@Suite("Label updates")
struct LabelUpdateTests {
    @Test("a mask changes what it names, an empty value removes, no mask replaces")
    func apply() throws {
        var labels = ["a": "1", "b": "2"]
        try LabelUpdate(["labels.a", "labels.b", "labels.c.d"]).apply(["a": "3", "c.d": "4"], to: &labels)
        #expect(labels == ["a": "3", "c.d": "4"])
        try LabelUpdate(nil).apply(["x": "y"], to: &labels)
        #expect(labels == ["x": "y"])
        #expect(throws: ServiceError.self) { try LabelUpdate(["size"]).apply([:], to: &labels) }
    }
}
