# SPDX-License-Identifier: Apache-2.0
"""Volumes that a plugin makes: a program on a socket beside the daemon, by docker's protocol."""
import json
import os
import shutil
import threading
import time

import pytest

from harness import run, wait_until
from plugins import Plugin, plugged_stack


class Volumes:
    """What a plugin with directories for volumes answers; `mounted` has the ids of the mounts of each volume."""

    def __init__(self, directory, scope="global"):
        self.directory, self.scope = directory, scope
        self.known, self.mounted, self.failing, self.hanging = {}, {}, set(), set()

    def __call__(self, method, question):
        method = method.removeprefix("VolumeDriver.")
        if method in self.hanging:
            time.sleep(20)
        if method in self.failing:
            return {"Err": f"no {method} today"}
        return getattr(self, method)(question)

    def Capabilities(self, question):
        return {"Capabilities": {"Scope": self.scope}}

    def path(self, name):
        return self.directory / name.replace("/", "_")

    def Create(self, question):
        self.known[question["Name"]] = question["Opts"]
        self.path(question["Name"]).mkdir(parents=True)
        return {}

    def Remove(self, question):
        shutil.rmtree(self.path(question["Name"]))
        del self.known[question["Name"]]
        return {}

    def shown(self, name):
        mounted = self.mounted.get(name)
        return {"Name": name, "Mountpoint": str(self.path(name)) if mounted else "", "Status": {"size": "7"},
                "CreatedAt": "2020-01-02T03:04:05Z"}

    def Get(self, question):
        if question["Name"] not in self.known:
            return {"Err": "nothing of that name"}
        return {"Volume": self.shown(question["Name"])}

    def List(self, question):
        return {"Volumes": [self.shown(name) for name in self.known]}

    def Mount(self, question):
        self.mounted.setdefault(question["Name"], []).append(question["ID"])
        return {"Mountpoint": str(self.path(question["Name"]))}

    def Unmount(self, question):
        self.mounted[question["Name"]].remove(question["ID"])
        return {}


@pytest.fixture(scope="module")
def plugged(scratch, images):
    """A daemon with the plugin `shelf`."""
    stack = plugged_stack(scratch / "plugged", images, "plg")
    stack.shelf = Volumes(stack.directory / "shelf")
    stack.plugin = Plugin(stack.plugins, "shelf", ["VolumeDriver"], stack.shelf)
    yield stack
    stack.destroy()
    stack.plugin.stop()


@pytest.fixture
def volume(plugged):
    name = "plug" + os.urandom(4).hex()
    yield name
    plugged.shelf.failing, plugged.shelf.hanging = set(), set()
    for container in plugged.docker("ps", "-aq", "--filter", f"volume={name}").split():
        plugged.docker("rm", "-f", container)
    plugged.docker("volume", "rm", "-f", name, check=False)
    assert not plugged.shelf.mounted.get(name)


def test_life_of_a_plugins_volume(plugged, volume):
    plugged.docker("volume", "create", "-d", "shelf", "-o", "kind=oak", "--label", "a=b", volume)
    assert plugged.shelf.known[volume] == {"kind": "oak"}
    details = json.loads(plugged.docker("volume", "inspect", volume))[0]
    assert (details["Driver"], details["Scope"], details["Status"]) == ("shelf", "global", {"size": "7"})
    assert (details["Options"], details["Labels"]) == ({"kind": "oak"}, {"a": "b"})
    assert details["CreatedAt"] == "2020-01-02T03:04:05Z"
    listed = plugged.docker("volume", "ls", "--format", "{{.Driver}} {{.Name}}", "-f", "driver=shelf").splitlines()
    assert f"shelf {volume}" in listed
    assert plugged.docker("info", "--format", "{{.Plugins.Volume}}") == "[local shelf]"
    assert plugged.plugin.activations == 1 and len(plugged.plugin.calls("Capabilities")) == 1
    plugged.docker("volume", "rm", volume)
    assert volume not in plugged.shelf.known


def test_containers_share_a_plugins_volume(plugged, volume):
    plugged.docker("run", "--rm", "--volume-driver", "shelf", "-v", f"{volume}:/data", "busybox", "sh", "-c",
                   "echo kept > /data/file")
    assert (plugged.shelf.path(volume) / "file").read_text() == "kept\n" and plugged.shelf.mounted[volume] == []
    first = plugged.docker("run", "-d", "-v", f"{volume}:/data", "-v", f"{volume}:/again", "busybox", "sleep", "600")
    second = plugged.docker("run", "-d", "--mount", f"type=volume,source={volume},target=/data,volume-driver=shelf",
                            "busybox", "sleep", "600")
    third = plugged.docker("run", "-d", "--volumes-from", first, "busybox", "sleep", "600")
    assert len(plugged.shelf.mounted[volume]) == len(set(plugged.shelf.mounted[volume])) == 3
    assert plugged.docker("exec", third, "cat", "/data/file") == "kept"
    mount = [mount for mount in plugged.inspect(second)["Mounts"] if mount["Destination"] == "/data"][0]
    assert (mount["Name"], mount["Driver"], mount["Type"]) == (volume, "shelf", "volume")
    plugged.docker("rm", "-f", first, second)
    wait_until(lambda: len(plugged.shelf.mounted[volume]) == 1, 10, "two unmounts")
    assert "volume is in use" in plugged.docker("volume", "rm", volume, check=False).err
    plugged.docker("stop", "-t", "0", third)
    wait_until(lambda: not plugged.shelf.mounted[volume], 10, "the last unmount")
    plugged.docker("start", third)
    assert len(plugged.shelf.mounted[volume]) == 1


def test_anonymous_volumes_of_a_plugin_go_with_their_container(plugged):
    before = set(plugged.shelf.known)
    name = plugged.docker("create", "--volume-driver", "shelf", "-v", "/data", "busybox")
    made = set(plugged.shelf.known) - before
    assert len(made) == 1
    plugged.docker("rm", "-v", name)
    assert not made & set(plugged.shelf.known)


def test_names_are_one_space(plugged, volume):
    plugged.docker("volume", "create", volume)
    answer = plugged.docker("volume", "create", "-d", "shelf", volume, check=False)
    assert f"create {volume}: driver 'local' already has volume '{volume}': volume name must be unique" in answer.err
    plugged.docker("volume", "rm", volume)
    plugged.docker("volume", "create", "-d", "shelf", volume)
    answer = plugged.docker("volume", "create", "-d", "local", volume, check=False)
    assert f"driver 'shelf' already has volume '{volume}'" in answer.err
    plugged.docker("volume", "create", "-d", "shelf", volume)  # the same once more is fine
    plugged.docker("volume", "prune", "-af")
    assert volume in plugged.shelf.known  # not ours to remove


def test_the_plugin_knows_best_what_there_is(plugged, volume):
    plugged.shelf.Create({"Name": volume, "Opts": None})  # behind our back
    assert json.loads(plugged.docker("volume", "inspect", volume))[0]["Driver"] == "shelf"
    plugged.docker("run", "--rm", "-v", f"{volume}:/data", "busybox", "touch", "/data/here")
    assert (plugged.shelf.path(volume) / "here").exists()
    plugged.shelf.Remove({"Name": volume})
    assert "no such volume" in plugged.docker("volume", "inspect", volume, check=False).err
    assert volume not in plugged.docker("volume", "ls", "-q")
    plugged.docker("volume", "create", volume)  # its name is free
    assert plugged.docker("volume", "inspect", "-f", "{{.Driver}}", volume) == "local"


def test_failures_of_a_plugin(plugged, volume):
    plugged.shelf.failing = {"Create"}
    answer = plugged.docker("volume", "create", "-d", "shelf", volume, check=False)
    assert f"create {volume}: no Create today" in answer.err
    plugged.shelf.failing = {"Mount"}
    plugged.docker("volume", "create", "-d", "shelf", volume)
    unmounts = len(plugged.plugin.calls("Unmount"))
    answer = plugged.docker("run", "--name", volume, "-v", f"{volume}:/data", "busybox", "true", check=False)
    assert "error while mounting volume" in answer.err and "no Mount today" in answer.err
    assert plugged.inspect(volume)["State"]["Status"] == "created"
    assert len(plugged.plugin.calls("Unmount")) == unmounts  # what was not mounted is not unmounted
    plugged.shelf.failing = set()
    plugged.docker("create", "--name", f"{volume}x", "-v", f"{volume}:/data", "busybox", "/missing")
    assert plugged.docker("start", f"{volume}x", check=False).code != 0
    assert plugged.shelf.mounted[volume] == []  # mounted, and unmounted after the failure
    plugged.docker("rm", volume, f"{volume}x")
    plugged.shelf.failing = {"Remove"}
    answer = plugged.docker("volume", "rm", volume, check=False)
    assert f"remove {volume}: no Remove today" in answer.err
    assert volume in plugged.docker("volume", "ls", "-q").splitlines()
    plugged.shelf.failing = {"List"}
    answer = plugged.curl("/volumes")
    assert json.loads(answer)["Warnings"] == ["list shelf: no List today"]
    assert volume in [each["Name"] for each in json.loads(answer)["Volumes"]]
    plugged.shelf.failing = set()


def test_nonsense_is_an_error(plugged, volume):
    talk = plugged.plugin.answer
    plugged.plugin.answer = lambda method, question: b"<html>"
    try:
        answer = plugged.docker("volume", "create", "-d", "shelf", volume, check=False)
        assert "VolumeDriver.Create: the answer of plugin shelf is not JSON" in answer.err
        assert plugged.docker("volume", "ls", "-q") is not None
    finally:
        plugged.plugin.answer = talk
    plugged.docker("volume", "create", "-d", "shelf", volume)
    plugged.shelf.Mount, mount = lambda question: {"Mountpoint": "relative"}, plugged.shelf.Mount
    try:
        answer = plugged.docker("run", "--rm", "-v", f"{volume}:/data", "busybox", check=False)
        assert 'answered no absolute path: "relative"' in answer.err
    finally:
        plugged.shelf.Mount = mount


def test_one_that_hangs_holds_up_nobody_else(plugged, volume):
    plugged.docker("volume", "create", "-d", "shelf", volume)
    plugged.shelf.hanging = {"Mount"}
    slow = plugged.background("run", "--rm", "-v", f"{volume}:/data", "busybox", "true")
    wait_until(lambda: plugged.plugin.calls("Mount")[-1]["Name"] == volume, 10, "the mount")
    begin = time.monotonic()
    plugged.docker("run", "--rm", "-v", f"{volume}local:/data", "busybox", "true")
    plugged.docker("volume", "ls")
    plugged.docker("volume", "rm", f"{volume}local")
    assert time.monotonic() - begin < 10 and slow.poll() is None
    assert slow.wait(40) == 0


def test_one_that_is_about_to_start(plugged, volume):
    """It is waited for; meanwhile everything else goes on, and one that never comes is an error."""
    outcome = []
    waiting = threading.Thread(
        target=lambda: outcome.append(plugged.docker("volume", "create", "-d", "late", volume, check=False)))
    waiting.start()
    time.sleep(1.5)
    assert not outcome
    late = Plugin(plugged.plugins, "late", ["VolumeDriver"], Volumes(plugged.directory / "late", scope="Local"))
    try:
        waiting.join(10)
        assert outcome[0].code == 0
        assert plugged.docker("volume", "inspect", "-f", "{{.Driver}} {{.Scope}}", volume) == "late local"
        plugged.docker("volume", "rm", volume)
    finally:
        late.stop()
    answer = plugged.curl("/volumes/create", "-H", "Content-Type: application/json", "-d",
                          json.dumps({"Name": volume, "Driver": "never"}), "-w", "%{http_code}")
    assert f'create {volume}: error looking up volume plugin never: plugin \\"never\\" not found' in answer
    assert answer.endswith("404")


def test_what_is_no_driver_of_volumes(plugged, volume):
    judge = Plugin(plugged.plugins, "judge", ["authz"], lambda method, question: {})
    try:
        answer = plugged.docker("volume", "create", "-d", "judge", volume, check=False)
        assert 'Plugin does not implement the requested driver: plugin="judge"' in answer.err
    finally:
        judge.stop()


def test_an_empty_volume_gets_what_the_image_has(plugged, volume):
    plugged.docker("run", "--rm", "--volume-driver", "shelf", "-v", f"{volume}:/etc", "busybox", "true")
    assert (plugged.shelf.path(volume) / "passwd").exists()
    mounts = [question["ID"] for question in plugged.plugin.calls("Mount") if question["Name"] == volume]
    assert len(set(mounts)) == 2 and plugged.shelf.mounted[volume] == []


def test_copies_from_and_to_a_plugins_volume(plugged, volume, tmp_path):
    (tmp_path / "file").write_text("moved")
    plugged.docker("create", "--name", volume, "--volume-driver", "shelf", "-v", f"{volume}:/data", "busybox", "sleep",
                   "600")
    plugged.docker("cp", tmp_path / "file", f"{volume}:/data/file")
    assert (plugged.shelf.path(volume) / "file").read_text() == "moved"
    plugged.docker("cp", f"{volume}:/data/file", tmp_path / "back")
    assert (tmp_path / "back").read_text() == "moved"
    wait_until(lambda: not plugged.shelf.mounted[volume], 10, "the unmounts")
    plugged.docker("start", volume)
    plugged.docker("cp", f"{volume}:/data/file", "-")
    assert len(plugged.shelf.mounted[volume]) == 1


def test_a_new_daemon_knows_what_is_mounted(plugged, volume):
    plugged.docker("run", "-d", "--name", volume, "--volume-driver", "shelf", "-v", f"{volume}:/data", "busybox", "sleep",
                   "600")
    gone = plugged.docker("run", "-d", "-v", f"{volume}:/data", "busybox", "sleep", "600")
    pid = plugged.inspect(gone)["State"]["Pid"]
    assert len(plugged.shelf.mounted[volume]) == 2
    plugged.kill_daemon()
    os.kill(pid, 9)
    plugged.start()
    wait_until(lambda: len(plugged.shelf.mounted[volume]) == 1, 20, "the unmount of what ended meanwhile")
    assert plugged.docker("volume", "inspect", "-f", "{{.Driver}}", volume) == "shelf"
    plugged.docker("restart", "-t", "0", volume)
    assert len(plugged.shelf.mounted[volume]) == 1
    plugged.docker("rm", "-f", volume)
    wait_until(lambda: not plugged.shelf.mounted[volume], 10, "the unmount")


def test_an_address_in_a_file(plugged, volume):
    (plugged.plugins / "pointer.spec").write_text(f"unix://{plugged.plugin.path}\n")
    (plugged.plugins / "deep").mkdir()
    (plugged.plugins / "deep/deep.json").write_text(json.dumps({"Name": "deep", "Addr": f"unix://{plugged.plugin.path}"}))
    for driver in ("pointer", "deep"):
        plugged.docker("volume", "create", "-d", driver, volume)
        plugged.docker("volume", "rm", volume)
    (plugged.plugins / "pointer.spec").unlink()
    run("rm", "-r", plugged.plugins / "deep")
