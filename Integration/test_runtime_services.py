# SPDX-License-Identifier: Apache-2.0
"""The runtime as a service: readiness for a service manager (sd_notify(3)), and cgroups that are somebody else's to give."""
import json
import os
import pathlib
import socket
import subprocess

import pytest
from fake_systemd import FakeSystemd
from runtime_driver import config, is_version_2, own_cgroup
from test_runtime import ours, rootfs, runtime  # noqa: F401 (fixtures)

# busybox has no datagrams of unix sockets: python3 of the host is bound into the container.
SAY = ("import os, socket, sys\n"
       "s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.connect(os.environ['NOTIFY_SOCKET'])\n"
       "for m in sys.argv[1:]: s.send(m.encode())\n")


class ServiceManager:
    """A socket that a service says there that it is ready."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.settimeout(30)
        self.environment = dict(os.environ, NOTIFY_SOCKET=address.replace("\0", "@"))

    def receive(self, runtime):
        """The next two messages, and the barrier that younger runtimes send: its descriptor is closed, as systemd does."""
        messages = [self.socket.recv(4096).decode().strip() for _ in range(2)]
        if runtime.is_ours:
            data, descriptors, _, _ = socket.recv_fds(self.socket, 4096, 1)
            assert data == b"BARRIER=1"
            os.close(descriptors[0])
        return messages


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path):
    manager = ServiceManager("\0swrun-test-" + os.urandom(4).hex() if request.param == "abstract" else str(tmp_path / "notify"))
    yield manager
    manager.socket.close()


def python_inside(value):
    """The host's Python, with all that it needs."""
    value["mounts"] += [{"destination": path, "source": path, "options": ["rbind", "ro"]} for path in ("/usr", "/lib", "/lib64")]
    value["process"]["env"] = ["PATH=/bin:/usr/bin"]


def service(runtime, *messages, then="1000"):
    value = config("sh", "-c", 'python3 -c "$0" "$@" && exec sleep ' + then, SAY, *messages)
    python_inside(value)
    runtime.write(value)


def test_readiness_of_a_container_that_is_detached(runtime, manager):
    service(runtime, "STATUS=soon", "READY=1\nSTATUS=now")
    pid_file = runtime.directory / "pid"
    process = subprocess.Popen(
        [runtime.program, "--root", runtime.root, "run", "--detach", "--bundle", runtime.bundle, "--pid-file", pid_file, runtime.id("c")],
        env=manager.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    assert manager.receive(runtime) == ["READY=1", "MAINPID=" + pid_file.read_text()]
    assert process.wait(30) == 0
    seen = (runtime("exec", runtime.id("c"), "ls", "/run/notify", check=0).out)
    assert seen == "notify.sock\n"
    assert "ro" in next(line.split()[3].split(",") for line in open(f"/proc/{pid_file.read_text()}/mounts") if "/run/notify" in line)


def test_readiness_after_start(runtime, manager):
    service(runtime, "READY=1")
    pid_file = runtime.directory / "pid"
    runtime("create", "--bundle", runtime.bundle, "--pid-file", pid_file, runtime.id("c"), check=0, env=manager.environment)
    process = subprocess.Popen([runtime.program, "--root", runtime.root, "start", runtime.id("c")], env=manager.environment)
    assert manager.receive(runtime) == ["READY=1", "MAINPID=" + pid_file.read_text()]
    assert process.wait(30) == 0


def test_readiness_in_the_foreground(ours, manager):
    """The service manager then looks after the runtime, which ends with the container."""
    service(ours, "READY=1", then="0")
    process = subprocess.Popen([ours.program, "--root", ours.root, "run", "--bundle", ours.bundle, ours.id("c")],
                               env=manager.environment, stdin=subprocess.DEVNULL)
    assert manager.receive(ours) == ["READY=1", f"MAINPID={process.pid}"]
    assert process.wait(30) == 0


def test_a_container_that_ends_without_being_ready(ours, manager):
    ours.write(config("true"))
    ours("run", "--detach", "--bundle", ours.bundle, ours.id("c"), check=0, env=manager.environment)
    ours("delete", ours.id("c"), check=0)


def test_a_service_manager_that_is_gone(ours):
    ours.write(config("sh", "-c", "echo $NOTIFY_SOCKET"))
    result = ours("run", "--bundle", ours.bundle, ours.id("c"), check=0, env=dict(os.environ, NOTIFY_SOCKET="/nonexistent"))
    assert result.out == "/run/notify/notify.sock\n"
    ours.write(config("sleep", "1000"))
    ours("create", "--bundle", ours.bundle, ours.id("c"), check=0)
    ours("start", ours.id("c"), check=0, env=dict(os.environ, NOTIFY_SOCKET="/nonexistent"))


# Cgroups


@pytest.mark.parametrize("path", ["", "relative/place"])
def test_a_cgroup_path_that_is_not_absolute(runtime, path):
    """It begins at the cgroup of who calls the runtime, in each hierarchy; beside it on version 2."""
    controller = "pids"
    place = own_cgroup(os.getpid(), controller) / ("swrun-" + os.urandom(4).hex())
    caller = place / "caller"
    caller.mkdir(parents=True)
    value = config("sleep", "1000")
    if path:
        value["linux"]["cgroupsPath"] = path
    runtime.write(value)
    pid_file = runtime.directory / "pid"
    try:
        command = [runtime.program, "--root", runtime.root, "run", "--detach", "--bundle", runtime.bundle, "--pid-file", pid_file,
                   runtime.id("c")]
        subprocess.run(["sh", "-c", 'echo 0 >"$0/cgroup.procs" && exec "$@"', caller, *command], check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        expected = (place if is_version_2() else caller) / (path or runtime.id("c"))
        pid = int(pid_file.read_text())
        assert own_cgroup(pid, controller) == expected
        assert json.loads(runtime("ps", "--format", "json", runtime.id("c"), check=0).out) == [pid]
        runtime("exec", runtime.id("c"), "true", check=0)
        runtime("delete", "--force", runtime.id("c"), check=0)
        assert not expected.exists()
    finally:
        runtime.clean()
        for directory in sorted(pathlib.Path("/sys/fs/cgroup").rglob("relative*/place")):
            directory.rmdir()
        for directory in [*pathlib.Path("/sys/fs/cgroup").glob("*/relative"), caller / "relative", place / "relative", caller, place]:
            if directory.exists():
                directory.rmdir()


# Units of systemd


@pytest.fixture
def systemd(tmp_path):
    systemd = FakeSystemd(tmp_path / "bus", tmp_path)
    yield systemd
    systemd.close()


class UnitRuntime:
    """The runtime in a mount namespace where systemd seems to run."""

    def __init__(self, runtime, systemd):
        self.runtime, self.systemd = runtime, systemd

    def __call__(self, *arguments, check=0):
        script = 'mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system && exec "$0" "$@"'
        command = ["unshare", "--mount", "sh", "-c", script, self.runtime.program, "--root", self.runtime.root,
                   "--systemd-cgroup", *arguments]
        with open(self.runtime.directory / "out", "w+") as out:
            result = subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, timeout=60,
                                    env=dict(os.environ, DBUS_SYSTEM_BUS_ADDRESS=self.systemd.address))
            out.seek(0)
            text = out.read()
        assert result.returncode == check, text
        return text

    def start(self, name, **linux):
        value = config("sleep", "1000")
        value["linux"].update(linux)
        value["annotations"] = {"org.systemd.property.CollectMode": "'inactive-or-failed'",
                                "org.systemd.property.TimeoutStopSec": "uint64 7"}
        self.runtime.write(value)
        pid_file = self.runtime.directory / "pid"
        self("run", "--detach", "--bundle", self.runtime.bundle, "--pid-file", pid_file, self.runtime.id(name))
        return int(pid_file.read_text())


@pytest.fixture
def units(ours, systemd):
    yield UnitRuntime(ours, systemd)
    # Slices are systemd's own to remove.
    for place in pathlib.Path("/sys/fs/cgroup").rglob("swruntest*.slice"):
        for directory in [*sorted(place.rglob("*"), reverse=True), place]:
            if directory.is_dir():
                directory.rmdir()


def unit_of(units, name):
    return f"pre-{units.runtime.id(name)}.scope"


def test_a_container_is_a_scope(units):
    name = units.runtime.id("c")
    pid = units.start("c", cgroupsPath=f"swruntest-a.slice:pre:{name}", resources={
        "pids": {"limit": 50}, "cpu": {"quota": 12345, "period": 50000, "cpus": "0", "shares": 512}, "memory": {"limit": 1 << 26}})
    found = units.systemd.units[unit_of(units, "c")]
    limits = {"CPUWeight": 59, "MemoryMax": 1 << 26} if is_version_2() else {"CPUShares": 512, "MemoryLimit": 1 << 26}
    assert found == {
        "Description": f"libcontainer container {name}", "Slice": "swruntest-a.slice", "Delegate": True, "PIDs": [pid],
        "MemoryAccounting": True, "CPUAccounting": True, "IOAccounting": True, "TasksAccounting": True, "DefaultDependencies": False,
        "TasksMax": 50, "CPUQuotaPeriodUSec": 50000, "CPUQuotaPerSecUSec": 250000, "AllowedCPUs": [1],
        "CollectMode": "inactive-or-failed", "TimeoutStopUSec": 7000000, **limits}
    place = own_cgroup(pid, "pids")
    assert str(place).endswith(f"/swruntest.slice/swruntest-a.slice/{unit_of(units, 'c')}")
    assert (place / "pids.max").read_text() == "50\n"
    units("update", "--pids-limit", "60", name)
    assert found["TasksMax"] == 60 and (place / "pids.max").read_text() == "60\n"
    units("exec", name, "true")
    units("delete", "--force", name)
    assert "StopUnit" in units.systemd.calls and not place.exists()


def test_a_unit_that_failed_before_is_in_the_way(units):
    units.systemd.existing.add(unit_of(units, "c"))
    units.start("c", cgroupsPath="swruntest.slice:pre:" + units.runtime.id("c"))
    assert units.systemd.calls.count("StartTransientUnit") == 2 and "ResetFailedUnit" in units.systemd.calls
    units("delete", "--force", units.runtime.id("c"))


def test_a_unit_that_cannot_be_started(units):
    units.systemd.result = "failed"
    value = config("true")
    value["linux"]["cgroupsPath"] = "swruntest.slice:pre:" + units.runtime.id("c")
    units.runtime.write(value)
    err = units("run", "--bundle", units.runtime.bundle, units.runtime.id("c"), check=1)
    assert f"error creating systemd unit `{unit_of(units, 'c')}`: got `failed`" in err
    assert not (units.runtime.root / units.runtime.id("c")).exists()
    assert not list(pathlib.Path("/sys/fs/cgroup").rglob(unit_of(units, "c")))


@pytest.mark.parametrize("path, error", [
    ("/absolute", "for systemd cgroups, got"),
    ("a--b.slice:p:n", "invalid slice name: a--b.slice"), ("a/b.slice:p:n", "invalid slice name: a/b.slice"),
    ("noslice:p:n", "invalid slice name: noslice")])
def test_a_cgroup_path_that_names_no_unit(units, path, error):
    value = config("true")
    value["linux"]["cgroupsPath"] = path
    units.runtime.write(value)
    assert error in units("run", "--bundle", units.runtime.bundle, units.runtime.id("c"), check=1)


@pytest.mark.skipif(os.path.exists("/run/systemd/system"), reason="systemd runs here")
def test_without_systemd(ours):
    ours.write(config("true"))
    result = ours("--systemd-cgroup", "run", "--bundle", ours.bundle, ours.id("c"), check=1)
    assert "systemd not running on this host, cannot use systemd cgroups manager" in result.err
