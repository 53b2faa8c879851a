# SPDX-License-Identifier: Apache-2.0
"""checkpoint and restore: with a criu that works on this kernel, and what criu is asked for, with a program in its place."""
import json
import os
import socket
import stat
import subprocess

import pytest
from runtime_driver import config, is_version_2, receive_terminal
from test_runtime import ours, rootfs, wait_until  # noqa: F401 (fixtures)

COUNT = "i=0; while read word; do i=$((i+1)); echo $i $word; done"


# A criu that speaks its protocol, notes what it is asked for, and fails or tells of steps as a file says.
FAKE = """#!/usr/bin/python3
import json, os, pathlib, pty, signal, socket, sys
here = pathlib.Path(__file__).parent

def number(data, at):
    value = shift = 0
    while True:
        byte, at = data[at], at + 1
        value, shift = value | (byte & 127) << shift, shift + 7
        if byte < 128:
            return value, at

def fields(data):
    at, found = 0, []
    while at < len(data):
        tag, at = number(data, at)
        value, at = number(data, at)
        if tag & 7 == 2:
            value, at = data[at:at + value], at + value
        found.append((tag >> 3, value))
    return found

def text(value):
    return value.decode("latin1") if isinstance(value, bytes) else value

channel = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET, fileno=int(sys.argv[2]))
request = dict(fields(channel.recv(65536)))
options = [(field, text(value)) for field, value in fields(request[2])]
links = {field: os.readlink(f"/proc/{os.getppid()}/fd/{value}") for field, value in options if field in (1, 17)}
(here / "asked").write_text(json.dumps([request[1], options, links]))
plan = json.loads((here / "plan").read_text())
process = os.fork()
if process == 0:
    os.setsid()
    for descriptor in range(3 + int(sys.argv[2])):
        os.close(descriptor) if descriptor > 2 and os.path.exists(f"/proc/self/fd/{descriptor}") else None
    signal.alarm(30)
    signal.pause()
varint = lambda value: bytes([value & 127 | 128, value >> 7 & 127 | 128, value >> 14])
for script in plan["steps"]:
    notification = b"\\x0a" + bytes([len(script)]) + script.encode() + b"\\x10" + varint(process)
    message = b"\\x08\\x06\\x10\\x01\\x2a" + bytes([len(notification)]) + notification
    if script == "orphan-pts-master":
        master, terminal = pty.openpty()
        os.write(terminal, b"hello")
        socket.send_fds(channel, [message], [master])
    else:
        channel.send(message)
    assert dict(fields(channel.recv(65536))) == {1: 6, 3: 1}
if not plan["steps"]:
    os.kill(process, signal.SIGKILL)
channel.send(bytes([8, request[1], 16, int(plan["success"])]))
"""


@pytest.fixture
def fake(ours, monkeypatch):
    programs = ours.directory / "programs"
    programs.mkdir()
    program = programs / "criu"
    program.write_text(FAKE)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    plan(programs)
    return programs


def plan(fake, success=True, steps=()):
    (fake / "plan").write_text(json.dumps({"success": success, "steps": steps}))


def asked(fake):
    """The kind of request, its fields by number, and the directories."""
    kind, options, links = json.loads((fake / "asked").read_text())
    found = {}
    for field, value in options:
        found.setdefault(field, []).append(value)
    return {1: "dump", 2: "restore", 13: "pre-dump"}[kind], found, links


def with_bind(value):
    value["mounts"].append({"destination": "/data", "source": "/etc", "type": "bind", "options": ["bind", "ro"]})


def test_states_that_cannot_be_saved(ours, fake):
    ours.write(config("sleep", "1000"))
    ours("create", "--bundle", ours.bundle, ours.id("c"), check=0)
    assert "Container cannot be checkpointed in created state" in ours("checkpoint", ours.id("c"), check=1).err
    assert not (fake / "asked").exists()


def test_what_criu_is_told(ours, fake):
    pid = ours.start("c", change=with_bind)
    images = ours.directory / "images"
    ours("checkpoint", "--image-path", images, "--work-path", ours.directory / "work", "--tcp-established", "--leave-running",
         "--file-locks", "--empty-ns", "network", "--page-server", "127.0.0.1:99", ours.id("c"), check=0)
    action, options, links = asked(fake)
    assert action == "dump" and options[2] == [pid] and list(links.values()) == [str(images), str(ours.directory / "work")]
    assert {"mnt[/data]:/data", "mnt[/proc/keys]:/proc/keys"} <= set(options[37])
    assert is_version_2() or "mnt[/sys/fs/cgroup/pids]:/sys/fs/cgroup/pids" in options[37]
    assert options[38] == [0x40000000] and options[11] == ["\n\t127.0.0.1\x10c"]
    assert options[3] == options[6] == options[8] == [1] and options[34] == [6] and 7 not in options
    assert len(json.loads((images / "descriptors.json").read_text())) == 3
    assert ours.status("c") == "running"


def test_a_container_that_is_saved_is_gone(ours, fake):
    ours.start("c")
    ours("checkpoint", "--image-path", ours.directory / "images", ours.id("c"), check=0)
    assert "container does not exist" in ours("state", ours.id("c"), check=1).err


def test_a_container_that_cannot_be_saved_goes_on(ours, fake):
    ours.start("c")
    plan(fake, success=False)
    failed = ours("checkpoint", "--image-path", ours.directory / "images", ours.id("c"), check=1).err
    assert "criu failed: " in failed and "dump.log" in failed
    assert ours.status("c") == "running"
    for flags, text in ((["--parent-path", "/x"], "--parent-path must be relative"),
                        (["--parent-path", "none"], "invalid --parent-path"),
                        (["--manage-cgroups-mode", "x"], "Invalid manage-cgroups-mode"),
                        (["--page-server", "x"], "ADDRESS:PORT"),
                        (["--lazy-pages", "--status-fd", "99"], "invalid --status-fd argument 99: bad file descriptor")):
        assert text in ours("checkpoint", *flags, ours.id("c"), check=1, cwd=ours.directory).err


def test_a_restore_that_fails_leaves_nothing(ours, fake):
    ours.write(config("sleep", "1000"))
    (ours.directory / "checkpoint").mkdir()
    (ours.directory / "checkpoint/descriptors.json").write_text('["", "", ""]')
    plan(fake, success=False)
    failed = ours("restore", "--bundle", ours.bundle, ours.id("c"), check=1, cwd=ours.directory).err
    assert "runc restore failed: criu failed: " in failed
    assert asked(fake)[0] == "restore" and ours("list", "-q", check=0).out == ""
    assert ours.id("c") not in subprocess.run(["find", "/sys/fs/cgroup", "-name", ours.id("c")], capture_output=True, text=True).stdout


def test_hooks_of_a_restored_container(ours, fake):
    """Those before the entry, as soon as it has its namespaces. A hook that fails ends it."""
    (ours.directory / "checkpoint").mkdir()
    (ours.directory / "checkpoint/descriptors.json").write_text('["", "", ""]')
    value = config("sleep", "1000")
    value["hooks"] = {kind: [{"path": "/bin/sh", "args": ["sh", "-c", f"cat > {ours.directory}/{kind}"]}]
                      for kind in ("prestart", "createRuntime", "poststart")}
    ours.write(value)
    plan(fake, steps=["setup-namespaces", "post-restore"])
    ours("restore", "--detach", "--bundle", ours.bundle, ours.id("c"), check=0, cwd=ours.directory)
    states = {kind: json.loads((ours.directory / kind).read_text()) for kind in value["hooks"]}
    pid = json.loads(ours("state", ours.id("c"), check=0).out)["pid"]
    assert {kind: (state["pid"], state["status"]) for kind, state in states.items()} == {
        "prestart": (pid, "creating"), "createRuntime": (pid, "creating"), "poststart": (pid, "running")}
    ours("delete", "--force", ours.id("c"), check=0)

    value["hooks"]["createRuntime"][0]["args"][2] = "exit 3"
    ours.write(value)
    assert "createRuntime hook #0" in ours("restore", "--bundle", ours.bundle, ours.id("c"), check=1, cwd=ours.directory).err
    assert ours("list", "-q", check=0).out == ""


def test_the_terminal_of_a_restored_container(ours, fake):
    (ours.directory / "checkpoint").mkdir()
    (ours.directory / "checkpoint/descriptors.json").write_text('["", "", ""]')
    value = config("sleep", "1000")
    value["process"]["terminal"] = True
    ours.write(value)
    plan(fake, steps=["orphan-pts-master", "post-restore"])
    assert "console socket" in ours("restore", "--detach", "--bundle", ours.bundle, ours.id("c"), check=1, cwd=ours.directory).err
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(ours.directory / "console"))
    listener.listen()
    ours("restore", "--detach", "--console-socket", ours.directory / "console", "--bundle", ours.bundle, ours.id("c"), check=0,
         cwd=ours.directory)
    name, terminal = receive_terminal(listener)
    assert name == "/dev/ptmx" and os.read(terminal, 100) == b"hello"
    os.close(terminal)
    listener.close()


@pytest.fixture
def real(ours, criu, monkeypatch):
    """Lets the runtime find a criu that works."""
    (ours.directory / "programs").mkdir()
    (ours.directory / "programs/criu").symlink_to(criu)
    monkeypatch.setenv("PATH", f"{ours.directory}/programs:{os.environ['PATH']}")


def test_a_program_goes_on_where_it_was(ours, real):
    """It keeps count, its mounts and its cgroup; its pipes are those of who restores it."""
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


def test_a_program_at_a_terminal_goes_on(ours, real):
    """In the cgroup of the new name, with binds below binds, at a terminal that somebody else gets."""
    for name in ("outer", "inner"):
        (ours.bundle / name).mkdir()
    value = config("sh", "-c", "stty -echo; " + COUNT)
    value["process"]["terminal"] = True
    value["mounts"] += [{"destination": place, "type": "bind", "source": source, "options": ["bind"]}
                        for place, source in (("/data", "outer"), ("/data/deep", "inner"))]
    ours.write(value)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(ours.directory / "console"))
    listener.listen()

    def say(terminal, word, answer):
        os.write(terminal, word + b"\n")
        seen = b""
        while answer not in seen:
            seen += os.read(terminal, 100)

    detached = ["--detach", "--console-socket", ours.directory / "console", "--bundle", ours.bundle]
    ours("run", *detached, ours.id("a"), check=0)
    terminal = receive_terminal(listener)[1]
    say(terminal, b"one", b"1 one")
    ours("checkpoint", "--image-path", ours.directory / "images", ours.id("a"), check=0)
    os.close(terminal)
    (ours.bundle / "outer/deep").rmdir()  # the place of the other bind
    ours("restore", *detached, "--image-path", ours.directory / "images", ours.id("b"), check=0)
    terminal = receive_terminal(listener)[1]
    say(terminal, b"again", b"2 again")
    assert ours("exec", ours.id("b"), "cat", "/proc/1/cgroup").out == ours("exec", ours.id("b"), "cat", "/proc/self/cgroup").out

    # Once more, with a process that was added, and to a cgroup that criu is not told of.
    ours("exec", ours.id("b"), "sh", "-c", "sleep 1000 < /dev/null > /dev/null 2>&1 &", check=0)
    ignoring = ["--manage-cgroups-mode", "ignore", "--image-path", ours.directory / "again"]
    ours("checkpoint", *ignoring, ours.id("b"), check=0)
    os.close(terminal)
    ours("restore", *detached, *ignoring, ours.id("d"), check=0)
    terminal = receive_terminal(listener)[1]
    say(terminal, b"more", b"3 more")
    pid = json.loads(ours("state", ours.id("d"), check=0).out)["pid"]
    assert ours.id("d") in open(f"/proc/{pid}/cgroup").read() and "sleep" in ours("ps", ours.id("d"), check=0).out
    ours("delete", "--force", ours.id("d"), check=0)
    os.close(terminal)
    listener.close()
