# SPDX-License-Identifier: Apache-2.0
"""Small things that runc does and that a user of swrunc would miss: output, warnings, hooks, binds and limits."""
import json
import pathlib
import subprocess

import pytest
from runtime_driver import config, is_version_2, own_cgroup
from test_runtime import ours, rootfs, runtime, wait_until  # noqa: F401 (fixtures)
from test_runtime_features import own_users, shift_owners


def messages(ours, level):
    entries = [json.loads(line) for line in ours.log.read_text().splitlines()]
    return [entry["msg"] for entry in entries if entry["level"] == level]


def script(ours, name, *lines):
    path = ours.bundle / "rootfs" / name
    path.write_text("\n".join(lines) + "\n")
    path.chmod(0o755)


# The program and its surroundings


def test_a_terminal_whose_output_goes_into_a_file(ours):
    """Lines end as in any file, not with the carriage returns of a terminal."""
    def change(value):
        value["process"]["terminal"] = True

    for _ in range(5):
        assert ours.run("sh", "-c", "echo one; echo two", change=change) == "one\ntwo\n"
    ours.start("c")
    assert ours("exec", "--tty", ours.id("c"), "echo", "three", check=0).out == "three\n"


def test_a_program_whose_interpreter_is_missing(ours):
    """The container has started by then: the text is its own output, and 255 its exit code."""
    script(ours, "odd", "#!/nosuch")
    ours.write(config("/odd"))
    result = ours("run", "--bundle", ours.bundle, ours.id("a"))
    assert (result.returncode, result.err, ours.errors()) == (255, "exec /odd: no such file or directory", [])
    ours.start("c")
    result = ours("exec", ours.id("c"), "/odd")
    assert (result.returncode, result.err, ours.errors()) == (255, "exec /odd: no such file or directory", [])


@pytest.mark.parametrize("signal", ["TERM", "INT", "KILL"])
def test_a_signal_before_the_start(ours, signal):
    """The kernel keeps signals from a first process that has no handlers: what waits for `start` has some."""
    ours.write(config("true"))
    ours("create", "--bundle", ours.bundle, ours.id("c"), check=0)
    ours("kill", ours.id("c"), signal, check=0)
    wait_until(lambda: ours.status("c") == "stopped")
    ours("delete", ours.id("c"), check=0)


def test_a_filter_older_than_the_calls_of_today(ours):
    """The program is found although the filter refuses faccessat2(2), even faccessat(2), and getcwd(2)."""
    for names in (["faccessat2"], ["faccessat2", "faccessat"], ["getcwd"]):
        def change(value):
            value["linux"]["seccomp"] = {
                "defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"],
                "syscalls": [{"names": names, "action": "SCMP_ACT_ERRNO"}]}

        assert ours.run("echo", "found", change=change) == "found\n"


def test_ambient_capabilities_that_cannot_be(ours):
    def change(value):
        sets = value["process"]["capabilities"]
        sets["inheritable"], sets["ambient"] = ["CAP_KILL"], ["CAP_KILL", "CAP_CHOWN"]

    status = ours.run("cat", "/proc/self/status", change=change)
    assert "CapAmb:\t0000000000000020" in status
    assert messages(ours, "warning") == ["can't raise ambient capability CAP_CHOWN: operation not permitted"]
    ours.start("c", change=change)
    ours("exec", ours.id("c"), "true", check=0)
    assert len(messages(ours, "warning")) == 1


@pytest.mark.parametrize("environment, expected", [(None, "two|/root"), ([], "two|/root"), (["ONE=1"], "1|")])
def test_a_hook_in_the_container_has_its_programs_environment(ours, environment, expected):
    script(ours, "hook", "#!/bin/sh", 'echo "$ONE|$HOME" > /data/seen')

    def change(value):
        value["process"]["env"].append("ONE=two")
        hook = {"path": "/hook"}
        if environment is not None:
            hook["env"] = environment
        value["hooks"] = {"startContainer": [hook]}

    assert ours.run("cat", "/data/seen", change=change) == expected + "\n"


# Mounts


@pytest.fixture
def source(tmp_path):
    """A mount to bind, whose attributes a test sets."""
    path = tmp_path / "source"
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "strictatime", "source", path], check=True)
    yield lambda options: subprocess.run(["mount", "--bind", "-o", "remount," + options, path], check=True) and path
    subprocess.run(["umount", "-l", path], check=True)


def bound(ours, source, *options, users=False, check=0):
    """The attributes of a bind mount in a container, as its /proc/self/mounts has them."""
    def change(value):
        value["mounts"].append({"destination": "/m", "type": "bind", "source": str(source), "options": list(options)})
        if users:
            own_users(value)

    if users:
        shift_owners(ours)
    lines = ours.run("cat", "/proc/self/mounts", change=change, check=check).splitlines()
    return next((set(line.split()[3].split(",")) for line in lines if line.split()[1] == "/m"), None)


@pytest.mark.parametrize("host, asked, has, users_have", [
    ("ro,noexec", ["bind"], {"ro", "noexec"}, {"ro", "noexec"}),
    ("ro,noexec", ["bind", "nosuid"], {"rw", "nosuid"}, {"ro", "nosuid", "noexec"}),
    ("nosuid,nodev,noexec", ["rbind", "ro"], {"ro"}, {"ro", "nosuid", "nodev", "noexec"}),
    ("ro", ["bind", "rw"], {"rw"}, None),
    ("nodev", ["bind", "dev"], {"rw"}, None),
    ("nodev,nosymfollow", ["bind", "ro"], {"ro"}, {"ro", "nodev"}),
])
def test_attributes_of_a_bind(ours, source, host, asked, has, users_have):
    """One attribute decides about all. What the host has set is locked for a user namespace: only words against it fail."""
    attributes = {"ro", "rw", "nosuid", "nodev", "noexec", "nosymfollow"}
    path = source(host)
    assert bound(ours, path, *asked) & attributes == has
    if users_have:
        assert bound(ours, path, *asked, users=True) & attributes == users_have
    else:
        bound(ours, path, *asked, users=True, check=1)
        assert "error during container init: error mounting" in ours.errors()[-1]
        assert "operation not permitted" in ours.errors()[-1]


@pytest.mark.parametrize("host, asked, has", [
    ("noatime", [], {"noatime"}), ("noatime", ["ro"], {"noatime"}), ("noatime", ["atime"], {"noatime"}),
    ("noatime", ["relatime"], {"relatime"}), ("noatime", ["nodiratime"], {"nodiratime", "relatime"}),
    ("nodiratime,relatime", ["strictatime"], set()), ("relatime", ["noatime"], {"noatime"}),
    ("relatime", ["noatime", "atime"], {"relatime"}),
])
def test_access_times_of_a_bind(ours, source, host, asked, has):
    assert bound(ours, source(host), "bind", *asked) & {"noatime", "nodiratime", "relatime"} == has


def test_binds_of_what_other_mounts_have_brought(ours, tmp_path):
    """Sources and destinations may be given as the host's paths of the container's root."""
    outside = tmp_path / "outside"
    (outside / "deep").mkdir(parents=True)
    (outside / "deep" / "file").write_text("here")
    root = ours.bundle / "rootfs"

    def change(value):
        def bind(source, destination):
            value["mounts"].append(
                {"destination": str(destination), "type": "bind", "source": str(source), "options": ["rbind"]})

        bind(outside, "/data/a")
        bind(root / "data" / "a" / "deep", root / "data" / "b")

    (root / "data" / "a").mkdir()
    assert ours.run("cat", "/data/b/file", change=change) == "here"
    assert not (root / "work").exists() and not (root / "tmp" / "data").exists()


# Cgroups


def test_a_cgroup_that_is_frozen_already(ours):
    name = ours.id("frozen")
    place = pathlib.Path("/sys/fs/cgroup", "" if is_version_2() else "freezer", name)
    place.mkdir()
    try:
        file, frozen = ("cgroup.freeze", "1") if is_version_2() else ("freezer.state", "FROZEN")
        (place / file).write_text(frozen)
        value = config("true")
        value["linux"]["cgroupsPath"] = "/" + name
        ours.write(value)
        for command in ("create", "run"):
            ours(command, "--bundle", ours.bundle, ours.id("c"), check=1)
            assert "container's cgroup unexpectedly frozen" in ours.errors()[-1]
        assert place.exists()
    finally:
        place.rmdir()


def disk():
    """The numbers of a disk of this machine; None if it has none."""
    for path in sorted(pathlib.Path("/sys/block").glob("*")):
        if (path / "device").exists():
            return tuple(map(int, (path / "dev").read_text().split(":")))
    return None


@pytest.mark.skipif(disk() is None, reason="needs a disk")
def test_update_of_block_io_of_one_device(ours):
    major, minor = disk() or (0, 0)

    def limits(rate):
        return {"throttleReadBpsDevice": [{"major": major, "minor": minor, "rate": rate}]}

    def change(value):
        value["linux"]["resources"]["blockIO"] = limits(1048576)

    directory = own_cgroup(ours.start("c", change=change), "blkio")
    file = directory / ("io.max" if is_version_2() else "blkio.throttle.read_bps_device")
    assert f"{major}:{minor} " in file.read_text() and "1048576" in file.read_text()
    resources = ours.directory / "resources.json"
    resources.write_text(json.dumps({"blockIO": limits(2097152)}))
    ours("update", "--resources", resources, ours.id("c"), check=0)
    assert "2097152" in file.read_text()
    ours("update", "--pids-limit", "20", ours.id("c"), check=0)
    assert "2097152" in file.read_text()


def test_device_rules_with_letters_that_mean_nothing(ours):
    def change(value):
        value["linux"]["resources"]["devices"].append(
            {"allow": True, "type": "c", "major": 1, "minor": 11, "access": "rwa"})

    assert ours.run("echo", "fine", change=change) == "fine\n"


def test_a_relative_root_is_where_the_caller_stands(ours):
    """The runtime itself goes into the bundle."""
    ours.write(config("sleep", "1000"))
    name = ours.id("c")

    def call(*arguments):
        return subprocess.run([ours.program, "--root", "state", *map(str, arguments)], cwd=ours.directory, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL).returncode

    assert call("create", "--bundle", ours.bundle, name) == 0
    assert (ours.directory / "state" / name / "state.json").exists() and call("state", name) == 0
    assert call("delete", "--force", name) == 0


@pytest.mark.skipif(pathlib.Path("/sys/fs/resctrl/schemata").exists(), reason="this machine has it")
def test_shares_of_caches_where_the_hardware_has_none(ours):
    for settings, text in (({"l3CacheSchema": "L3:0=f"}, "intelRdt.l3CacheSchema is specified in config, but Intel RDT/CAT is not enabled"),
                           ({"memBwSchema": "MB:0=10"}, "intelRdt.memBwSchema is specified in config, but Intel RDT/MBA is not enabled"),
                           ({"closID": "../x"}, 'invalid intelRdt.ClosID "../x"'), ({}, "Intel RDT is not enabled")):
        def change(value):
            value["linux"]["intelRdt"] = settings

        ours.run("true", change=change, check=1)
        assert text in ours.errors()[-1]
    ours.start("c")
    assert "Intel RDT/CAT: l3 cache schema is not enabled" in ours("update", "--l3-cache-schema", "L3:0=f", ours.id("c"), check=1).err
    assert "memory bandwidth schema is not enabled" in ours("update", "--mem-bw-schema", "MB:0=1", ours.id("c"), check=1).err


def test_one_container_deleted_by_many(ours):
    for _ in range(15):
        ours.start("c")
        command = [ours.program, "--root", str(ours.root), "delete", "--force", ours.id("c")]
        deleting = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(5)]
        assert [process.communicate(timeout=30)[1] for process in deleting] == [""] * 5
        assert ours("list", "-q", check=0).out == ""
