// SPDX-License-Identifier: Apache-2.0
import GoTemplate
import JSON
import LinuxSystem
import Testing

@testable import Commands

@Suite("Sizes and durations")
struct SizeAndDurationTests {
    @Test(
        "lists show three digits",
        arguments: [
            (0.0, "0B"), (389, "389B"), (5200, "5.2kB"), (4620, "4.62kB"), (1_982_000, "1.98MB"),
            (101_000_000, "101MB"),
            (1.2e9, "1.2GB"), (999_900, "1e+03kB"),
        ])
    func short(_ bytes: Double, _ text: String) { #expect(SizeText.short(bytes) == text) }

    @Test(
        "progress shows four digits",
        arguments: [(3584.0, "3.584kB"), (320_500_000, "320.5MB"), (100_200_000, "100.2MB")])
    func long(_ bytes: Double, _ text: String) { #expect(SizeText.long(bytes) == text) }

    @Test("memory is counted in powers of 1024", arguments: [(319488.0, "312KiB"), (25_275_879_424, "23.54GiB")])
    func binary(_ bytes: Double, _ text: String) { #expect(SizeText.binary(bytes) == text) }

    @Test(
        "sizes are read with their units",
        arguments: [
            ("512m", 536_870_912), ("1.5g", 1_610_612_736), ("1024", 1024), ("64MiB", 67_108_864), ("10 kb", 10240),
            ("7B", 7),
        ])
    func parses(_ text: String, _ bytes: Int64) throws { #expect(try SizeText.parse(text) == bytes) }

    @Test(
        "what is no size is refused",
        arguments: [
            ("x", "invalid size: 'x'"), ("", "invalid size: ''"), ("1xb", "invalid suffix: 'xb'"),
            ("-1", "invalid size: '-1'"),
            ("1.2.3", "strconv.ParseFloat: parsing \"1.2.3\": invalid syntax"),
        ])
    func refuses(_ text: String, _ reason: String) { #expect(Checks.bytes(text) == reason) }

    @Test(
        "durations are told in one rough unit",
        arguments: [
            (0, "Less than a second"), (1, "1 second"), (59, "59 seconds"), (60, "About a minute"),
            (119, "About a minute"),
            (3599, "59 minutes"), (3600, "About an hour"), (7200, "2 hours"), (172_800, "2 days"),
            (1_209_600, "2 weeks"),
            (6_000_000, "2 months"), (63_072_000, "2 years"),
        ])
    func human(_ seconds: Int64, _ text: String) { #expect(DurationText.human(seconds: seconds) == text) }

    @Test(
        "durations are read as Go writes them",
        arguments: [
            ("300ms", 300_000_000), ("1h30m", 5_400_000_000_000), ("-1.5s", -1_500_000_000), ("0", 0), ("2us", 2000),
        ] as [(String, Int64?)] + [("", nil), ("5", nil), ("s", nil), ("1x", nil), (".s", nil)])
    func durations(_ text: String, _ nanoseconds: Int64?) { #expect(DurationText.parse(text) == nanoseconds) }

    @Test(
        "times of flags become seconds since 1970",
        arguments: [
            ("10m", "1000.000000000"), ("1970-01-01T00:20:00Z", "1200.000000000"),
            ("1970-01-01T00:20:00.5Z", "1200.500000000"),
            ("1970-01-02Z", "86400.000000000"), ("1234", "1234"), ("1234.5", "1234.5"),
        ])
    func times(_ text: String, _ expected: String) throws {
        #expect(try TimeArgument.parse(text, now: Timestamp(nanoseconds: 1600 * 1_000_000_000)) == expected)
    }

    @Test(
        "what is no time is refused",
        arguments: ["nonsense", "", "1.", "-", "2026-01", "9999-01-01", "9999-12-31T23:59Z", "-2560000h"])
    func refusesTimes(_ text: String) {
        let reason = "invalid value for \"since\": failed to parse value as time or duration: \"" + text + "\""
        #expect { try TimeArgument.parse(text, named: "since") } throws: { ($0 as? CommandFailure)?.message == reason }
    }

    @Test(
        "processors are counted in billionths",
        arguments: [("1.5", 1_500_000_000), ("0.000000001", 1), (".25", 250_000_000), ("2", 2_000_000_000)])
    func processors(_ text: String, _ nano: Int64) throws { #expect(try Decimal.nano(text) == nano) }

    @Test(
        "more processors than can be counted are refused",
        arguments: ["9223372036.9", "-9223372036.9", "9223372037", "99999999999999999999"])
    func tooManyProcessors(_ text: String) {
        #expect(throws: Decimal.Malformed(reason: "failed to parse " + text + " as a rational number")) {
            try Decimal.nano(text)
        }
    }

    @Test(
        "a number that is none is shown as such",
        arguments: [(Double.infinity, "+Inf"), (.nan, "NaN"), (1e300, "1e+276")])
    func noSize(_ bytes: Double, _ text: String) { #expect(SizeText.short(bytes).hasPrefix(text)) }
}

@Suite("Columns")
struct ColumnTests {
    @Test("neighbouring ports are joined")
    func ports() throws {
        func port(_ ip: String, _ inside: Int64, _ outside: Int64, _ proto: String = "tcp") -> JSONValue {
            ["IP": .string(ip), "PrivatePort": .int(inside), "PublicPort": .int(outside), "Type": .string(proto)]
        }
        #expect(
            PortText.list([port("", 80, 0), port("", 81, 0), port("", 82, 0), port("", 99, 0)]) == "80-82/tcp, 99/tcp")
        #expect(PortText.list([port("0.0.0.0", 80, 80), port("::", 80, 80)]) == "0.0.0.0:80->80/tcp, [::]:80->80/tcp")
        #expect(PortText.list([port("0.0.0.0", 80, 8080), port("", 53, 0, "udp")]) == "53/udp, 0.0.0.0:8080->80/tcp")
    }

    @Test(
        "long texts end with an ellipsis",
        arguments: [
            ("abc", 3, "abc"), ("abcd", 3, "ab…"), ("日本語", 4, "日…"), ("abc", 1, "a"), ("abc", 0, ""),
        ])
    func ellipsis(_ text: String, _ columns: Int, _ cut: String) { #expect(Ellipsis.cut(text, columns) == cut) }

    @Test(
        "names with numbers are sorted as people count",
        arguments: [
            ("net2", "net10", true), ("net10", "net2", false), ("a", "b", true), ("a", "a1", true),
            ("a01", "a1", false),
        ])
    func order(_ left: String, _ right: String, _ precedes: Bool) {
        #expect(NaturalOrder.precedes(left, right) == precedes)
    }

    @Test("tables, templates and JSON are told apart by the format")
    func formats() throws {
        let list = ListFormat([("ID", "CONTAINER ID"), ("Name", "NAME")], others: [("Label", "LABELS")])
        let row = TemplateRecord(typeName: "x", fields: [("ID", "abc"), ("Name", "web")])
        #expect(try list.render("table", [row]) == "CONTAINER ID   NAME\nabc            web\n")
        #expect(try list.render("table", []) == "CONTAINER ID   NAME\n")
        #expect(try list.render(#"table {{.Name}}\t{{lower .ID}}"#, [row]) == "NAME      CONTAINER ID\nweb       abc\n")
        #expect(try list.render("{{.ID}}", [row, row]) == "abc\nabc\n")
        #expect(try list.render("json", [row]) == "{\"ID\":\"abc\",\"Name\":\"web\"}\n")
        #expect(try list.render("{{.ID}}", []) == "")
    }
}

@Suite("Progress")
struct ProgressDisplayTests {
    private let lines: [JSONValue] = [
        ["status": "Pulling from library/busybox", "id": "latest"],
        ["status": "Pulling fs layer", "progressDetail": [:], "id": "aaa"],
        ["status": "Downloading", "progressDetail": ["current": 1000, "total": 2000], "id": "aaa"],
        ["status": "Pull complete", "progressDetail": [:], "id": "aaa"],
        ["status": "Status: Downloaded newer image"],
    ]

    @Test("elsewhere than on a terminal bars are left out")
    func plain() {
        var display = ProgressDisplay(descriptor: 1, columns: nil)
        let text = lines.map { display.render($0) }.joined()
        #expect(
            text == """
                latest: Pulling from library/busybox
                aaa: Pulling fs layer
                aaa: Pull complete
                Status: Downloaded newer image

                """)
    }

    @Test("on a terminal each id has a line that is drawn again")
    func terminal() {
        var display = ProgressDisplay(descriptor: 1, columns: 80)
        #expect(display.render(lines[0]) == "latest: Pulling from library/busybox\n")
        #expect(display.render(lines[1]) == "\n\u{1B}[1A\u{1B}[2K\raaa: Pulling fs layer \r\u{1B}[1B")
        #expect(display.render(lines[2]) == "\u{1B}[1A\u{1B}[2K\raaa: Downloading      1kB/2kB\r\u{1B}[1B")
    }

    @Test("a wide terminal gets a bar")
    func bar() {
        let bar = ProgressDisplay.bar(["current": 50, "total": 100], columns: 120)
        #expect(
            bar == "[" + String(repeating: "=", count: 25) + ">" + String(repeating: " ", count: 25) + "]      50B/100B"
        )
    }
}
