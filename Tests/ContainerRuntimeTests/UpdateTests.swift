// SPDX-License-Identifier: Apache-2.0
import JSON
import Testing

@testable import ContainerRuntime

@Suite("Values on the command line of update and events")
struct UpdateTests {
    @Test(
        "sizes",
        arguments: [
            ("1024", 1024), ("64k", 65536), ("2M", 2 << 20), ("1g", 1 << 30), ("3MiB", 3 << 20), ("7b", 7),
            ("5mb", 5 << 20),
        ])
    func sizes(_ text: String, _ expected: Int64) { #expect(byteCount(text) == expected) }

    @Test("what is no size", arguments: ["", "x", "-2", "1x", "1kx", "99999999999p", "m"])
    func noSizes(_ text: String) { #expect(byteCount(text) == nil) }

    @Test(
        "durations",
        arguments: [
            ("5s", 5000), ("200ms", 200), ("1m30s", 90000), ("1.5s", 1500), ("0", 0), ("0s", 0), ("1us", 1),
            ("-5s", -5000),
        ])
    func durations(_ text: String, _ expected: Int64) { #expect(milliseconds(text) == expected) }

    @Test("what is no duration", arguments: ["", "5", "s", "1x", "1.2.3s", "-", "-1"])
    func noDurations(_ text: String) { #expect(milliseconds(text) == nil) }

    @Test("pressure is written as Go writes its numbers")
    func pressure() {
        let text = "some avg10=0.50 avg60=12.05 avg300=0.00 total=12345\n"
        #expect(pressureJSON(text)?.serialized() == #"{"some":{"avg10":0.5,"avg60":12.05,"avg300":0,"total":12345}}"#)
        #expect(pressureJSON("") == Optional.none)
    }
}
