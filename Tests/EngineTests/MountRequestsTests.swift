// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import Engine
import JSON
import Testing

@Suite("Requests for mounts")
struct MountRequestsTests {
    private func parse(_ host: JSONValue, config: JSONValue = [:]) throws -> [MountPoint] {
        try MountRequests.parse(config: ContainerConfig(json: config), hostConfig: HostConfig(json: host))
    }

    @Test(
        "-v is read as docker reads it",
        arguments: [
            (
                "/h:/c",
                #"{"Type":"bind","Source":"/h","Destination":"/c","Mode":"","RW":true,"Propagation":"rprivate"}"#
            ),
            (
                "/h/../x:/c/:ro,rslave",
                #"{"Type":"bind","Source":"/x","Destination":"/c","Mode":"ro,rslave","RW":false,"Propagation":"rslave"}"#
            ),
            (
                "vol:/c",
                #"{"Type":"volume","Name":"vol","Source":"","Destination":"/c","Driver":"","Mode":"z","RW":true,"#
                    + #""Propagation":""}"#
            ),
        ])
    func bind(_ text: String, _ expected: String) throws {
        #expect(try parse(["Binds": [.string(text)]]).map { $0.json.serialized() } == [expected])
    }

    @Test(
        "malformed ones are refused",
        arguments: ["", ":", "/a:", "a:b:c:d", "/h:relative", "/h:/", "v!:/c", "/h:/c:nonsense", "vol:/c:rshared"])
    func refused(_ text: String) {
        #expect(throws: SpecError.self) { try parse(["Binds": [.string(text)]]) }
    }

    @Test("one destination has one mount; the image's volumes yield")
    func duplicates() throws {
        #expect(throws: SpecError("Duplicate mount point: /c")) { try parse(["Binds": ["/a:/c", "/b:/c"]]) }
        let points = try parse(["Binds": ["/a:/c"]], config: ["Volumes": ["/c": [:], "/d": [:]]])
        #expect(points.map(\.destination) == ["/c", "/d"])
        #expect(points.last?.anonymous == true)
    }

    @Test("--mount of each type")
    func mounts() throws {
        let points = try parse([
            "Mounts": [
                ["Type": "bind", "Source": "/h", "Target": "/b", "ReadOnly": true],
                ["Type": "volume", "Target": "/v"],
                ["Type": "tmpfs", "Target": "/t", "TmpfsOptions": ["SizeBytes": 4096, "Mode": 448]],
            ]
        ])
        #expect(points.map(\.writable) == [false, true, true])
        #expect(points[1].anonymous && points[0].createsSource == false)
        #expect(points[2].options == ["noexec", "nosuid", "nodev", "mode=700", "size=4096"])
    }

    @Test(
        "--mount with mistakes is refused",
        arguments: [
            ["Type": "bind", "Target": "/b"], ["Type": "bind", "Source": "rel", "Target": "/b"], ["Type": "nonsense"],
            ["Type": "volume"], ["Type": "tmpfs", "Source": "/x", "Target": "/t"], ["Type": "image", "Target": "/i"],
        ] as [JSONValue])
    func badMounts(_ mount: JSONValue) {
        #expect(throws: SpecError.self) { try parse(["Mounts": .array([mount])]) }
    }

    @Test("options of --tmpfs replace docker's where they say the opposite")
    func tmpfs() throws {
        #expect(try parse(["Tmpfs": ["/t": "exec,size=1m"]])[0].options == ["nosuid", "nodev", "exec", "size=1m"])
    }

    @Test("a mount survives the record store")
    func record() throws {
        for point in try parse(["Binds": ["/a:/b:ro", "vol:/c:nocopy"], "Tmpfs": ["/t": ""]]) {
            #expect(MountPoint(record: point.record) == point)
        }
    }
}
