// SPDX-License-Identifier: Apache-2.0
import Engine
import JSON
import Testing

@Suite("Capabilities")
struct CapabilityTests {
    @Test("the default is docker's fourteen")
    func defaults() throws {
        let selected = try Capability.select(add: [], drop: [], available: Capability.names)
        let mask = selected.reduce(UInt64(0)) { $0 | 1 << UInt64(Capability.names.firstIndex(of: $1) ?? 63) }
        #expect(mask == 0xa804_25fb)
    }

    @Test(
        "add and drop choose",
        arguments: [
            (["net_admin"], ["ALL"], ["CAP_NET_ADMIN"]), ([], ["all"], []),
            (["ALL"], [], ["CAP_CHOWN", "CAP_BPF"]), (["ALL"], ["CHOWN"], ["CAP_BPF"]),
        ])
    func select(_ add: [String], _ drop: [String], _ expected: [String]) throws {
        #expect(try Capability.select(add: add, drop: drop, available: ["CAP_CHOWN", "CAP_BPF"]) == expected)
    }

    @Test("an unknown name is refused")
    func unknown() {
        #expect(throws: SpecError.self) { try Capability.select(add: ["nonsense"], drop: [], available: []) }
    }

    @Test("a mask becomes names")
    func names() {
        #expect(Capability.names(inMask: 0b101) == ["CAP_CHOWN", "CAP_DAC_READ_SEARCH"])
    }
}

@Suite("Seccomp profiles")
struct SeccompProfileTests {
    private func rules(_ profile: JSONValue, _ name: String) -> [JSONValue] {
        profile["syscalls"]?.array?.filter { $0["names"]?.strings?.contains(name) == true } ?? []
    }

    @Test("without CAP_SYS_ADMIN namespaces cannot be made, and clone3 is unknown")
    func clone() {
        let profile = SeccompProfile.standard(capabilities: Capability.defaults, architecture: "amd64")
        #expect(
            rules(profile, "clone").map { $0.serialized() } == [
                #"{"names":["clone"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":2114060288,"valueTwo":0,"#
                    + #""op":"SCMP_CMP_MASKED_EQ"}]}"#
            ])
        #expect(
            rules(profile, "clone3").map { $0.serialized() } == [
                #"{"names":["clone3"],"action":"SCMP_ACT_ERRNO","errnoRet":38}"#
            ])
        #expect(rules(profile, "mount").isEmpty && rules(profile, "io_uring_setup").isEmpty)
        #expect(rules(profile, "chroot").count == 1)  // CAP_SYS_CHROOT is a default
    }

    @Test("capabilities bring their system calls")
    func capabilities() {
        let profile = SeccompProfile.standard(capabilities: ["CAP_SYS_ADMIN"], architecture: "amd64")
        #expect(rules(profile, "mount").count == 1 && rules(profile, "setns").count == 1)
        #expect(rules(profile, "clone").allSatisfy { $0["args"] == nil })
    }

    @Test("352 system calls are always allowed, besides ptrace and its relatives, and none is named twice")
    func count() {
        let profile = SeccompProfile.standard(capabilities: [], architecture: "arm64")
        let names = profile["syscalls"]?.array?.first?["names"]?.strings ?? []
        #expect(names.count == 355 && Set(names).count == names.count)
        #expect(profile["architectures"]?.strings == ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"])
    }

    @Test("sockets of every family but AF_ALG and AF_VSOCK are allowed")
    func sockets() {
        let profile = SeccompProfile.standard(capabilities: [], architecture: "amd64")
        let arguments = rules(profile, "socket").compactMap { $0["args"]?.array?.first }
        #expect(arguments.map { $0["op"]?.string ?? "" } == ["SCMP_CMP_LT", "SCMP_CMP_EQ", "SCMP_CMP_GT"])
        #expect(arguments.map { $0["value"]?.int ?? 0 } == [38, 39, 40])
    }

    @Test("a profile of the user's is taken with its conditions")
    func custom() throws {
        let text = """
            {"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":1,
             "archMap":[{"architecture":"SCMP_ARCH_X86_64","subArchitectures":["SCMP_ARCH_X86"]}],
             "syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW"},
              {"names":["mount"],"action":"SCMP_ACT_ALLOW","includes":{"caps":["CAP_SYS_ADMIN"]}},
              {"names":["clone"],"action":"SCMP_ACT_ALLOW","excludes":{"caps":["CAP_SYS_ADMIN"]}},
              {"names":["arm"],"action":"SCMP_ACT_ALLOW","includes":{"arches":["arm64"]}}]}
            """
        let profile = try SeccompProfile.custom(text, capabilities: [], architecture: "amd64")
        #expect(profile["architectures"]?.strings == ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"])
        #expect(profile["syscalls"]?.array?.compactMap { $0["names"]?.strings?.first } == ["read", "clone"])
    }

    @Test("a broken profile is refused", arguments: ["", "{", "[]", "{}"])
    func broken(_ text: String) {
        #expect(throws: SpecError.self) {
            try SeccompProfile.custom(text, capabilities: [], architecture: "amd64")
        }
    }
}

@Suite("Security options")
struct SecurityOptionsTests {
    @Test("each is understood in both spellings")
    func parse() throws {
        let options = try SecurityOptions(parsing: [
            "no-new-privileges:true", "seccomp=unconfined", "apparmor=unconfined", "label:disable",
        ])
        #expect(options.noNewPrivileges && options.seccomp == .unconfined)
        #expect(try SecurityOptions(parsing: ["seccomp={}"]).seccomp == .custom("{}"))
    }

    @Test(
        "what we cannot give is refused",
        arguments: ["apparmor", "label=", "nonsense", "seccomp", "no-new-privileges=maybe"])
    func refused(_ option: String) {
        #expect(throws: SpecError.self) { try SecurityOptions(parsing: [option]) }
    }
}
