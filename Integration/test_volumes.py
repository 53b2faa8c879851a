# SPDX-License-Identifier: Apache-2.0
"""Named and anonymous volumes, and what an image brings into them."""
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest
from harness import run


@pytest.fixture
def volume(stack):
    """A name that no other test uses; the volume is removed afterwards."""
    name = "vol" + os.urandom(4).hex()
    yield name
    stack.docker("volume", "rm", "-f", name, check=False)


def test_life_of_a_volume(stack, cli, volume):
    assert cli("volume", "create", "--label", "a=b", volume) == volume
    details = json.loads(cli("volume", "inspect", volume))[0]
    assert details["Driver"] == "local" and details["Labels"] == {"a": "b"} and details["Scope"] == "local"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", details["CreatedAt"])
    assert os.path.isdir(details["Mountpoint"]) and details["Mountpoint"].endswith(f"/volumes/{volume}/_data")
    assert volume in cli("volume", "ls", "-q", "-f", "dangling=true").splitlines()
    assert cli("volume", "rm", volume) == volume
    assert not os.path.exists(os.path.dirname(details["Mountpoint"]))
    result = cli("volume", "inspect", volume, check=False)
    assert result.code == 1 and "no such volume" in result.err


def test_creating_it_again_changes_nothing(stack, cli, volume):
    cli("volume", "create", volume)
    mountpoint = cli("volume", "inspect", "-f", "{{.Mountpoint}}", volume)
    with open(f"{mountpoint}/kept", "w"):
        pass
    cli("volume", "create", volume)
    assert os.path.exists(f"{mountpoint}/kept")


def test_data_outlives_containers(cli, volume):
    cli("run", "--rm", "-v", f"{volume}:/data", "busybox", "sh", "-c", "echo kept > /data/file")
    assert cli("run", "--rm", "-v", f"{volume}:/other:ro", "busybox", "cat", "/other/file") == "kept"


def test_a_volume_may_be_read_only(cli, volume):
    assert cli("run", "--rm", "-v", f"{volume}:/data:ro", "busybox", "touch", "/data/x", check=False).code != 0


def test_a_volume_in_use_stays(stack, cli, volume, container_name):
    identifier = cli("create", "--name", container_name, "-v", f"{volume}:/data", "busybox", "true")
    result = cli("volume", "rm", volume, check=False)
    assert result.code == 1
    assert f"remove {volume}: volume is in use - [{identifier}]" in result.err
    cli("rm", container_name)
    cli("volume", "rm", volume)


def test_content_of_the_image_comes_into_a_new_volume_once(cli, volume):
    files = cli("run", "--rm", "-v", f"{volume}:/etc", "busybox", "ls", "/etc").split()
    assert "passwd" in files
    cli("run", "--rm", "-v", f"{volume}:/etc", "busybox", "rm", "/etc/passwd")
    assert "passwd" not in cli("run", "--rm", "-v", f"{volume}:/etc", "busybox", "ls", "/etc").split()


def test_anonymous_volumes_go_with_rm(stack, cli, container_name):
    before = set(cli("volume", "ls", "-q").splitlines())
    cli("run", "--rm", "-v", "/data", "busybox", "touch", "/data/x")
    assert set(cli("volume", "ls", "-q").splitlines()) == before
    cli("create", "--name", container_name, "-v", "/data", "busybox", "true")
    made, = set(cli("volume", "ls", "-q").splitlines()) - before
    assert re.fullmatch("[0-9a-f]{64}", made)
    cli("rm", container_name)
    assert made in cli("volume", "ls", "-q").splitlines()
    assert made in cli("volume", "prune", "-f")
    assert made not in cli("volume", "ls", "-q").splitlines()


def test_prune_leaves_named_volumes_unless_all_are_asked_for(cli, volume):
    cli("volume", "create", "--label", f"only={volume}", volume)
    assert volume not in cli("volume", "prune", "-f")
    assert volume in cli("volume", "prune", "-a", "-f", "--filter", f"label=only={volume}")


@pytest.mark.parametrize("name, reason", [
    ("a/b", "includes invalid characters"),
    ("..", "includes invalid characters"),
    ("x", "volume name is too short"),
])
def test_names_that_are_none(cli, name, reason):
    result = cli("volume", "create", name, check=False)
    assert result.code == 1 and reason in result.err


def test_a_volume_can_be_a_file_system_of_its_own(stack, cli, volume, container_name):
    cli("volume", "create", "-o", "type=tmpfs", "-o", "device=tmpfs", "-o", "o=size=1m,nodev", volume)
    cli("run", "-d", "--name", container_name, "-v", f"{volume}:/data", "busybox", "sleep", "60")
    cli("exec", container_name, "sh", "-c", "echo shared > /data/file; grep ' /data ' /proc/mounts | grep -q size=1024k")
    assert cli("run", "--rm", "-v", f"{volume}:/other", "busybox", "cat", "/other/file") == "shared"
    stack.kill_daemon()
    stack.start()  # the container runs on, and so does its mount
    assert cli("exec", container_name, "cat", "/data/file") == "shared"
    cli("restart", "-t0", container_name)  # nobody had it in between
    assert cli("exec", container_name, "ls", "/data") == ""
    cli("rm", "-f", container_name)
    assert f"{volume}/_data" not in open("/proc/self/mountinfo").read()


def test_a_volume_that_cannot_be_mounted_says_why(cli, volume, container_name):
    cli("volume", "create", "-o", "type=tmpfs", "-o", "device=tmpfs", "-o", "o=size=much,noexec", volume)
    path = cli("volume", "inspect", "-f", "{{.Mountpoint}}", volume)
    refused = cli("run", "--name", container_name, "-v", f"{volume}:/data", "busybox", "true", check=False)
    assert refused.code == 125 and (
        f"error while mounting volume '{path}': failed to mount local volume: mount tmpfs:{path}, flags: 0x8, "
        "data: size=much: invalid argument") in refused.err


@pytest.mark.parametrize("options, text", [
    (["type=tmpfs"], 'missing required option: "device"'),
    (["colour=red"], 'invalid option: "colour"'),
])
def test_options_that_are_none(cli, volume, options, text):
    refused = cli("volume", "create", *[part for option in options for part in ("-o", option)], volume, check=False)
    assert refused.code == 1 and text in refused.err


def test_a_volume_can_stand_for_a_host_directory(stack, cli, volume, tmp_path):
    (tmp_path / "file").write_text("theirs\n")
    cli("volume", "create", "-o", "type=none", "-o", "o=bind", "-o", f"device={tmp_path}", volume)
    assert cli("run", "--rm", "-v", f"{volume}:/data", "busybox", "cat", "/data/file") == "theirs"
    cli("volume", "rm", volume)
    assert (tmp_path / "file").exists()


def test_a_host_directory_may_be_read_only(cli, volume, tmp_path):
    cli("volume", "create", "-o", "type=none", "-o", "o=bind,ro", "-o", f"device={tmp_path}", volume)
    refused = cli("run", "--rm", "-v", f"{volume}:/data", "busybox", "touch", "/data/x", check=False)
    assert refused.code == 1 and "Read-only file system" in refused.err
    path = cli("volume", "inspect", "-f", "{{.Mountpoint}}", volume)
    refused = cli("run", "--rm", "-v", f"{volume}:/bin", "busybox", "true", check=False)  # it wants /bin's files
    assert refused.code == 125 and f"failed to chmod on {path}: chmod {path}: read-only file system" in refused.err
    assert list(tmp_path.iterdir()) == []


def test_content_of_the_image_comes_into_other_file_systems_too(cli, volume, tmp_path):
    disk = tmp_path / "disk"
    disk.write_bytes(b"")
    os.truncate(disk, 8 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-O", "^has_journal", disk], check=True)
    loop = subprocess.run(["losetup", "--find", "--show", disk], capture_output=True, text=True)
    if loop.returncode:
        pytest.skip("no loop devices here")
    device = loop.stdout.strip()
    try:
        subprocess.run(["mount", device, tmp_path], check=True)
        (tmp_path / "lost+found").rmdir()
        subprocess.run(["umount", tmp_path], check=True)
        cli("volume", "create", "-o", "type=ext4", "-o", f"device={device}", volume)
        names = cli("run", "--rm", "-v", f"{volume}:/bin", "busybox", "ls", "/bin").split()
        assert "busybox" in names and "sh" in names
        cli("run", "--rm", "-v", f"{volume}:/bin", "busybox", "rm", "/bin/vi")
        assert "vi" not in cli("run", "--rm", "-v", f"{volume}:/bin", "busybox", "ls", "/bin").split()
        cli("volume", "rm", volume)
    finally:
        subprocess.run(["losetup", "-d", device], check=True)


@pytest.mark.parametrize("options, text", [
    (["type=nfs", "device=:/x", "o=addr=localhost,nolock,soft,ro"],
     "failed to mount local volume: mount :/x:{path}, flags: 0x1, data: addr=127.0.0.1,nolock,soft: no such device"),
    (["type=nfs", "device=host:/x", "o=vers=4,rw"],
     "failed to mount local volume: mount host:/x:{path}, data: vers=4: no such device"),
    (["type=nfs", "device=:/x", "o=addr=nosuch.invalid"],
     "error resolving passed in network volume address: lookup nosuch.invalid"),
    (["type=cifs", "device=//localhost/x", "o=username=u"],
     "failed to mount local volume: mount //127.0.0.1/x:{path}, data: username=u: no such device"),
    (["type=none", "device=/nope", "o=bind"],
     "failed to mount local volume: mount /nope:{path}, flags: 0x1000: no such file or directory"),
])
def test_shares_that_cannot_be_had(cli, volume, options, text):
    if {"nfs", "cifs"} & set(re.findall(r"\t(\w+)", open("/proc/filesystems").read())) and "type=none" not in options:
        pytest.skip("this kernel has network file systems")
    cli("volume", "create", *[part for option in options for part in ("-o", option)], volume)
    path = cli("volume", "inspect", "-f", "{{.Mountpoint}}", volume)
    refused = cli("run", "--rm", "-v", f"{volume}:/data", "busybox", "true", check=False)
    assert refused.code in (125, 127)
    assert f"error while mounting volume '{path}': " + text.format(path=path) in refused.err


def test_a_new_volume_has_nothing_of_one_that_could_not_be_removed(stack, cli, volume):
    cli("volume", "create", volume)
    data = pathlib.Path(cli("volume", "inspect", "-f", "{{.Mountpoint}}", volume))
    (data / "secret").touch()
    (data / "busy").mkdir()
    run("mount", "-t", "tmpfs", "tmpfs", data / "busy")
    try:
        result = cli("volume", "rm", volume, check=False)
        assert result.code == 1 and "another file system is mounted below" in result.err
        cli("volume", "create", volume)
        assert list(data.iterdir()) == []
    finally:
        volumes = data.parent.parent
        for busy in volumes.glob("**/busy"):
            run("umount", busy)
        for left in volumes.glob(".removing-*"):
            shutil.rmtree(left)


def test_sparse_files_count_with_their_length(stack, cli, volume):  # as docker's do
    cli("volume", "create", volume)
    data = pathlib.Path(cli("volume", "inspect", "-f", "{{.Mountpoint}}", volume))
    for name in ("one", "two"):
        with open(data / name, "wb") as file:
            file.truncate(15 << 40)
    usage = json.loads(stack.curl("/system/df"))["Volumes"]
    assert next(entry for entry in usage if entry["Name"] == volume)["UsageData"]["Size"] == 30 << 40
