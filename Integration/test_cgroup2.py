# SPDX-License-Identifier: Apache-2.0
"""What the runtime does with version 2 of cgroups alone. Machines with both versions skip this: scripts/test-cgroup2 runs
it in a small machine. Where Debian's runc is old enough to differ, only swrunc is asked."""
import json
import os
import pathlib
import subprocess

import pytest
from runtime_driver import config, is_version_2, own_cgroup
from test_runtime import form, ours, rootfs, runtime, wait_until  # noqa: F401 (fixtures)

pytestmark = pytest.mark.skipif(not is_version_2(), reason="version 1 of cgroups is mounted")
TOP = pathlib.Path("/sys/fs/cgroup")


def has(controller):
    return controller in (TOP / "cgroup.controllers").read_text().split()


def started(runtime, *command, namespace=False, writable=False, **resources):
    """A container with these resources; its pid and its cgroup's directory."""
    def change(value):
        value["linux"]["resources"].update(resources)
        if namespace:
            value["linux"]["namespaces"].append({"type": "cgroup"})
        for mount in value["mounts"]:
            if mount["type"] == "cgroup" and writable:
                mount["options"].remove("ro")

    pid = runtime.start("c", *command, change=change)
    return pid, own_cgroup(pid, "")


def read(cgroup, *files):
    return [(cgroup / file).read_text().strip() for file in files]


@pytest.mark.parametrize("resources, file, expected", [
    ({"memory": {"limit": 33554432}}, "memory.max", "33554432"),
    ({"memory": {"limit": -1}}, "memory.max", "max"),
    ({"memory": {"reservation": 16777216}}, "memory.low", "16777216"),
    ({"memory": {"limit": 33554432, "swap": 50331648}}, "memory.swap.max", "16777216"),
    ({"memory": {"limit": 33554432, "swap": 33554432}}, "memory.swap.max", "0"),
    ({"memory": {"limit": 33554432, "swap": -1}}, "memory.swap.max", "max"),
    ({"pids": {"limit": 20}}, "pids.max", "20"),
    ({"pids": {"limit": -1}}, "pids.max", "max"),
    ({"cpu": {"quota": 5000, "period": 50000}}, "cpu.max", "5000 50000"),
    ({"cpu": {"quota": 5000}}, "cpu.max", "5000 100000"),
    ({"cpu": {"period": 50000}}, "cpu.max", "max 50000"),
    ({"cpu": {"quota": -1, "period": 50000}}, "cpu.max", "max 50000"),
    ({"unified": {"memory.high": "5242880"}}, "memory.high", "5242880"),
    ({"unified": {"pids.max": "99"}, "pids": {"limit": 20}}, "pids.max", "99"),
    ({"unified": {"cpu.weight": "42"}, "cpu": {"shares": 3333}}, "cpu.weight", "42"),
])
def test_limits(runtime, resources, file, expected):
    _, cgroup = started(runtime, **resources)
    if not (cgroup / file).exists():
        pytest.skip(f"this kernel has no {file}")
    assert read(cgroup, file) == [expected]


@pytest.mark.parametrize("shares, weight", [(2, "1"), (100, "17"), (512, "59"), (1024, "100"), (262144, "10000")])
def test_shares_become_a_weight(ours, shares, weight):
    """By the curve that runc has had since 1.4; 1.1 had a line."""
    _, cgroup = started(ours, cpu={"shares": shares})
    assert read(cgroup, "cpu.weight") == [weight]


@pytest.mark.parametrize("resources, text", [
    ({"unified": {"nosuch.file": "1"}}, "nosuch.file"),
    ({"unified": {"../cgroup.procs": "1"}}, ""),
    ({"unified": {"memory.max": "words"}}, "memory.max"),
])
def test_what_the_kernel_does_not_take_is_an_error(runtime, resources, text):
    runtime.write({**config("true"), "linux": {**config("true")["linux"], "resources": resources}})
    assert text in runtime("run", "--bundle", runtime.bundle, runtime.id("c"), check=1).err
    assert not list(TOP.glob(f"**/{runtime.id('c')}"))


def test_a_version_1_setting_without_a_counterpart(ours):
    """Refused, and not dropped: the config asks for something that would not be."""
    ours.write({**config("true"), "linux": {**config("true")["linux"], "resources": {"network": {"classID": 5}}}})
    assert "network.classID" in ours("run", "--bundle", ours.bundle, ours.id("c"), check=1).err


@pytest.mark.parametrize("flags, expected", [
    (["--memory", "64M"], {"memory.max": str(64 << 20)}),
    (["--memory", "-1"], {"memory.max": "max"}),
    (["--memory-reservation", "8M"], {"memory.low": str(8 << 20)}),
    (["--pids-limit", "10"], {"pids.max": "10"}),
    (["--pids-limit", "-1"], {"pids.max": "max"}),
    (["--cpu-quota", "600000"], {"cpu.max": "600000 1000000"}),
    (["--cpu-period", "900000"], {"cpu.max": "500000 900000"}),
    (["--cpu-quota", "-1"], {"cpu.max": "max 1000000"}),
    (["--cpu-quota", "-1", "--cpu-period", "100000"], {"cpu.max": "max 100000"}),
])
def test_update(runtime, flags, expected):
    """What is not named stays, also the other half of a pair."""
    before = {"memory.max": str(32 << 20), "memory.low": str(24 << 20), "pids.max": "20", "cpu.max": "500000 1000000"}
    _, cgroup = started(runtime, memory={"limit": 32 << 20, "reservation": 24 << 20}, pids={"limit": 20},
                        cpu={"quota": 500000, "period": 1000000})
    runtime("update", runtime.id("c"), *flags, check=0)
    after = {**before, **expected}
    assert dict(zip(after, read(cgroup, *after))) == after


def test_update_from_stdin(runtime):
    _, cgroup = started(runtime, pids={"limit": 20})
    source = runtime.directory / "resources"
    source.write_text(json.dumps({"unified": {"pids.max": "7", "memory.high": "10485760"}}))
    with open(source) as stdin:
        runtime("update", "--resources", "-", runtime.id("c"), stdin=stdin, check=0)
    assert read(cgroup, "pids.max", "memory.high") == ["7", "10485760"]


def test_update_below_what_is_in_use(ours):
    pid, cgroup = started(ours, "sh", "-c", "head -c 8000000 /dev/zero > /dev/shm/x; sleep 1000", memory={"limit": 64 << 20})
    wait_until(lambda: int(read(cgroup, "memory.current")[0]) > 800000)
    (ours.directory / "resources").write_text(json.dumps({"memory": {"limit": 65536, "checkBeforeUpdate": True}}))
    result = ours("update", "--resources", ours.directory / "resources", ours.id("c"), check=1)
    assert "in use" in result.err and read(cgroup, "memory.max") == [str(64 << 20)]
    assert pathlib.Path(f"/proc/{pid}").exists()


def test_an_update_keeps_the_device_rules(runtime):
    pid, _ = started(runtime)
    script = "mknod /tmp/d b 7 0; head -c 1 /tmp/d; mknod /tmp/n c 1 3; head -c 1 /tmp/n"
    flags = ["--cap", "CAP_MKNOD", "--cap", "CAP_DAC_OVERRIDE"]
    for arguments in ([], ["--pids-limit", "30"]):
        if arguments:
            runtime("update", *arguments, runtime.id("c"), check=0)
        result = runtime("exec", *flags, runtime.id("c"), "sh", "-c", script + "; rm -f /tmp/[dn]")
        assert "/tmp/d: Operation not permitted" in result.err and "/tmp/n:" not in result.err, result.err


def test_pause_is_the_freezer(runtime):
    _, cgroup = started(runtime)
    runtime("pause", runtime.id("c"), check=0)
    assert read(cgroup, "cgroup.freeze") == ["1"] and "frozen 1" in (cgroup / "cgroup.events").read_text()
    runtime("kill", runtime.id("c"), "KILL", check=0)  # reaches a frozen process
    wait_until(lambda: runtime.status("c") == "stopped")


@pytest.mark.parametrize("namespace", [True, False])
def test_what_a_container_sees(runtime, namespace):
    pid, cgroup = started(runtime, namespace=namespace)
    seen = runtime("exec", runtime.id("c"), "sh", "-c", "cat /proc/1/cgroup; touch /sys/fs/cgroup/x", check=None)
    own = "/" if namespace else "/" + str(cgroup.relative_to(TOP))
    assert seen.out == f"0::{own}\n" and "Read-only file system" in seen.err


def test_a_container_manages_its_cgroups(runtime):
    """An exec joins the container's own cgroup as long as that is possible, then that of its first process."""
    _, cgroup = started(runtime, namespace=True, writable=True)

    def shell(script, check=0):
        return runtime("exec", runtime.id("c"), "sh", "-euc", script, check=check).out

    shell("mkdir /sys/fs/cgroup/inner; echo 1 > /sys/fs/cgroup/inner/cgroup.procs")
    assert shell("cat /proc/self/cgroup") == "0::/\n"
    shell("echo $$ > /sys/fs/cgroup/inner/cgroup.procs; echo +memory > /sys/fs/cgroup/cgroup.subtree_control")
    assert shell("cat /proc/self/cgroup") == "0::/inner\n"
    runtime("delete", "--force", runtime.id("c"), check=0)
    assert not cgroup.exists()


def test_the_root_of_a_user_namespace_owns_its_cgroup(ours):
    def change(value):
        value["linux"]["namespaces"] += [{"type": "cgroup"}, {"type": "user"}]
        maps = [{"containerID": 0, "hostID": 100000, "size": 65536}]
        value["linux"].update(uidMappings=maps, gidMappings=maps)
        next(m for m in value["mounts"] if m["type"] == "cgroup")["options"].remove("ro")

    subprocess.run(["chown", "-hR", "100000:100000", ours.bundle / "rootfs"], check=True)
    for parent in [ours.bundle, *ours.bundle.parents][:4]:
        parent.chmod(0o755)
    cgroup = own_cgroup(ours.start("c", change=change), "")
    assert os.stat(cgroup).st_uid == os.stat(cgroup / "cgroup.procs").st_uid == 100000
    assert os.stat(cgroup / "memory.max").st_uid == 0
    ours("exec", ours.id("c"), "mkdir", "/sys/fs/cgroup/mine", check=0)


def test_an_exec_starts_in_the_cgroup(runtime):
    _, cgroup = started(runtime)
    pid_file = runtime.directory / "exec.pid"
    runtime("exec", "--detach", "--pid-file", pid_file, runtime.id("c"), "sleep", "1000", check=0)
    assert pid_file.read_text() in read(cgroup, "cgroup.procs")[0].split()


def test_a_cgroup_of_somebody_else_is_not_taken(ours):
    taken = TOP / ours.id("c")
    taken.mkdir()
    sleeper = subprocess.Popen(["sleep", "100"])
    try:
        (taken / "cgroup.procs").write_text(str(sleeper.pid))
        ours.write(config("true"))
        ours("run", "--bundle", ours.bundle, ours.id("c"), check=1)
        assert sleeper.poll() is None and taken.exists()
    finally:
        sleeper.kill()
        sleeper.wait()
        wait_until(lambda: read(taken, "cgroup.procs") == [""])
        taken.rmdir()


def test_statistics(runtime):
    started(runtime, "sh", "-c", "while :; do :; done", memory={"limit": 64 << 20}, pids={"limit": 20})
    data = json.loads(runtime("events", "--stats", runtime.id("c"), check=0).out)["data"]
    assert data["memory"]["usage"]["limit"] == 64 << 20 and data["memory"]["usage"]["usage"] > 0
    assert data["pids"] == {"current": 1, "limit": 20} and data["cpu"]["usage"]["total"] > 0
    assert {"memory", "pids", "cpu"} <= set(form(data))
