// SPDX-License-Identifier: Apache-2.0
import Confinement
import JSON
import LinuxSystem
import OCISpec

/// What this runtime can do (features.md): only what it really does.
var featuresCommand: Command {
    Command(name: "features", help: "print what this runtime supports", usage: "", flags: [], arity: .exactly(0)) {
        _ throws(RuntimeError) in
        writeLine(1, features.serialized(.pretty))
        return 0
    }
}

private var features: JSONValue {
    [
        "ociVersionMin": "1.0.0", "ociVersionMax": .string(Version.newestRuntimeSpec),
        "hooks": ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"],
        "mountOptions": .strings(MountOptions.names),
        "linux": [
            "namespaces": ["cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"],
            "capabilities": .strings(capabilityNames),
            "cgroup": ["v1": true, "v2": true, "systemd": true, "systemdUser": true, "rdma": false],
            "seccomp": seccomp,
            "apparmor": ["enabled": .bool(exists(FilePath("/sys/kernel/security/apparmor")))],
            "selinux": ["enabled": .bool(exists(FilePath("/sys/fs/selinux")))],
            "intelRdt": ["enabled": true, "schemata": true, "monitoring": true],
            "memoryPolicy": [
                "modes": [
                    "MPOL_BIND", "MPOL_DEFAULT", "MPOL_INTERLEAVE", "MPOL_LOCAL", "MPOL_PREFERRED",
                    "MPOL_PREFERRED_MANY", "MPOL_WEIGHTED_INTERLEAVE",
                ],
                "flags": ["MPOL_F_NUMA_BALANCING", "MPOL_F_RELATIVE_NODES", "MPOL_F_STATIC_NODES"],
            ],
            "mountExtensions": ["idmap": ["enabled": true]],
            "netDevices": ["enabled": true],
        ],
        "annotations": [
            "io.github.seccomp.libseccomp.version": .string(SeccompCompiler.libraryVersion),
            "org.opencontainers.runc.checkpoint.enabled": "true",
        ],
        "potentiallyUnsafeConfigAnnotations": [],
    ]
}

private var seccomp: JSONValue {
    [
        "enabled": true,
        "actions": [
            "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD",
            "SCMP_ACT_LOG", "SCMP_ACT_NOTIFY", "SCMP_ACT_TRACE", "SCMP_ACT_TRAP",
        ],
        "operators": [
            "SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_LE", "SCMP_CMP_LT", "SCMP_CMP_MASKED_EQ",
            "SCMP_CMP_NE",
        ],
        "archs": [
            "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM", "SCMP_ARCH_MIPS", "SCMP_ARCH_MIPS64", "SCMP_ARCH_MIPS64N32",
            "SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC", "SCMP_ARCH_PPC64",
            "SCMP_ARCH_PPC64LE", "SCMP_ARCH_RISCV64", "SCMP_ARCH_S390", "SCMP_ARCH_S390X", "SCMP_ARCH_X32",
            "SCMP_ARCH_X86", "SCMP_ARCH_X86_64",
        ],
        "knownFlags": [
            "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_LOG",
            "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
        ],
        "supportedFlags": [
            "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_LOG",
            "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
        ],
    ]
}
