// SPDX-License-Identifier: Apache-2.0
import JSON
import Testing

@testable import GoTemplate

@Suite("Templates")
struct TemplateTests {
    static let data: JSONValue = [
        "Name": "web", "Id": "abcdef", "Pid": 42, "Running": true, "Health": nil, "Empty": "",
        "Config": ["Cmd": ["sleep", "1d"], "Labels": ["a": "b", "com.x": "y"], "Env": []],
        "Ports": ["80/tcp": [["HostIp": "0.0.0.0", "HostPort": "8080"]], "81/tcp": nil],
        "Float": .number(text: "2.5"), "Html": "<a & \"b\">",
    ]

    @Test(
        "render as Go's text/template does",
        arguments: [
            ("plain", "plain"),
            ("{{.Name}}", "web"),
            ("{{ .Config.Cmd }}", "[sleep 1d]"),
            ("{{.Config.Labels.a}}/{{.Config.Labels.nope}}", "b/<no value>"),
            ("{{.Health}}", "<nil>"),
            ("{{json .Config.Cmd}}", "[\"sleep\",\"1d\"]"),
            ("{{json .Html}}", "\"<a & \\\"b\\\">\""),
            ("{{index .Config.Labels \"com.x\"}}", "y"),
            ("{{index .Config.Cmd 1}}", "1d"),
            ("{{(index (index .Ports \"80/tcp\") 0).HostPort}}", "8080"),
            ("{{if .Running}}up{{else}}down{{end}}", "up"),
            ("{{if .Empty}}a{{else if .Running}}b{{else}}c{{end}}", "b"),
            ("{{if not .Running}}x{{end}}", ""),
            ("{{if and .Running (eq .Name \"web\")}}yes{{end}}", "yes"),
            ("{{or .Empty .Name}}", "web"),
            ("{{range .Config.Cmd}}[{{.}}]{{end}}", "[sleep][1d]"),
            ("{{range $i, $v := .Config.Cmd}}{{$i}}={{$v}};{{end}}", "0=sleep;1=1d;"),
            ("{{range $k, $v := .Config.Labels}}{{$k}}={{$v}} {{end}}", "a=b com.x=y "),
            ("{{range .Config.Env}}x{{else}}none{{end}}", "none"),
            ("{{range .Config.Cmd}}{{if eq . \"1d\"}}{{break}}{{end}}{{.}}{{end}}", "sleep"),
            ("{{range .Config.Cmd}}{{if eq . \"sleep\"}}{{continue}}{{end}}{{.}}{{end}}", "1d"),
            ("{{with .Config}}{{len .Cmd}}{{$.Name}}{{end}}", "2web"),
            ("{{with .Empty}}x{{else}}y{{end}}", "y"),
            ("{{$x := .Pid}}{{$x = 7}}{{$x}}", "7"),
            ("{{define \"t\"}}<{{.}}>{{end}}{{template \"t\" .Name}}", "<web>"),
            ("{{block \"b\" .Name}}({{.}}){{end}}", "(web)"),
            ("a {{- .Name -}} b", "awebb"),
            ("a{{/* nothing */}}b {{- /* and trim */ -}} c", "abc"),
            ("{{.Name | upper | printf \"%s-%d\" \"x\"}}", "x-%!d(string=WEB)"),
            (
                "{{printf \"%05d|%-5s|%5s|%q|%v|%t|%x\" .Pid .Name .Name .Name .Config.Cmd .Running .Pid}}",
                "00042|web  |  web|\"web\"|[sleep 1d]|true|2a"
            ),
            ("{{printf \"%.2f %d %d\" .Float 1}}", "2.50 1 %!d(MISSING)"),
            ("{{printf \"%s\" .Name .Pid}}", "web%!(EXTRA int=42)"),
            ("{{print 1 2 \"a\" 3}}{{println \"x\" 1}}", "1 2a3x 1\n"),
            ("{{upper .Name}}{{lower \"ABC\"}}{{title \"ab cd\"}}", "WEBabcAb Cd"),
            ("{{join .Config.Cmd \",\"}} {{index (split \"a:b:c\" \":\") 1}}", "sleep,1d b"),
            ("[{{pad .Name 2 3}}][{{truncate .Id 3}}]", "[  web   ][abc]"),
            ("{{slice .Id 1 3}}{{len .Id}}{{slice .Config.Cmd 1}}", "bc6[1d]"),
            ("{{lt 1 2}}{{le 2 2}}{{gt 1 2}}{{ge 2 3}}{{ne \"a\" \"b\"}}{{eq 1 2 3 1}}", "truetruefalsefalsetruetrue"),
            ("{{html .Html}} {{urlquery \"a b&c\"}} {{js \"it's\"}}", "&lt;a &amp; &#34;b&#34;&gt; a+b%26c it\\'s"),
            ("{{`raw \\n`}}{{\"a\\tb\"}}{{'A'}}", "raw \\na\tb65"),
            ("{{.Config.Labels}}", "map[a:b com.x:y]"),
        ])
    func renders(_ template: String, _ expected: String) throws {
        #expect(try Template(template).render(Self.data) == expected)
    }

    @Test(
        "mistakes are told as Go tells them",
        arguments: [
            ("{{if", "template: :1: unclosed action"),
            ("{{.Name", "template: :1: unclosed action"),
            ("{{end}}", "template: :1: unexpected {{end}}"),
            ("{{if .Name}}x", "template: :1: unexpected EOF"),
            ("{{foo}}", "template: :1: function \"foo\" not defined"),
            ("{{$x}}", "template: :1: undefined variable \"$x\""),
            ("{{break}}", "template: :1: {{break}} outside {{range}}"),
            ("{{.Nope}}", "template: :1:2: executing \"\" at <.Nope>: map has no entry for key \"Nope\""),
            ("{{.Config.Nope}}", "template: :1:9: executing \"\" at <.Config.Nope>: map has no entry for key \"Nope\""),
            ("{{.Name.x}}", "template: :1:7: executing \"\" at <.Name.x>: can't evaluate field x in type string"),
            (
                "{{.Health.Status}}",
                "template: :1:9: executing \"\" at <.Health.Status>: nil pointer evaluating interface {}.Status"
            ),
            (
                "{{index .Config.Cmd 7}}",
                "template: :1:2: executing \"\" at <index .Config.Cmd 7>: error calling index: index out of range: 7"
            ),
            (
                "{{template \"x\"}}",
                "template: :1:11: executing \"\" at <{{template \"x\"}}>: template \"x\" not defined"
            ),
            ("{{len 3}}", "template: :1:2: executing \"\" at <len 3>: error calling len: len of type int"),
            (
                "{{eq .Name 1}}",
                "template: :1:2: executing \"\" at <eq .Name 1>: error calling eq: incompatible types for comparison"
            ),
        ])
    func fails(_ template: String, _ message: String) {
        #expect { try Template(template).render(Self.data) } throws: { ($0 as? TemplateError)?.message == message }
    }

    @Test("rows have fields and fields with arguments")
    func records() throws {
        let row = TemplateRecord(
            typeName: "*formatter.Row", fields: [("ID", "x"), ("Tag", "<none>")],
            method: { name, arguments in name == "Label" ? .string("label " + (arguments.first ?? "")) : nil })
        #expect(try Template("{{.ID}} {{.Label \"a\"}}").render(.record(row)) == "x label a")
        let event = TemplateRecord(typeName: "t", fields: [("Time", 5)], json: ["time": 5])
        #expect(try Template("{{.Time}} {{json .}}").render(.record(event)) == "5 {\"time\":5}")
        #expect(try Template("{{json .}}").render(.record(row)) == "{\"ID\":\"x\",\"Tag\":\"\\u003cnone\\u003e\"}")
        #expect { try Template("{{.Nope}}").render(.record(row)) } throws: {
            ($0 as? TemplateError)?.message
                == "template: :1:2: executing \"\" at <.Nope>: can't evaluate field Nope in type *formatter.Row"
        }
    }
}

@Suite("Aligned columns")
struct TabWriterTests {
    @Test("cells are padded to the longest of their column, the last one is not")
    func aligns() {
        #expect(
            TabWriter().align("ID\tNAME\tX\nabcdefghijkl\tn\t\n")
                == "ID             NAME      X\nabcdefghijkl   n         \n")
    }

    @Test("a line without the column ends it")
    func runs() {
        #expect(TabWriter(minimumWidth: 0, padding: 1).align("a\tb\nlong\tb\nx\nc\td\n") == "a    b\nlong b\nx\nc d\n")
    }

    @Test(
        "numbers are rounded as they are printed",
        arguments: [
            (2.5, 2, "2.50"), (0.0, 2, "0.00"), (1.006, 2, "1.01"), (-0.001, 2, "0.00"), (99.999, 1, "100.0"),
            (3.0, 0, "3"),
        ])
    func decimals(_ number: Double, _ digits: Int, _ text: String) {
        #expect(fixedPoint(number, digits: digits) == text)
    }

    @Test(
        "a template nested without end is refused",
        arguments: [
            ("{{", "(", "1", ")", "}}"), ("", "{{if .}}", "", "{{end}}", ""), ("", "{{if .}}{{else if .}}", "", "", ""),
        ])
    func nesting(_ first: String, _ open: String, _ inner: String, _ close: String, _ last: String) throws {
        func template(_ depth: Int) -> String {
            first + String(repeating: open, count: depth) + inner + String(repeating: close, count: depth) + last
        }
        let refused = #expect(throws: TemplateError.self) { try Template(template(100_000)) }
        #expect(refused?.message == "template: :1: exceeded maximum nesting depth (500)")
        if !close.isEmpty { _ = try Template(template(100)).render(.bool(true)) }
    }

    @Test("a member that the data leaves out is found, but shows nowhere else")
    func omitted() throws {
        let template = try Template("{{if .State.Health}}x{{end}}{{json .State}}")
        let data: TemplateValue = .json(["State": ["Pid": 1]])
        let text = try template.render(data) { name, object in
            name == "Health" && object["Pid"] != nil ? .json(.null) : nil
        }
        #expect(text == "{\"Pid\":1}")
        #expect(throws: TemplateError.self) { try template.render(data) }
    }
}
