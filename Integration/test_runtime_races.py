# SPDX-License-Identifier: Apache-2.0
"""Attacks on the runtime that win only by being quick: something is swapped between a check and its use.

Each attack is also made on a program that does the same steps the naive way, and takes its time between the check and the
use. Only if that one falls does it mean anything that swrunc does not. SWRUN_RACE_ROUNDS says how often each is tried
(default 40).
"""
import contextlib
import ctypes
import os
import pathlib
import shutil
import stat
import subprocess
import sys
import time

import pytest
from runtime_driver import config
from test_runtime import ours, rootfs  # noqa: F401, the fixtures

ROUNDS = int(os.environ.get("SWRUN_RACE_ROUNDS", "40"))
ROUNDS_OF_THE_NAIVE = 2000
SWAP = """
import ctypes, itertools, sys
libc, (one, other) = ctypes.CDLL(None), [name.encode() for name in sys.argv[1:]]
for _ in itertools.count():
    libc.renameat2(-100, one, -100, other, 2)  # RENAME_EXCHANGE
"""
libc = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def swapping(one, other):
    """Exchanges two names as fast as it goes."""
    child = subprocess.Popen([sys.executable, "-c", SWAP, one, other])
    try:
        yield
    finally:
        child.kill()
        child.wait()


def falls(attempt):
    """Whether the naive program falls to the attack within many rounds; an error is no win for the attack."""
    for _ in range(ROUNDS_OF_THE_NAIVE):
        with contextlib.suppress(OSError):
            if attempt():
                return True
    return False


def is_checked(path):
    """The naive program's check, and the moment after it."""
    is_fine = not path.is_symlink()
    time.sleep(0.0002)
    return is_fine


def bind(source, target):
    """mount(2) by path, as it must not be done."""
    return libc.mount(os.fsencode(source), os.fsencode(target), None, 4096, None) == 0


def detach(target):
    libc.umount2(os.fsencode(target), 2)


def test_the_place_of_a_mount_is_swapped_for_a_link(ours):
    """CVE-2021-30465, CVE-2024-45310: a volume that another container writes to, and a second mount in it."""
    host, volume, source = (ours.directory / name for name in ("host", "volume", "source"))
    for directory in (host, volume / "x", source):
        directory.mkdir(parents=True)
    (volume / "link").symlink_to(host)
    value = config("test", "-e", "/data/x/y/marker")
    value["mounts"] += [{"destination": "/data", "type": "bind", "source": str(volume), "options": ["rbind"]},
                        {"destination": "/data/x/y", "type": "bind", "source": str(source), "options": ["rbind"]}]
    (source / "marker").touch()
    ours.write(value)

    def naive():
        if is_checked(volume / "x"):
            (volume / "x" / "y").mkdir(parents=True, exist_ok=True)
        return any(host.iterdir())

    with swapping(volume / "x", volume / "link"):
        codes = [ours("run", "--bundle", ours.bundle, ours.id(f"r{n}")).returncode for n in range(ROUNDS)]
        assert not any(host.iterdir()) and str(host) not in pathlib.Path("/proc/self/mountinfo").read_text()
        assert 0 in codes
        assert falls(naive), "the attack never wins: the test is worth nothing"


def test_the_null_device_is_swapped_for_a_link(ours):
    """CVE-2025-31133: what masks a file must be the null device, not what has its name a moment later."""
    image, secret = ours.bundle / "rootfs", ours.directory / "secret"
    secret.write_text("secret of the host")
    (image / "masked").write_text("to be masked")
    null, link, new = image / "dev" / "null", image / "dev" / "link", image / "new"
    value = config("cat", "/masked")
    value["mounts"] = [mount for mount in value["mounts"] if not mount["destination"].startswith("/dev")]
    value["linux"]["maskedPaths"].append("/masked")
    ours.write(value)

    def lay_out():
        """One device and one link, mostly: the runtime makes a device of a link that it sees."""
        os.mknod(new, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        os.replace(new, null)
        new.symlink_to(secret)
        os.replace(new, link)

    def start(number):
        lay_out()
        return ours("run", "--bundle", ours.bundle, ours.id(f"r{number}"))

    def naive():
        lay_out()
        if not is_checked(null) or not bind(null, image / "masked"):
            return False
        try:
            return (image / "masked").read_bytes() != b""
        finally:
            detach(image / "masked")

    lay_out()
    with swapping(null, link):
        results = [start(number) for number in range(ROUNDS)]
        assert {result.out for result in results} == {""}, [result.out for result in results if result.out]
        assert 0 in [result.returncode for result in results], results[-1].err
        assert falls(naive), "the attack never wins: the test is worth nothing"


ATTACKER = """
while :; do
    for exe in /proc/[0-9]*/exe; do
        command exec 9<$exe || continue
        [ /proc/self/fd/9 -ef /bin/busybox ] && continue
        for try in $(seq 50); do echo overwritten >> /proc/self/fd/9 && echo won >> /data/won; done
    done
done 2>/dev/null
"""


def test_the_program_that_enters_is_written_to(ours):
    """CVE-2019-5736: whoever enters the container has a program, which the container can reach through /proc."""
    def strong(value):
        value["process"]["capabilities"] = {name: ["CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE"]
                                            for name in ("bounding", "effective", "permitted")}

    before, won = pathlib.Path(ours.program).read_bytes(), ours.bundle / "rootfs" / "data" / "won"
    pid = ours.start("c", "sh", "-c", ATTACKER, change=strong)
    for _ in range(ROUNDS):
        ours("exec", ours.id("c"), "true", check=0)
    assert pathlib.Path(ours.program).read_bytes() == before and not won.exists()

    enters = shutil.copy(shutil.which("sleep"), ours.directory / "enters")

    def naive():
        """A program of the host is in the container for a moment, as one is between setns(2) and execve(2)."""
        subprocess.run(["nsenter", "-t", str(pid), "-p", enters, "0.01"], stderr=subprocess.DEVNULL)
        return won.exists()

    assert falls(naive), "the attack never wins: the test is worth nothing"


# What needs no race, because the image has it from the start


@pytest.mark.parametrize("name", ["console", "pts", "ptmx"])
def test_a_terminal_does_not_follow_links_of_the_image(ours, name):
    """CVE-2025-52565: /dev/console is bound over by the terminal itself."""
    host = ours.directory / "host"
    host.mkdir()
    (ours.bundle / "rootfs" / "dev" / name).symlink_to(host / "made")

    def change(value):
        value["process"]["terminal"] = True
        value["mounts"] = [mount for mount in value["mounts"] if mount["destination"] != "/dev"]

    ours.run("true", change=change, check=None)
    assert not any(host.iterdir()) and str(host) not in pathlib.Path("/proc/self/mountinfo").read_text()


def test_sysctls_do_not_go_to_a_proc_of_the_image(ours):
    """CVE-2025-52881: what is written is procfs, also where the container has none or a false one."""
    host = ours.directory / "host"
    host.write_text("untouched")
    place = ours.bundle / "rootfs" / "proc" / "sys" / "net" / "ipv4"
    place.mkdir(parents=True)
    (place / "ip_forward").symlink_to(host)
    (place / "ping_group_range").write_text("untouched")

    def change(value):
        value["linux"]["sysctl"] = {"net.ipv4.ip_forward": "1", "net.ipv4.ping_group_range": "0 5"}
        value["linux"].update(maskedPaths=[], readonlyPaths=[])
        value["mounts"] = [mount for mount in value["mounts"] if mount["destination"] != "/proc"]

    ours.run("true", change=change, check=None)
    assert (host.read_text(), (place / "ping_group_range").read_text()) == ("untouched", "untouched")


@pytest.mark.parametrize("way", ["run", "exec", "exec --cap", "exec of a process file"])
def test_no_inheritable_capability(ours, way):
    """CVE-2022-24769, -27650, -29162."""
    program = ["grep", "-E", "Cap(Inh|Amb)", "/proc/self/status"]
    if way == "run":
        found = ours.run(*program)
    else:
        ours.start("c")
        process = ours.directory / "process.json"
        process.write_text('{"args": ["grep", "-E", "Cap(Inh|Amb)", "/proc/self/status"], "cwd": "/", "env": ["PATH=/bin"]}')
        flags = {"exec": [], "exec --cap": ["--cap", "CAP_KILL"], "exec of a process file": ["--process", process]}[way]
        found = ours("exec", *flags, ours.id("c"), *([] if "file" in way else program), check=0).out
    assert [line.split("\t")[1] for line in found.splitlines()] == ["0" * 16] * 2


def test_cgroups_of_the_host_are_read_only(ours):
    """CVE-2023-25809."""
    script = "for f in $(find /sys/fs/cgroup -name cgroup.procs); do (: >> $f) 2>/dev/null && echo $f; done; true"
    assert ours.run("sh", "-c", script) == ""
