# SPDX-License-Identifier: Apache-2.0
"""Containers whose users are not the host's (`--userns-remap`)."""
import contextlib
import io
import json
import os
import pathlib
import tarfile

import pytest

from harness import Stack, run
from test_daemon_settings import validate

FIRST = 231072


@pytest.fixture(scope="module")
def remapped(images, tmp_path_factory):
    """A daemon that remaps to the ids of a user of its own, who is known only while the daemon begins."""
    stack = Stack(tmp_path_factory.mktemp("remapped"), "map", ["--userns-remap", "swrun-remap"])
    stack.state = stack.state / f"{FIRST}.{FIRST + 1}"  # where the supervisor is
    stack.state.mkdir()
    stack.supervisor_socket = stack.state / "supervisor.sock"
    stack.flags += ["--exec-root", stack.state.parent]
    with known_user("swrun-remap"):
        stack.start()
    stack.root = stack.root / f"{FIRST}.{FIRST + 1}"
    stack.docker("load", "-i", images / "archive" / "busybox.tar")
    yield stack
    with known_user("swrun-remap"):
        stack.destroy()


@contextlib.contextmanager
def known_user(name):
    lines = {"passwd": f"{name}:x:7654:7654::/:/bin/false", "group": f"{name}:x:7654:",
             "subuid": f"{name}:{FIRST}:65536", "subgid": f"{name}:{FIRST + 1}:65536"}
    before = {}
    try:
        for file, line in lines.items():
            path = pathlib.Path("/etc") / file
            before[path] = path.read_text() if path.exists() else None
            path.write_text((before[path] or "") + line + "\n")
        yield
    finally:
        for path, text in before.items():
            path.write_text(text) if text is not None else path.unlink()


def owner(path):
    status = os.stat(path)
    return status.st_uid - FIRST, status.st_gid - FIRST - 1


def test_root_of_a_container_is_nobody_on_the_host(remapped, tmp_path):
    new = tmp_path / "new"
    remapped.docker("run", "-d", "--name", "main", "-v", "data:/data", "-v", f"{new}:/new", "--tmpfs", "/tmp/t",
                    "-p", "127.0.0.1::80", "busybox", "sh", "-c", "touch /data/f /new/f /made; exec httpd -f -p 80 -h /data")
    pid = remapped.inspect("main")["State"]["Pid"]
    assert pathlib.Path(f"/proc/{pid}/uid_map").read_text().split() == ["0", str(FIRST), "65536"]
    assert pathlib.Path(f"/proc/{pid}/gid_map").read_text().split() == ["0", str(FIRST + 1), "65536"]
    volume = pathlib.Path(remapped.docker("volume", "inspect", "-f", "{{.Mountpoint}}", "data"))
    assert volume.is_relative_to(remapped.root)
    upper = remapped.inspect("main")["GraphDriver"]["Data"]["UpperDir"]
    for path in (volume, volume / "f", new, new / "f", f"/proc/{pid}", f"{upper}/made"):
        assert owner(path) == (0, 0), path
    shown = remapped.docker("exec", "main", "stat", "-c", "%u:%g", "/", "/bin", "/data/f", "/new", "/made", "/tmp/t", "/dev/shm",
                            "/etc/hosts", "/dev/pts")
    assert set(shown.split()) == {"0:0"}
    assert remapped.docker("exec", "main", "sh", "-c", "echo 127.0.0.9 nine >>/etc/hosts && ping -c 1 nine >/dev/null && id -u") == "0"
    port = remapped.docker("port", "main", "80")
    assert run("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", f"http://{port}/f") == "200"
    security = json.loads(remapped.curl("/info"))
    assert "name=userns" in security["SecurityOptions"] and security["DockerRootDir"] == str(remapped.root)
    for directory in (remapped.root.parent, remapped.root, remapped.root / "containers"):
        status = os.stat(directory)
        assert (status.st_mode & 0o777, status.st_uid, status.st_gid) == (0o710, 0, FIRST + 1)


def test_users_output_and_terminals(remapped):
    assert remapped.docker("run", "--rm", "-u", "1000:1001", "busybox", "sh", "-c", "touch /tmp/x; stat -c %u:%g /tmp/x") == "1000:1001"
    assert remapped.docker("run", "--rm", "busybox", "sh", "-c", "echo text >/dev/stdout") == "text"
    assert remapped.docker("run", "--rm", "-t", "busybox", "sh", "-c", "echo text >/dev/tty").strip() == "text"
    assert remapped.docker("run", "--rm", "--network", "none", "busybox", "sh", "-c", "ping -c 1 127.0.0.1 >/dev/null; echo $?") == "0"
    assert remapped.docker("run", "--rm", "--init", "--read-only", "--tmpfs", "/q:mode=700", "busybox", "stat", "-c", "%u %a", "/q") == "0 700"
    refused = remapped.docker("run", "--rm", "-u", "100000", "busybox", "true", check=False)
    assert refused.code != 0


def test_images_that_are_made_there_have_the_containers_owners(remapped):
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, uid, gid in (("root", 0, 0), ("some", 12, 34)):
            entry = tarfile.TarInfo(name)
            entry.uid, entry.gid = uid, gid
            tar.addfile(entry)
    copy = lambda place: run("docker", "cp", "-", f"source:{place}", input=archive.getvalue(), env=remapped.environment())
    remapped.docker("create", "--name", "source", "busybox", "sleep", "1000")
    copy("/tmp")
    remapped.docker("start", "source")
    remapped.docker("exec", "source", "mkdir", "/running")
    copy("/running")
    owners = ["0:0", "12:34"] * 2
    names = ["/tmp/root", "/tmp/some", "/running/root", "/running/some"]
    assert remapped.docker("exec", "source", "stat", "-c", "%u:%g", *names).split() == owners
    remapped.docker("commit", "source", "made")
    assert remapped.docker("run", "--rm", "made", "stat", "-c", "%u:%g", *names).split() == owners
    remapped.docker("export", "-o", remapped.directory / "tree.tar", "source")
    with tarfile.open(remapped.directory / "tree.tar") as tar:
        found = {f"/{entry.name}": f"{entry.uid}:{entry.gid}" for entry in tar}
    assert [found[name] for name in names] == owners
    remapped.docker("run", "--rm", "-v", "filled:/etc", "busybox", "true")
    assert remapped.docker("run", "--rm", "-v", "filled:/x", "busybox", "stat", "-c", "%u:%g", "/x", "/x/passwd").split() == ["0:0", "0:0"]


@pytest.mark.parametrize("flag, text", [
    ("--privileged", "privileged mode is incompatible with user namespaces.  You must run the container in the host namespace when "
                     "running privileged mode"),
    ("--pid=host", "cannot share the host PID namespace when user namespaces are enabled"),
    ("--network=host", "cannot share the host's network namespace when user namespaces are enabled"),
])
def test_what_only_the_hosts_root_may_have(remapped, flag, text):
    refused = remapped.docker("run", "--rm", flag, "busybox", "true", check=False)
    assert refused.code == 125 and text in refused.err
    assert remapped.docker("run", "--rm", flag, "--userns=host", "busybox", "cat", "/proc/self/uid_map").split() == ["0", "0", "4294967295"]


def test_namespaces_that_containers_share(remapped):
    remapped.docker("run", "-d", "--name", "donor", "--ipc", "shareable", "busybox", "sh", "-c", "touch /dev/shm/x; exec sleep 1000")
    user = remapped.docker("exec", "donor", "readlink", "/proc/self/ns/user")
    for flag in ("--network", "--ipc", "--pid"):
        seen = remapped.docker("run", "--rm", flag, "container:donor", "busybox", "readlink", "/proc/self/ns/user")
        assert seen == user, flag
    assert remapped.docker("run", "--rm", "--ipc", "container:donor", "busybox", "stat", "-c", "%u", "/dev/shm/x") == "0"
    assert remapped.docker("run", "--rm", "busybox", "readlink", "/proc/self/ns/user") != user
    remapped.docker("restart", "-t", "0", "donor")
    assert remapped.docker("exec", "donor", "ip", "-o", "link", "show", "eth0").startswith("2")


@pytest.mark.parametrize("setting, text", [
    ("nosuch", 'Error during uid lookup for "nosuch": getent unable to find entry "nosuch" in passwd database'),
    ("54321", 'Uid 54321 has no entry in /etc/passwd: getent unable to find entry "54321" in passwd database'),
    ("daemon:nosuch", 'Error during groupname lookup for "nosuch": getent unable to find entry "nosuch" in group database'),
    ("a:b:c", 'Invalid user/group specification in --userns-remap: "a:b:c"'),
    ("daemon", 'no subuid ranges found for user "daemon"'), ("root", "configuration OK"),
])
def test_users_to_remap_to(tmp_path, setting, text):
    assert text in validate(tmp_path, f"--userns-remap={setting}")
