# SPDX-License-Identifier: Apache-2.0
"""Which system calls the default filter denies, and which each capability gives back: what dockerd 26.1.5 with runc 1.1.15
does on Linux 6.18, found with the same probe. Every call is made, with arguments that none takes; a call is denied where
its result is another one than without the filter."""
import pathlib
import re
import shutil
import subprocess

import pytest
from harness import TOOLS

HEADER = pathlib.Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
pytestmark = pytest.mark.skipif(not (shutil.which("musl-gcc") and HEADER.exists()), reason="no compiler for the probe")

DENIED = set("""
uselib personality ustat sysfs _sysctl settimeofday mount umount2 swapon iopl ioperm create_module init_module delete_module
get_kernel_syms query_module quotactl nfsservctl getpmsg putpmsg afs_syscall tuxcall security lookup_dcookie clock_settime
vserver mbind set_mempolicy get_mempolicy kexec_load add_key request_key keyctl migrate_pages unshare move_pages
perf_event_open open_by_handle_at setns kcmp finit_module kexec_file_load bpf userfaultfd io_uring_setup io_uring_enter
io_uring_register open_tree fsconfig clone3 pidfd_getfd process_madvise mount_setattr quotactl_fd set_mempolicy_home_node
""".split())
# Newer than the profile: 457 to 469 answer ENOSYS, as the numbers that no system call has answer EPERM.
NEWER, UNUSED = set(range(457, 470)), set(range(337, 424))
ADMINISTRATOR = set("""
mount umount2 quotactl lookup_dcookie unshare perf_event_open setns bpf open_tree fsconfig clone3 mount_setattr quotactl_fd
""".split())


@pytest.fixture(scope="module")
def probe(tmp_path_factory):
    program = tmp_path_factory.mktemp("probe") / "probe"
    subprocess.run(["musl-gcc", "-static", "-O1", "-Wall", "-Werror", "-o", program, TOOLS / "syscall_probe.c"], check=True)
    return program


def results(stack, probe, *flags):
    """{number: errno} of the calls that failed in a container."""
    text = stack.docker("run", "--rm", "--network", "none", "-v", f"{probe}:/probe:ro", *flags, "busybox", "/probe")
    return {int(number): int(error) for number, error in (line.split() for line in text.splitlines())}


def denied(stack, probe, *flags):
    """What the filter denies: names, and the numbers of calls that have none here; each with its error."""
    names = {int(number): name for name, number in re.findall(r"#define __NR_(\w+) (\d+)", HEADER.read_text())}
    filtered, free = results(stack, probe, *flags), results(stack, probe, *flags, "--security-opt", "seccomp=unconfined")
    differing = [number for number in filtered.keys() | free.keys() if filtered.get(number) != free.get(number)]
    return {number if number in NEWER | UNUSED else names.get(number, number): filtered.get(number) for number in differing}


def test_default(stack, probe):
    found = denied(stack, probe)
    assert set(found) == DENIED | NEWER | UNUSED
    assert {call for call, error in found.items() if error == 38} == NEWER | {"clone3"}
    assert {error for error in found.values()} == {1, 38}


@pytest.mark.parametrize("capabilities, given, taken", [
    (["SYS_ADMIN"], ADMINISTRATOR, {"pivot_root", "swapoff"}),  # denied by the kernel, too, without the capability
    (["SYS_PTRACE", "SYS_MODULE"], {"kcmp", "pidfd_getfd", "process_madvise", "init_module", "delete_module", "finit_module"}, set()),
    (["SYS_NICE", "SYS_TIME"], {"mbind", "set_mempolicy", "get_mempolicy", "set_mempolicy_home_node", "settimeofday",
                                "clock_settime"}, set()),
    (["BPF", "PERFMON", "DAC_READ_SEARCH", "SYS_RAWIO"], {"bpf", "perf_event_open", "open_by_handle_at", "iopl", "ioperm"}, set()),
    (["NET_ADMIN", "SYS_BOOT", "SYS_PACCT", "SYSLOG", "SYS_TTY_CONFIG"], set(), set()),
])
def test_a_capability_gives_its_calls_back(stack, probe, capabilities, given, taken):
    flags = [part for name in capabilities for part in ("--cap-add", name)]
    assert set(denied(stack, probe, *flags)) == (DENIED - given) | taken | NEWER | UNUSED


def test_no_capabilities(stack, probe):
    assert set(denied(stack, probe, "--cap-drop", "ALL")) == DENIED | {"chroot"} | NEWER | UNUSED


def test_privileged_has_no_filter(stack, probe):
    assert denied(stack, probe, "--privileged") == {}
