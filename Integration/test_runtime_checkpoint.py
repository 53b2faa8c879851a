# SPDX-License-Identifier: Apache-2.0
"""checkpoint and restore: with a criu that works on this kernel, and what criu is asked for, with a program in its place."""
import json
import os
import stat
import subprocess

import pytest
from runtime_driver import config, is_version_2
from test_runtime import ours, rootfs, wait_until  # noqa: F401 (fixtures)

COUNT = "i=0; while read word; do i=$((i+1)); echo $i $word; done"


@pytest.fixture
def fake(ours, monkeypatch):
    """A criu that notes its arguments, and fails if it is told to."""
    programs = ours.directory / "programs"
    programs.mkdir()
    program = programs / "criu"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {programs}/arguments\nexit $(cat {programs}/code)\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (programs / "code").write_text("0")
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    return programs


def asked(fake):
    lines = (fake / "arguments").read_text().splitlines()
    return lines[0], lines[1:]


def with_bind(value):
    value["mounts"].append({"destination": "/data", "source": "/etc", "type": "bind", "options": ["bind", "ro"]})


def test_states_that_cannot_be_saved(ours, fake):
    ours.write(config("sleep", "1000"))
    ours("create", "--bundle", ours.bundle, ours.id("c"), check=0)
    assert "Container cannot be checkpointed in created state" in ours("checkpoint", ours.id("c"), check=1).err
    assert not (fake / "arguments").exists()


def test_what_criu_is_told(ours, fake):
    pid = ours.start("c", change=with_bind)
    images = ours.directory / "images"
    ours("checkpoint", "--image-path", images, "--work-path", ours.directory / "work", "--tcp-established", "--leave-running",
         "--file-locks", "--empty-ns", "network", "--page-server", "127.0.0.1:99", ours.id("c"), check=0)
    action, arguments = asked(fake)
    pairs = list(zip(arguments, arguments[1:]))
    assert action == "dump" and ("--tree", str(pid)) in pairs and ("--images-dir", str(images)) in pairs
    assert ("--external", "mnt[/data]:/data") in pairs and ("--external", "mnt[/proc/keys]:/proc/keys") in pairs
    assert is_version_2() or ("--external", "mnt[/sys/fs/cgroup/pids]:/sys/fs/cgroup/pids") in pairs
    assert ("--empty-ns", "net") in pairs and ("--address", "127.0.0.1") in pairs and ("--port", "99") in pairs
    assert {"--tcp-established", "--leave-running", "--file-locks", "--manage-cgroups=soft"} <= set(arguments)
    assert len(json.loads((images / "descriptors.json").read_text())) == 3
    assert ours.status("c") == "running"


def test_a_container_that_is_saved_is_gone(ours, fake):
    ours.start("c")
    ours("checkpoint", "--image-path", ours.directory / "images", ours.id("c"), check=0)
    assert "container does not exist" in ours("state", ours.id("c"), check=1).err


def test_a_container_that_cannot_be_saved_goes_on(ours, fake):
    ours.start("c")
    (fake / "code").write_text("1")
    failed = ours("checkpoint", "--image-path", ours.directory / "images", ours.id("c"), check=1).err
    assert "criu failed: exit status 1" in failed and "dump.log" in failed
    assert ours.status("c") == "running"
    for flags, text in ((["--parent-path", "/x"], "--parent-path must be relative"),
                        (["--parent-path", "none"], "invalid --parent-path"),
                        (["--manage-cgroups-mode", "x"], "Invalid manage-cgroups-mode"),
                        (["--page-server", "x"], "ADDRESS:PORT")):
        assert text in ours("checkpoint", *flags, ours.id("c"), check=1).err


def test_a_restore_that_fails_leaves_nothing(ours, fake):
    ours.write(config("sleep", "1000"))
    (ours.directory / "checkpoint").mkdir()
    (ours.directory / "checkpoint/descriptors.json").write_text('["", "", ""]')
    (fake / "code").write_text("1")
    failed = ours("restore", "--bundle", ours.bundle, ours.id("c"), check=1, cwd=ours.directory).err
    assert "runc restore failed: criu failed: exit status 1" in failed
    assert asked(fake)[0] == "restore" and ours("list", "-q", check=0).out == ""
    assert ours.id("c") not in subprocess.run(["find", "/sys/fs/cgroup", "-name", ours.id("c")], capture_output=True, text=True).stdout


def test_a_program_goes_on_where_it_was(ours, criu, monkeypatch):
    """It keeps count, its mounts and its cgroup; its pipes are those of who restores it."""
    (ours.directory / "programs").mkdir()
    (ours.directory / "programs/criu").symlink_to(criu)
    monkeypatch.setenv("PATH", f"{ours.directory}/programs:{os.environ['PATH']}")
    value = config("sh", "-c", COUNT)
    with_bind(value)
    ours.write(value)
    name, images = ours.id("c"), ours.directory / "images"
    into, out = os.pipe(), os.pipe()

    def call(*arguments):
        errors = ours.directory / "errors"
        with open(errors, "w") as stderr:
            done = subprocess.run([ours.program, "--root", ours.root, *map(str, arguments)], stdin=into[0], stdout=out[1], stderr=stderr)
        assert done.returncode == 0, errors.read_text()

    def say(word):
        os.write(into[1], word.encode() + b"\n")
        return os.read(out[0], 100).decode()

    call("run", "--detach", "--bundle", ours.bundle, name)
    assert say("one") == "1 one\n"
    for number in (2, 3):
        call("checkpoint", "--image-path", images, name)
        assert ours("state", name).returncode == 1
        call("restore", "--detach", "--bundle", ours.bundle, "--image-path", images, name)
        assert ours.status("c") == "running"
        assert say("again") == f"{number} again\n"
    assert ours("exec", name, "cat", "/data/hostname", check=0).out == open("/etc/hostname").read()
    assert ours("exec", name, "cat", "/proc/1/cgroup").out == ours("exec", name, "cat", "/proc/self/cgroup").out
    os.close(into[1])
    wait_until(lambda: ours.status("c") == "stopped")
    ours("delete", name, check=0)
