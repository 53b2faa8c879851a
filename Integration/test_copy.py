# SPDX-License-Identifier: Apache-2.0
"""Files out of and into containers: `docker cp`, `swrun cp` and /containers/{id}/archive."""
import base64
import bz2
import calendar
import gzip
import io
import json
import lzma
import os
import subprocess
import tarfile
import time
import urllib.parse

import pytest

from harness import run, wait_until
from test_hostile_archives import CASES, archive, file, host, outside  # noqa: F401, a fixture

TREE = ("mkdir -p /a/b; echo x > /a/f; chown 5:6 /a/f; chmod 4755 /a/f; ln /a/f /a/h; ln -s f /a/l; ln -s /a /la; "
        "ln -s /nowhere /dang; ln -s ../../../etc /a/up; mkfifo /a/fifo; touch -t 201001020304 /a/b; ")


@pytest.fixture(params=["running", "stopped"])
def tree(request, stack, container_name):
    """A container with files to copy."""
    end = "touch /ready; exec sleep 1000" if request.param == "running" else "true"
    stack.docker("run", "-d", "--init", "--network", "none", "--name", container_name, "busybox", "sh", "-c", TREE + end)
    if request.param == "running":
        wait_until(lambda: stack.docker("exec", container_name, "test", "-e", "/ready", check=False).code == 0)
    else:
        stack.docker("wait", container_name)
    return container_name


@pytest.fixture
def volume(stack):
    name = "vol" + os.urandom(4).hex()
    yield name
    stack.docker("volume", "rm", "-f", name, check=False)


def url(container, path, **more):
    return f"/containers/{container}/archive?" + urllib.parse.urlencode({"path": path, **more})


def get(stack, container, path):
    """The status, what the header says, and the entries of the archive."""
    done = subprocess.run(["curl", "-s", "-i", "--max-time", "20", "--unix-socket", str(stack.socket), "http://d" + url(container, path)],
                          capture_output=True, check=True)
    head, body = done.stdout.split(b"\r\n\r\n", 1)
    fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    if "X-Docker-Container-Path-Stat" not in fields:
        return int(head.split()[1]), json.loads(body), []
    stat = json.loads(base64.b64decode(fields["X-Docker-Container-Path-Stat"]))
    return int(head.split()[1]), stat, tarfile.open(fileobj=io.BytesIO(body)).getmembers()


def put(stack, container, path, data, **more):
    done = subprocess.run(["curl", "-s", "-w", "\n%{http_code}", "--max-time", "20", "-H", "Content-Type: application/x-tar", "-X", "PUT",
                           "--unix-socket", str(stack.socket), "--data-binary", "@-", "http://d" + url(container, path, **more)],
                          input=data, capture_output=True, check=True)
    body, code = done.stdout.decode().rsplit("\n", 1)
    return int(code), json.loads(body)["message"] if body.strip() else ""


def tar_of(*members):
    """A tar of (name, content) with content None for a directory; uid 77, gid 88."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.uid, info.gid, info.mtime = 77, 88, 1_500_000_000
            if content is None:
                info.type, info.mode = tarfile.DIRTYPE, 0o750
                tar.addfile(info)
            else:
                info.size, info.mode = len(content), 0o640
                tar.addfile(info, io.BytesIO(content))
    return stream.getvalue()


class TestReading:
    """Against what docker 20.10 answers for the same tree."""

    @pytest.mark.parametrize("path, name, kind, target, entries", [
        ("/a/f", "f", 0o4755, "", ["f"]),
        ("a/f", "f", 0o4755, "", ["f"]),
        ("/a", "a", "d", "", ["a", "a/b", "a/f", "a/fifo", "a/h", "a/l", "a/up"]),
        ("/a/", "a", "d", "", ["a", "a/b", "a/f", "a/fifo", "a/h", "a/l", "a/up"]),
        ("/a/.", ".", "d", "", [".", "./b", "./f", "./fifo", "./h", "./l", "./up"]),
        ("/la", "la", "l", "/a", ["la"]),
        ("/la/", "la", "d", "", ["la", "la/b", "la/f", "la/fifo", "la/h", "la/l", "la/up"]),
        ("/la/f", "f", 0o4755, "", ["f"]),
        ("/a/l", "l", "l", "/a/f", ["l"]),
        ("/dang", "dang", "l", "/nowhere", ["dang"]),
        ("/a/up", "up", "l", "/etc", ["up"]),
        ("/a/fifo", "fifo", "p", "", ["fifo"]),
        ("/../../a/f", "f", 0o4755, "", ["f"]),
    ])
    def test_paths(self, stack, tree, path, name, kind, target, entries):
        status, stat, members = get(stack, tree, path)
        modes = {"d": 1 << 31 | 0o755, "l": 1 << 27 | 0o777, "p": 1 << 25 | 0o644, 0o4755: 1 << 23 | 0o755}
        assert (status, stat["name"], stat["mode"], stat["linkTarget"]) == (200, name, modes[kind], target)
        assert [member.name for member in members] == entries

    def test_attributes(self, stack, tree):
        _, stat, members = get(stack, tree, "/a")
        by_name = {member.name: member for member in members}
        assert (by_name["a/f"].uid, by_name["a/f"].gid, by_name["a/f"].mode) == (5, 6, 0o4755)
        assert by_name["a/h"].islnk() and by_name["a/h"].linkname == "a/f"
        assert by_name["a/b"].mtime == calendar.timegm((2010, 1, 2, 3, 4, 0))
        assert stat["size"] > 0 and stat["mtime"].endswith("Z")

    @pytest.mark.parametrize("path, status, text", [
        ("/nosuch", 404, "Could not find the file /nosuch in container "),
        ("/a/f/x", 400, "not a directory"), ("/a/f/", 400, "not a directory"),
        ("/proc/self/status", 404, "Could not find the file"), ("/sys/kernel", 404, "Could not find the file"),
        ("", 400, "bad parameter: pathcannot be empty"), ("/" + "x" * 300, 400, "name too long"),
    ])
    def test_errors(self, stack, tree, path, status, text):
        code, body, _ = get(stack, tree, path)
        assert code == status and text in body["message"]

    def test_head_has_the_status_alone(self, stack, tree):
        out = stack.curl(url(tree, "/a/f"), "-I")
        assert "X-Docker-Container-Path-Stat: " in out and out.startswith("HTTP/1.1 200")

    def test_the_root_without_what_the_kernel_shows(self, stack, tree):
        names = [member.name for member in get(stack, tree, "/.")[2]]
        assert {"./a/f", "./etc/passwd", "./proc", "./sys"} <= set(names)
        assert not [name for name in names if name.startswith(("./proc/", "./sys/"))]

    def test_mounts_are_part_of_it(self, stack, container_name, volume, tmp_path):
        (tmp_path / "of-the-host").write_text("h")
        stack.docker("run", "-d", "--init", "--network", "none", "--name", container_name, "-v", f"{volume}:/vol/deep", "-v", f"{tmp_path}:/host:ro",
                     "--tmpfs", "/fleeting", "busybox", "sh", "-c", "echo v > /vol/deep/file; echo t > /fleeting/file; exec sleep 1000")
        wait_until(lambda: get(stack, container_name, "/fleeting/file")[0] == 200)
        for _ in range(2):
            assert [member.name for member in get(stack, container_name, "/vol")[2]] == ["vol", "vol/deep", "vol/deep/file"]
            assert get(stack, container_name, "/host/of-the-host")[0] == 200
            assert get(stack, container_name, "/etc/hostname")[1]["size"] > 0
            stack.docker("kill", container_name, check=False)
            stack.docker("wait", container_name)

    def test_a_volume_of_a_container_that_never_ran(self, stack, container_name, volume):
        stack.docker("run", "--rm", "--network", "none", "-v", f"{volume}:/v", "busybox", "touch", "/v/there")
        stack.docker("create", "--network", "none", "--name", container_name, "-v", f"{volume}:/new/place", "busybox", "true")
        assert [member.name for member in get(stack, container_name, "/new/place")[2]] == ["place", "place/there"]

    def test_a_process_that_changed_its_root(self, stack, container_name):
        stack.docker("run", "-d", "--init", "--network", "none", "--name", container_name, "busybox", "sh", "-c",
                     "mkdir -p /jail/bin; cp /bin/busybox /jail/bin/; exec chroot /jail /bin/busybox sleep 1000")
        wait_until(lambda: get(stack, container_name, "/jail/bin/busybox")[0] == 200)

    def test_reading_a_stopped_container_does_not_keep_it_from_starting(self, stack, container_name):
        stack.docker("create", "--init", "--network", "none", "--name", container_name, "busybox", "sleep", "1000")
        reader = subprocess.Popen(["curl", "-s", "-N", "--limit-rate", "1k", "--unix-socket", str(stack.socket), "http://d" + url(container_name, "/bin")],
                                  stdout=subprocess.PIPE)
        try:
            assert reader.stdout.read(1)
            stack.docker("start", container_name)
            assert stack.inspect(container_name)["State"]["Running"]
        finally:
            reader.kill()
            reader.wait()

    def test_names_and_times_that_are_odd(self, stack, tree):
        put(stack, tree, "/a/b", tar_of(("odd-\udcff-name".encode("utf-8", "surrogateescape").decode("latin-1"), b"1")))
        status, _, members = get(stack, tree, "/a/b")
        assert status == 200 and len(members) == 2


class TestWriting:
    def content(self, stack, container, path):
        with tarfile.open(fileobj=io.BytesIO(stack.docker("cp", f"{container}:{path}", "-").raw)) as tar:
            member = tar.getmembers()[0]
            return member, tar.extractfile(member).read() if member.isreg() else None

    def test_files_with_their_attributes(self, stack, tree):
        assert put(stack, tree, "/a", tar_of((".", None), ("file", b"hi\n"), ("dir", None), ("dir/z", b"z"))) == (200, "")
        member, data = self.content(stack, tree, "/a/file")
        assert (member.uid, member.gid, member.mode, member.mtime, data) == (77, 88, 0o640, 1_500_000_000, b"hi\n")
        member, _ = self.content(stack, tree, "/a/dir")
        assert (member.uid, member.mode, member.mtime) == (77, 0o750, 1_500_000_000)
        assert self.content(stack, tree, "/a")[0].uid == 0  # the entry `.` does not change the directory

    def test_through_links_inside_the_container(self, stack, tree):
        assert put(stack, tree, "/la", tar_of(("one", b"1")))[0] == 200
        assert put(stack, tree, "/", tar_of(("la/two", b"2")))[0] == 200
        assert put(stack, tree, "/a", tar_of(("up/three", b"3")))[0] == 200
        assert [self.content(stack, tree, path)[1] for path in ("/a/one", "/a/two", "/etc/three")] == [b"1", b"2", b"3"]

    @pytest.mark.parametrize("pack", [lambda data: data, gzip.compress, bz2.compress, lzma.compress,
                                      lambda data: subprocess.run(["zstd", "-c"], input=data, capture_output=True).stdout],
                             ids=["plain", "gzip", "bzip2", "xz", "zstd"])
    def test_compressed(self, stack, tree, pack):
        assert put(stack, tree, "/a", pack(tar_of(("packed", b"p"))))[0] == 200
        assert self.content(stack, tree, "/a/packed")[1] == b"p"

    @pytest.mark.parametrize("path, data, more, status, text", ids=range(11), argvalues=[
        ("/nosuch", tar_of(("x", b"")), {}, 404, "Could not find the file /nosuch in container "),
        ("/a/f", tar_of(("x", b"")), {}, 400, "extraction point is not a directory"),
        ("/a/f/", tar_of(("x", b"")), {}, 400, "extraction point is not a directory"),
        ("", tar_of(("x", b"")), {}, 400, "bad parameter: pathcannot be empty"),
        ("/a", tar_of(("f", None)), {"noOverwriteDirNonDir": "true"}, 400, 'cannot overwrite non-directory "/a/f" with directory'),
        ("/a", tar_of(("b", b"")), {"noOverwriteDirNonDir": "1"}, 400, 'cannot overwrite directory "/a/b" with non-directory'),
        ("/a", tar_of(("../evil", b"")), {}, 400, "outside"),
        ("/a", b"junk", {}, 400, ""), ("/a", tar_of(("x", b"123"))[:700], {}, 400, "end"),
        ("/proc", tar_of(("x", b"")), {}, (404, 200), ""),  # of a stopped container it is a directory like any other
        ("/", tar_of(("proc/sys/kernel/hostname", b"x")), {}, (200, 400), ""),
    ])
    def test_errors(self, stack, tree, path, data, more, status, text):
        code, message = put(stack, tree, path, data, **more)
        assert code in (status if isinstance(status, tuple) else [status]) and text in message

    def test_kinds_give_way_unless_told_otherwise(self, stack, tree):
        assert put(stack, tree, "/a", tar_of(("b", b"now a file")))[0] == 200
        assert put(stack, tree, "/a", tar_of(("f", None)))[0] == 200
        assert self.content(stack, tree, "/a/b")[1] == b"now a file" and self.content(stack, tree, "/a/f")[0].isdir()

    def test_whiteouts_are_names(self, stack, tree):
        assert put(stack, tree, "/a", tar_of((".wh.f", b"w")))[0] == 200
        assert self.content(stack, tree, "/a/.wh.f")[1] == b"w" and self.content(stack, tree, "/a/f")[0].isreg()

    def test_an_empty_body_is_an_empty_archive(self, stack, tree):
        assert put(stack, tree, "/a", b"") == (200, "")

    @pytest.mark.parametrize("running", [True, False])
    def test_read_only(self, stack, container_name, volume, running):
        stack.docker("run", "-d", "--init", "--network", "none", "--name", container_name, "--read-only", "-v", f"{volume}:/vol", "-v", f"{volume}:/ro:ro",
                     "busybox", "sleep", "1000" if running else "0")
        if not running:
            stack.docker("wait", container_name)
        data = tar_of(("x", b"1"))
        assert put(stack, container_name, "/etc", data) == (403, "container rootfs is marked read-only")
        assert put(stack, container_name, "/ro", data) == (403, "mounted volume is marked read-only")
        assert put(stack, container_name, "/vol", data) == (200, "")
        assert self.content(stack, container_name, "/ro/x")[1] == b"1"

    def test_as_the_containers_user(self, stack, container_name):
        stack.docker("create", "--network", "none", "--name", container_name, "-u", "daemon", "busybox", "true")
        put(stack, container_name, "/tmp", tar_of(("mine", b"")), copyUIDGID="true")
        put(stack, container_name, "/tmp", tar_of(("archives", b"")))
        assert [self.content(stack, container_name, path)[0].uid for path in ("/tmp/mine", "/tmp/archives")] == [1, 77]

    def test_a_container_starts_with_what_was_copied(self, stack, container_name, volume):
        stack.docker("create", "--network", "none", "--name", container_name, "-v", f"{volume}:/new/place", "busybox", "cat", "/new/place/x", "/etc/y")
        assert put(stack, container_name, "/new/place", tar_of(("x", b"in a volume\n")))[0] == 200
        assert put(stack, container_name, "/etc", tar_of(("y", b"in a layer\n")))[0] == 200
        assert stack.docker("start", "-a", container_name) == "in a volume\nin a layer"

    def test_events(self, stack, tree):
        since = json.loads(stack.curl("/info"))["SystemTime"]
        get(stack, tree, "/a/f")
        put(stack, tree, "/a", b"")
        text = stack.curl(f"/events?since={urllib.parse.quote(since)}&until=4000000000.0", "--max-time", "1", check=False).out
        actions = [json.loads(line)["Action"] for line in text.splitlines() if line]
        assert {"archive-path", "extract-to-dir"} <= set(actions)


class TestClients:
    """docker's client and ours do the same."""

    @pytest.fixture
    def files(self, tmp_path):
        (tmp_path / "d/sub").mkdir(parents=True)
        (tmp_path / "d/sub/deep").write_text("deep")
        (tmp_path / "d/top").write_text("top")
        (tmp_path / "d/link").symlink_to("top")
        (tmp_path / "one").write_text("1")
        return tmp_path

    def names(self, stack, container, path):
        return sorted(member.name for member in get(stack, container, path)[2])

    def test_to_and_from(self, cli, stack, tree, files):
        cli("cp", files / "one", f"{tree}:/a/")
        cli("cp", files / "one", f"{tree}:/a/renamed")
        cli("cp", files / "d", f"{tree}:/a/whole")
        cli("cp", str(files / "d") + "/.", f"{tree}:/a/b")
        assert self.names(stack, tree, "/a/whole/.") == [".", "./link", "./sub", "./sub/deep", "./top"]
        assert self.names(stack, tree, "/a/b") == ["b", "b/link", "b/sub", "b/sub/deep", "b/top"]
        back = files / "back"
        cli("cp", f"{tree}:/a/whole", back)
        cli("cp", f"{tree}:/a/renamed", files / "again")
        assert (back / "sub/deep").read_text() == "deep" and os.readlink(back / "link") == "top"
        assert (files / "again").read_text() == "1"

    def test_links(self, cli, stack, tree, files):
        cli("cp", f"{tree}:/la", files / "as-link")
        assert os.readlink(files / "as-link") == "/a"
        cli("cp", "-L", f"{tree}:/a/l", files / "followed")
        assert (files / "followed").read_text() == "x\n"
        cli("cp", files / "one", f"{tree}:/la/through")
        assert self.names(stack, tree, "/a/through") == ["through"]
        cli("cp", "-L", files / "d/link", f"{tree}:/a/plain")
        assert get(stack, tree, "/a/plain")[2][0].isreg()

    def test_streams(self, cli, stack, tree, files):
        data = cli("cp", f"{tree}:/a/f", "-").raw
        assert tarfile.open(fileobj=io.BytesIO(data)).getnames() == ["f"]
        cli("cp", "-", f"{tree}:/a", input=tar_of(("streamed", b"s")))
        assert self.names(stack, tree, "/a/streamed") == ["streamed"]

    @pytest.mark.parametrize("source, target, text", [
        ("{c}:/nosuch", "{d}/x", "Could not find the file /nosuch in container"),
        ("{d}/one", "{c}:/nosuch/", "no such directory"), ("{d}/nosuch", "{c}:/a", "no such file or directory"),
        ("{d}/d", "{c}:/a/f", "cannot copy directory"), ("nosuchcontainer:/x", "{d}/x", "No such container: nosuchcontainer"),
        ("{d}/one", "{d}/two", "must specify at least one container source"), ("{c}:/a", "{c}:/b", "copying between containers is not supported"),
    ])
    def test_errors(self, cli, tree, files, source, target, text):
        names = {"c": tree, "d": files}
        result = cli("cp", source.format(**names), target.format(**names), check=False)
        assert result.code == 1 and text in result.err

    def test_big_file(self, cli, stack, tree, tmp_path):
        (tmp_path / "big").write_bytes(os.urandom(1 << 20) * 64)
        cli("cp", tmp_path / "big", f"{tree}:/big")
        cli("cp", f"{tree}:/big", tmp_path / "back")
        assert run("cmp", tmp_path / "big", tmp_path / "back").code == 0

    def test_a_big_file_that_nobody_takes(self, cli, stack, container_name, tmp_path):
        stack.docker("run", "-d", "--init", "--network", "none", "--read-only", "--name", container_name, "busybox", "sleep", "1000")
        (tmp_path / "big").touch()
        os.truncate(tmp_path / "big", 64 << 20)
        result = cli("cp", tmp_path / "big", f"{container_name}:/big", check=False)
        assert result.code == 1 and "container rootfs is marked read-only" in result.err

    def test_files_whose_size_is_not_their_content(self, cli, stack, tree, tmp_path):
        """The kernel's own say 4096 bytes and give fewer, as files do that become shorter under the copy."""
        result = cli("cp", "/sys/kernel/mm/transparent_hugepage/enabled", f"{tree}:/a/enabled", check=False)
        assert result.code == 1 and result.err
        assert cli("cp", tmp_path, f"{tree}:/a/later").code == 0


# Names of layers' marks mean nothing here, and the root's own entry is skipped.
HARMLESS = {"whiteout of nothing", "whiteout of the parent", "whiteout of itself", "below a whiteout", "below a whiteout of the parent",
            "root as a file", "root as a link", "root as a link, then through it"}


class TestHostileArchives:
    @pytest.mark.parametrize("state", ["running", "stopped"])
    def test_every_case(self, stack, outside, state):
        before = host(outside)
        wrong = []
        for name, (_, fate) in CASES.items():
            container = stack.docker("create", "--network", "none", "--init", "busybox", "sleep", "1000")
            if state == "running":
                stack.docker("start", container)
            code, message = put(stack, container, "/", archive(name))
            refused = code != 200
            if fate != "either" and name not in HARMLESS and refused != (fate == "refused") or code >= 500:
                wrong.append(f"{name}: expected {fate}, got {code} {message[:200]}")
            if refused and not message:
                wrong.append(f"{name}: refused without a word")
            if host(outside) != before:
                wrong.append(f"{name}: changed the host")
                before = host(outside)
            stack.docker("rm", "-f", container)
        assert wrong == []

    def test_a_tree_that_changes_under_the_copy(self, stack, container_name, outside):
        """A process swaps a directory for a link that leads out of the container's root, if anyone resolves it outside."""
        stack.docker("run", "-d", "--init", "--network", "none", "--name", container_name, "busybox", "sh", "-c",
                     "mkdir /d /spare; ln -s /tmp/hostile-outside /link; while true; do mv /d /spare/d; mv /link /d; mv /d /link; mv /spare/d /d; done")
        before = host(outside)
        data = b"".join(file(f"d/secret{n}") for n in range(20)) + file("d/secret") + bytes(1024)
        deadline = time.monotonic() + 8
        while time.monotonic() < deadline:
            put(stack, container_name, "/", data)
            get(stack, container_name, "/d")
        assert host(outside) == before and sorted(os.listdir(outside)) == ["secret"]

    def test_programs_of_the_container_are_not_run(self, stack, container_name):
        """Unpackers and libraries that a container brings are its own business."""
        stack.docker("create", "--network", "none", "--name", container_name, "busybox", "true")
        trap = b"#!/bin/sh\ntouch /tmp/hostile-ran\n"
        names = [f"{place}/{name}" for place in ("bin", "usr/bin") for name in ("tar", "gzip", "unpigz", "xz", "zstd")]
        put(stack, container_name, "/", tar_of(("usr", None), ("usr/bin", None), *[(name, trap) for name in names], ("lib", None),
                                               ("lib/libnss_files.so.2", b"\x7fELF junk")))
        put(stack, container_name, "/tmp", gzip.compress(tar_of(("x", b"1"))), copyUIDGID="1")
        get(stack, container_name, "/bin")
        assert not os.path.exists("/tmp/hostile-ran")
