// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Flags

@Suite("Command lines")
struct FlagSetTests {
    private let flags = FlagSet([
        .bool("rm", "Remove at exit"), .bool("interactive", short: "i", "Keep stdin open"),
        .bool("tty", short: "t", "Terminal"), .list("env", short: "e", "Environment"),
        .string("name", "Name"), .string("pull", default: "missing", "Pull"),
        .int("last", short: "n", default: -1, "Last"),
        .bool("sig-proxy", default: true, "Proxy"), .int("time", "").deprecating("use --timeout instead"),
        Flag("weight", kind: .uint16, valueName: "uint16", help: "Weight"),
        .value("memory", short: "m", named: "bytes", "Memory") { $0 == "x" ? "invalid size: 'x'" : nil },
    ])

    @Test("bundles, glued values, equals signs and repeats are understood")
    func values() throws {
        let values = try flags.parse(
            ["-it", "-e=A=1", "-eB=2", "--env", "C=3", "--env=D=", "--name=x", "--name", "y", "-n5", "img", "--rm"])
        #expect(values.bool("interactive") && values.bool("tty") && values.bool("rm"))
        #expect(values.list("env") == ["A=1", "B=2", "C=3", "D="])
        #expect(values.string("name") == "y")
        #expect(values.int("last") == 5)
        #expect(values.arguments == ["img"])
    }

    @Test("what is not given has its default")
    func defaults() throws {
        let values = try flags.parse([])
        #expect(values.bool("sig-proxy") && !values.bool("rm"))
        #expect(values.int("last") == -1 && values.optionalInt("last") == nil)
        #expect(values.string("pull") == "missing" && values.optional("pull") == nil)
    }

    @Test("booleans take a value only with an equals sign")
    func booleans() throws {
        let values = try flags.parse(["--rm=false", "--sig-proxy=0", "-t=true", "false"])
        #expect(!values.bool("rm") && !values.bool("sig-proxy") && values.bool("tty"))
        #expect(values.arguments == ["false"])
    }

    @Test("two dashes end the flags")
    func dashes() throws {
        let values = try flags.parse(["a", "--", "-i", "b"])
        #expect(values.arguments == ["a", "-i", "b"] && values.argumentsBeforeDashes == 1)
        #expect(!values.bool("interactive"))
    }

    @Test("a command for another program keeps its own flags")
    func stopping() throws {
        var stopping = flags
        stopping.stopsAtFirstArgument = true
        #expect(try stopping.parse(["-i", "img", "ls", "-t", "--", "x"]).arguments == ["img", "ls", "-t", "--", "x"])
    }

    @Test("a lone dash is an argument")
    func loneDash() throws {
        #expect(try flags.parse(["-", ""]).arguments == ["-", ""])
    }

    @Test("a deprecated flag warns")
    func deprecated() throws {
        #expect(
            try flags.parse(["--time", "3"]).warnings == ["Flag --time has been deprecated, use --timeout instead"])
    }

    @Test(
        "mistakes have the texts that users know",
        arguments: [
            (["--bad"], "unknown flag: --bad"),
            (["--bad=1"], "unknown flag: --bad"),
            (["-x"], "unknown shorthand flag: 'x' in -x"),
            (["-tix"], "unknown shorthand flag: 'x' in -x"),
            (["--name"], "flag needs an argument: --name"),
            (["-e"], "flag needs an argument: 'e' in -e"),
            (["-te"], "flag needs an argument: 'e' in -e"),
            (["--=x"], "bad flag syntax: --=x"),
            (["---x"], "bad flag syntax: ---x"),
            (["-m", "x"], "invalid argument \"x\" for \"-m, --memory\" flag: invalid size: 'x'"),
            (
                ["--rm=maybe"],
                "invalid argument \"maybe\" for \"--rm\" flag: strconv.ParseBool: parsing \"maybe\": invalid syntax"
            ),
            (
                ["--last=x"],
                "invalid argument \"x\" for \"-n, --last\" flag: strconv.ParseInt: parsing \"x\": invalid syntax"
            ),
            (
                ["--weight", "70000"],
                "invalid argument \"70000\" for \"--weight\" flag: strconv.ParseUint: parsing \"70000\": "
                    + "value out of range"
            ),
        ])
    func mistakes(_ arguments: [String], _ message: String) {
        #expect { try flags.parse(arguments) } throws: { ($0 as? FlagError)?.message == message }
    }

    @Test("in Go's style one dash is enough and flags end at the first argument")
    func goStyle() throws {
        let go = FlagSet([.string("id", ""), .bool("debug", ""), .string("address", "")], style: .go)
        let values = try go.parse(["-id", "c1", "--address=/a b", "-debug", "start", "-id", "x"])
        #expect(values.string("id") == "c1" && values.string("address") == "/a b" && values.bool("debug"))
        #expect(values.arguments == ["start", "-id", "x"])
        #expect { try go.parse(["-x"]) } throws: { ($0 as? FlagError)?.message == "flag provided but not defined: -x" }
    }

    @Test("flags may go on between arguments, where what is no flag is an argument")
    func interspersed() throws {
        let go = FlagSet([.string("memory", ""), .bool("all", short: "a", "")], style: .go, isInterspersed: true)
        let values = try go.parse(["c1", "--memory", "-1", "-x", "-a", "--", "-a"])
        #expect(values.string("memory") == "-1" && values.bool("all"))
        #expect(values.arguments == ["c1", "-x", "-a"])
        #expect { try go.parse(["-x"]) } throws: { ($0 as? FlagError)?.message == "flag provided but not defined: -x" }
    }

    @Test(
        "integers are read as Go reads them",
        arguments: [
            ("0", 0), ("-5", -5), ("+7", 7), ("0x1F", 31), ("010", 8), ("0b101", 5), ("9223372036854775807", Int.max),
            ("-9223372036854775808", Int.min),
        ])
    func integers(_ text: String, _ value: Int) throws {
        #expect(try FlagNumbers.int(text) == value)
    }

    @Test("what is no integer is refused", arguments: ["", "-", "1a", "0x", "9223372036854775808", "1.5", " 1"])
    func notIntegers(_ text: String) {
        #expect(throws: FlagNumbers.Failure.self) { try FlagNumbers.int(text) }
    }
}
