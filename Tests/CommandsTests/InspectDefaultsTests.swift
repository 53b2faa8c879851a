// SPDX-License-Identifier: Apache-2.0
import GoTemplate
import JSON
import Testing

@testable import Commands

@Suite("Templates of what the API leaves out")
struct InspectDefaultsTests {
    @Test(
        "lists and maps print as empty, pointers as nil, and all of them are null as JSON",
        arguments: [
            ("{{.Config.Entrypoint}}|{{.Config.Volumes}}|{{.Config.Healthcheck}}|", "[]|map[]|<nil>|"),
            ("{{json .Config.Entrypoint}} {{json .Config.OnBuild}} {{json .Config.Labels}}", "null null null"),
            ("{{len .Config.OnBuild}}{{range .Config.Cmd}}x{{end}}{{index .Config.Labels \"a\"}}", "0"),
            ("{{if .Config.Labels}}y{{end}}{{with .Config.Shell}}y{{end}}{{join .Config.Cmd \",\"}}.", "."),
            ("{{.Variant}}|{{.Descriptor}}|{{.RepoDigests}}", "|<nil>|[]"), ("{{.Config.Labels.a}}", "<no value>"),
        ])
    func empty(_ template: String, _ expected: String) throws {
        let image: JSONValue = ["RepoTags": [], "RepoDigests": .null, "Config": ["Env": ["A=1"], "Cmd": .null]]
        #expect(try Template(template).render(.json(image), omitted: InspectDefaults.value) == expected)
    }

    @Test("what such an object never has is an error that names all of it")
    func unknown() throws {
        let error = try #require(throws: TemplateError.self) {
            try Template("{{.NoSuchMemberOfAnImage}}").render(.json(["RepoTags": []]), omitted: InspectDefaults.value)
        }
        #expect(error.message.hasSuffix("<.NoSuchMemberOfAnImage>: map has no entry for key \"NoSuchMemberOfAnImage\""))
    }
}
