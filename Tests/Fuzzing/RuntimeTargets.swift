// SPDX-License-Identifier: Apache-2.0
import Cgroups
import Confinement
import JSON
import LinuxSystem
import OCISpec
import TTRPC

@testable import ContainerRuntime
@testable import Engine

/// What the runtime and the shim are given, and the files of /proc and of images that they read.
let runtimeTargets = [
    FuzzTarget("runtime-spec") { bytes in
        guard let spec = accepted({ try RuntimeSpec(parsing: bytes) }) else { return }
        _ = settingsV1(spec.linux.resources)
        _ = settingsV2(spec.linux.resources)
        let rules = effectiveDeviceRules(spec.linux.resources.devices)
        expect(DeviceFilter(rules).bytes.count % 8 == 0, "a filter is made of whole instructions")
        for rule in rules.flatMap({ expandedForV1($0) }) { _ = rule.v1Text }
        let place = accepted {
            try CgroupLocation(cgroupsPath: spec.linux.cgroupsPath, id: "a", layout: CgroupLayout(hierarchies: [])) {
                ""
            }
        }
        expect(place?.path.contains("/../") == false, "a cgroup's path is plain")
        guard let plan = accepted({ try ContainerPlan(spec, bundle: FilePath("/bundle")) }) else { return }
        for mount in plan.mounts {
            let isPlain = mount.destination.hasPrefix("/") && !mount.destination.split(separator: "/").contains("..")
            expect(isPlain, "a mount's destination is absolute and has no ..: \(mount.destination)")
        }
        let record = ContainerRecord(
            plan: plan, id: "a", pid: 1, startTime: 1, options: LaunchOptions(bundle: FilePath("/bundle")), created: "",
            cgroup: place)
        let again = accepted { try ContainerRecord(try JSONValue(parsing: record.json.bytes())) }
        expect(again.map { $0.json } == record.json, "what a container's state keeps it gives back")
    },
    FuzzTarget("runtime-state") { bytes in
        guard let value = accepted({ try JSONValue(parsing: bytes) }),
            let record = accepted({ try ContainerRecord(value) })
        else { return }
        let again = accepted { try ContainerRecord(try JSONValue(parsing: record.json.bytes())) }
        expect(again.map { $0.json } == record.json, "a state that is written reads the same")
    },
    FuzzTarget("seccomp") { bytes in
        let capabilities = ["CAP_SYS_ADMIN", "CAP_CHOWN"]
        let custom = accepted {
            try SeccompProfile.custom(bytes.text, capabilities: capabilities, architecture: "amd64")
        }
        guard let custom else { return }
        let spec: JSONValue = ["ociVersion": "1.1.0", "linux": ["seccomp": custom]]
        guard let profile = accepted({ try RuntimeSpec(spec) })?.linux.seccomp else { return }
        guard let filter = accepted({ try SeccompCompiler.compile(profile) }) else { return }
        expect(filter.program.count % 8 == 0 && !filter.program.isEmpty, "a filter is made of whole instructions")
    },
    FuzzTarget("bus") { bytes in
        _ = BusConnection.socketPath(bytes.text)
        guard let length = BusMessage.length(of: Array(bytes.prefix(16))) else { return }
        expect(length >= 16, "a message has a header")
        guard let message = BusMessage(Array(bytes.prefix(length))) else { return }
        expect(message.texts.count <= message.signature.utf8.count, "each text has a type")
        var call = BusMessage(path: message.path, interface: message.interface, member: message.member, arguments: [])
        call.serial = message.serial
        let again = BusMessage(call.call(to: "d"))
        expect(again?.member == call.member && again?.serial == call.serial, "a call that is written reads the same")
    },
    FuzzTarget("users") { bytes in
        let texts = bytes.texts(4)
        let lookup = UserLookup(passwd: texts[2], group: texts[3])
        for user in ["", "root", "1000", "root:adm", texts[0]] {
            let groups = texts[1].isEmpty ? [] : [texts[1]]
            guard let found = accepted({ try lookup.resolve(user, groupAdd: groups) }) else { continue }
            let ids = [found.uid, found.gid] + found.additionalGIDs
            expect(ids.allSatisfy { $0 <= UInt32(Int32.max) }, "ids are in range")
        }
        let home = homeDirectory(of: 0, passwd: Array(texts[2].utf8))
        expect(!home.isEmpty && !home.utf8.contains(0), "a home directory is a path")
    },
    FuzzTarget("proc") { bytes in
        _ = ProcessStat(parsing: bytes)?.hasEnded
        let layout = CgroupLayout(mountInfo: bytes)
        _ = (layout.isUnifiedOnly, layout.unified, layout.hierarchy(with: "memory"))
        if let number = signalNumber(bytes.text) { expect((0...64).contains(number), "signals are 0 to 64") }
        let path = FilePath("/" + bytes.text).normalized.string
        expect(path.hasPrefix("/") && !path.split(separator: "/").contains(".."), "a normal path has no ..")
    },
    FuzzTarget("ttrpc") { bytes in
        var whole = TTRPC.FrameDecoder()
        whole.append(bytes)
        var frames: [TTRPC.FrameDecoder.Output] = []
        while let frame = whole.next() { frames.append(frame) }
        var cut = TTRPC.FrameDecoder()
        var same: [TTRPC.FrameDecoder.Output] = []
        for piece in bytes.pieces {
            cut.append(piece)
            while let frame = cut.next() { same.append(frame) }
        }
        expect(frames == same, "frames are the same in pieces")
        for case .frame(let frame) in frames { checkMessages(frame.payload) }
        checkMessages(bytes)
    },
]

private func checkMessages(_ payload: [UInt8]) {
    if let request = accepted({ try RPCRequest(decoding: payload) }) {
        expect(accepted { try RPCRequest(decoding: request.encoded()) } == request, "a request reads the same")
    }
    if let response = accepted({ try RPCResponse(decoding: payload) }) {
        expect(accepted { try RPCResponse(decoding: response.encoded()) } == response, "a response reads the same")
    }
}
