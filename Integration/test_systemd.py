# SPDX-License-Identifier: Apache-2.0
"""Cgroups that systemd makes, with systemd itself as the machine's first process: `scripts/test-cgroup2 --systemd` runs this
in a small machine; elsewhere `fake_systemd.py` answers."""
import json
import pathlib
import subprocess

import pytest
from harness import fresh_stack, run
from runtime_driver import config, own_cgroup
from test_runtime import form, ours, rootfs, runtime, wait_until  # noqa: F401 (fixtures)

BUS = pathlib.Path("/run/dbus/system_bus_socket")
pytestmark = pytest.mark.skipif(
    pathlib.Path("/proc/1/comm").read_text() != "systemd\n" or not BUS.exists(), reason="systemd is not this machine's first process")
SLICE = pathlib.Path("/sys/fs/cgroup/swruntest.slice/swruntest-a.slice")


def systemctl(*arguments):
    return run("systemctl", *arguments).strip()


def shown(unit, *names):
    """Properties of a unit as systemd tells them."""
    return dict(line.split("=", 1) for line in systemctl("show", "-p", ",".join(names), unit).splitlines())


@pytest.fixture(scope="module", autouse=True)
def slices():
    """Slices stay when their last unit has gone."""
    yield
    systemctl("stop", "swruntest.slice")


@pytest.fixture
def by_systemd(runtime):
    """The runtime with --systemd-cgroup; afterwards no unit is left."""
    plain = type(runtime).__call__

    class ByUnits(type(runtime)):
        def __call__(self, *arguments, **options):
            return plain(self, "--systemd-cgroup", *arguments, **options)

    runtime.__class__ = ByUnits
    yield runtime
    runtime.clean()
    assert "swruntest-" + runtime.prefix not in systemctl("list-units", "--all", "--plain", "--no-legend", "--type=scope")


def unit_of(runtime, name="c"):
    return f"pre-{runtime.id(name)}.scope"


def started(runtime, *command, **linux):
    def change(value):
        value["linux"].update(linux, cgroupsPath=f"swruntest-a.slice:pre:{runtime.id('c')}")

    return runtime.start("c", *command, change=change)


LIMITS = {"pids": {"limit": 50}, "cpu": {"quota": 12500, "period": 50000, "shares": 512}, "memory": {"limit": 1 << 26, "reservation": 1 << 24}}


def test_a_container_is_a_scope(by_systemd):
    pid = started(by_systemd, resources=LIMITS)
    place = own_cgroup(pid, "")
    assert place == SLICE / unit_of(by_systemd)
    names = ["ActiveState", "Slice", "Delegate", "MemoryMax", "MemoryLow", "TasksMax", "CPUQuotaPerSecUSec", "CPUWeight"]
    assert shown(unit_of(by_systemd), *names) == {
        "ActiveState": "active", "Slice": "swruntest-a.slice", "Delegate": "yes", "MemoryMax": str(1 << 26), "MemoryLow": str(1 << 24),
        "TasksMax": "50", "CPUQuotaPerSecUSec": "250ms", "CPUWeight": "59" if by_systemd.is_ours else "20"}  # the curve of runc 1.4, and the line before
    systemctl("daemon-reload")
    assert [(place / name).read_text().strip() for name in ("pids.max", "memory.max", "cpu.max")] == ["50", str(1 << 26), "12500 50000"]
    by_systemd("delete", "--force", by_systemd.id("c"), check=0)
    assert not place.exists()


def test_changed_limits_survive_a_reload(by_systemd):
    pid = started(by_systemd, resources=LIMITS)
    by_systemd("update", "--pids-limit", "60", "--memory", str(1 << 27), by_systemd.id("c"), check=0)
    systemctl("daemon-reload")
    place = own_cgroup(pid, "")
    assert [(place / name).read_text().strip() for name in ("pids.max", "memory.max")] == ["60", str(1 << 27)]
    assert shown(unit_of(by_systemd), "TasksMax", "MemoryMax") == {"TasksMax": "60", "MemoryMax": str(1 << 27)}


def test_more_processes_and_pauses(by_systemd):
    pid = started(by_systemd)
    pid_file = by_systemd.directory / "exec"
    by_systemd("exec", "--detach", "--pid-file", pid_file, by_systemd.id("c"), "sleep", "1000", check=0)
    assert own_cgroup(int(pid_file.read_text()), "") == own_cgroup(pid, "")
    by_systemd("pause", by_systemd.id("c"), check=0)
    assert by_systemd.status("c") == "paused"
    by_systemd("resume", by_systemd.id("c"), check=0)
    assert by_systemd.status("c") == "running"


def test_who_stops_the_unit_stops_the_container(by_systemd):
    started(by_systemd, "sh", "-c", "trap 'exit 0' TERM; while true; do sleep 0.1; done")
    systemctl("stop", unit_of(by_systemd))
    wait_until(lambda: by_systemd.status("c") == "stopped")
    by_systemd("delete", by_systemd.id("c"), check=0)


def test_the_last_process_ends_and_the_unit_with_it(by_systemd):
    by_systemd.write({**config("true"), "linux": {**config("true")["linux"], "cgroupsPath": "swruntest-a.slice:pre:" + by_systemd.id("c")}})
    by_systemd("run", "--bundle", by_systemd.bundle, by_systemd.id("c"), check=0)
    wait_until(lambda: shown(unit_of(by_systemd), "ActiveState") == {"ActiveState": "inactive"})


def test_a_name_that_is_taken(by_systemd):
    if not by_systemd.is_ours:
        pytest.skip("Debian's runc goes on without a unit")
    by_systemd.write({**config("true"), "linux": {**config("true")["linux"], "cgroupsPath": "swruntest-a.slice:pre:" + by_systemd.id("c")}})
    start = ["run", "--bundle", by_systemd.bundle, by_systemd.id("c")]
    other = ["systemd-run", "--quiet", f"--unit={unit_of(by_systemd)}"]
    with subprocess.Popen([*other, "--scope", "sleep", "1000"]) as process:
        wait_until(lambda: shown(unit_of(by_systemd), "ActiveState") == {"ActiveState": "active"})
        assert f'unable to start unit "{unit_of(by_systemd)}"' in by_systemd(*start, check=1).err
        assert shown(unit_of(by_systemd), "ActiveState") == {"ActiveState": "active"}
        process.kill()


@pytest.fixture
def stack_by_systemd(images):
    """A stack that decides by itself who makes the cgroups."""
    with fresh_stack(images) as stack:
        stack.stop()
        stack.cgroup_flags = []
        stack.start()
        yield stack


def test_containers_are_scopes_by_default(stack_by_systemd):
    stack = stack_by_systemd
    assert stack.docker("info", "-f", "{{.CgroupDriver}} {{.CgroupVersion}}") == "systemd 2"
    id = stack.docker("run", "-d", "--network", "none", "--name", "box", "-m", "64m", "--cpus", "0.5", "--pids-limit", "40", "busybox", "sleep", "1000")
    unit = f"docker-{id}.scope"
    assert shown(unit, "ActiveState", "Slice", "MemoryMax", "TasksMax", "CPUQuotaPerSecUSec") == {
        "ActiveState": "active", "Slice": "system.slice", "MemoryMax": str(64 << 20), "TasksMax": "40", "CPUQuotaPerSecUSec": "500ms"}
    assert stack.docker("exec", "box", "cat", "/proc/self/cgroup") == "0::/"
    assert json.loads(stack.docker("stats", "--no-stream", "--format", "json", "box"))["PIDs"] == "1"
    stack.docker("pause", "box")
    stack.docker("unpause", "box")
    stack.docker("update", "--pids-limit", "50", "box")
    systemctl("daemon-reload")
    assert (pathlib.Path("/sys/fs/cgroup/system.slice") / unit / "pids.max").read_text() == "50\n"
    stack.kill_daemon()
    stack.start()
    assert stack.docker("restart", "-t", "0", "box") == "box" and shown(unit, "ActiveState") == {"ActiveState": "active"}
    stack.docker("run", "--rm", "--network", "none", "--cgroup-parent", "swruntest-b.slice", "busybox", "true")
    refused = stack.docker("run", "--rm", "--cgroup-parent", "/x", "busybox", "true", check=False)
    assert refused.code == 125 and 'should be a valid slice named as "xxx.slice"' in refused.err
    stack.docker("rm", "-f", "box")
    assert shown(unit, "ActiveState") == {"ActiveState": "inactive"}


def test_out_of_memory_in_a_scope(stack_by_systemd):
    grow = "awk 'BEGIN { s = \"x\"; while (1) s = s s }'; exec sleep 1000"
    stack_by_systemd.docker("run", "-d", "--network", "none", "--name", "box", "-m", "16m", "busybox", "sh", "-c", grow)
    wait_until(lambda: stack_by_systemd.inspect("box")["State"]["OOMKilled"])
    assert stack_by_systemd.inspect("box")["State"]["Running"]
