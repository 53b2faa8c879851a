// SPDX-License-Identifier: Apache-2.0
import JSON
import Testing

@testable import Commands

@Suite("system df -v")
struct DiskUsageTests {
    private static let usage: JSONValue = [
        "Images": [
            [
                "Id": "sha256:0123456789abcdef", "RepoTags": ["busybox:latest", "other:1"], "Created": 0,
                "Size": 4_420_000, "SharedSize": 20_000, "Containers": 2,
            ],
            ["Id": "sha256:fedcba9876543210", "Created": 0, "Size": 100, "SharedSize": -1, "Containers": -1],
        ],
        "Containers": [], "Volumes": [["Name": "v", "UsageData": ["Size": 1234, "RefCount": 1]]],
        "BuildCache": [["ID": "c", "Type": "regular", "Size": 1000, "InUse": false, "Shared": true, "UsageCount": 3]],
    ]

    @Test("each image has one line, with what it shares and what is its own")
    func tables() throws {
        let lines = try DiskUsageDetails(usage: Self.usage).render("table").split(separator: "\n").map { line in
            line.split(separator: " ").joined(separator: " ")
        }
        #expect(lines.contains("busybox latest 0123456789ab N/A 4.42MB 20kB 4.4MB 2"))
        #expect(lines.contains("<none> <none> fedcba987654 N/A 100B N/A N/A N/A"))
        #expect(!lines.contains { $0.hasPrefix("other") })
        #expect(lines.contains("v 1 1.234kB"))
        #expect(lines.contains("c regular 1kB 3 true"))
    }

    @Test("a format sees all kinds of objects, with full IDs")
    func format() throws {
        let details = DiskUsageDetails(usage: Self.usage)
        #expect(
            try details.render("{{range .Images}}{{.ID}} {{end}}{{(index .BuildCache 0).CacheType}}")
                == "sha256:0123456789abcdef sha256:fedcba9876543210 regular\n")
        #expect(try details.render("json").hasPrefix(#"{"BuildCache":[{"CacheType":"regular","#))
    }
}
