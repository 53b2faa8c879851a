# SPDX-License-Identifier: Apache-2.0
"""Settings of the daemon that containers, transfers and clients see."""
import json
import os
import pathlib
import signal
import subprocess

import pytest

from campaign import processes
from fake_systemd import FakeSystemd
from harness import BIN, Stack, remove_empty_cgroups, run, wait_until


def validate(tmp_path, *flags, config=None):
    """What `swrund --validate` says of flags and a configuration file."""
    path = tmp_path / "daemon.json"
    path.write_text(json.dumps(config or {}))
    return subprocess.run([BIN / "swrund", "--config-file", path, "--validate", *flags], capture_output=True, text=True).stderr


@pytest.mark.parametrize("flag, text", [
    ("--max-concurrent-downloads=-1", "invalid max concurrent downloads: -1"),
    ("--max-concurrent-uploads=-1", "invalid max concurrent uploads: -1"),
    ("--max-download-attempts=-1", "invalid max download attempts: -1"),
    ("--default-ipc-mode=host", 'IPC mode "host" is not supported as default value; use "shareable" or "private"'),
    ("--default-cgroupns-mode=x", 'default cgroup namespace mode (x) is invalid; use "host" or "private"'),
    ("--default-shm-size=x", "invalid size: 'x'"),
    ("--label=x", "bad attribute format: x"),
    ("--registry-mirror=ftp://x", 'invalid mirror: unsupported scheme "ftp" in "ftp://x"'),
    ("--storage-driver=btrfs", "error initializing graphdriver: driver not supported: btrfs"),
    ("--exec-opt=native.cgroupdriver=x", "native.cgroupdriver option x not supported"),
    ("--rootless", "rootless mode is not supported"),
    ("--default-network-opt=x", 'invalid argument "x" for "--default-network-opt" flag: expected driver=key=value'),
    ("--host-gateway-ip=x", 'failed to parse IP: "x"'),
    ("--default-ulimit=foo=1:2", "invalid ulimit type: foo"),
    ("--log-opt=max-sizes=1", "failed to set log opts: unknown log opt 'max-sizes' for json-file log driver"),
    ("--log-driver=nope", "failed to set log opts: error looking up logging plugin nope"),
])
def test_settings_that_make_no_sense(tmp_path, flag, text):
    assert text in validate(tmp_path, flag)


def test_a_file_that_was_written_for_dockerd(tmp_path):
    config = {"storage-driver": "overlay2", "exec-opts": ["native.cgroupdriver=cgroupfs"], "experimental": True,
              "features": {"buildkit": True}, "max-download-attempts": 3, "userland-proxy": False, "raw-logs": False,
              "allow-nondistributable-artifacts": ["x"], "network-control-plane-mtu": 1500, "selinux-enabled": False,
              "userns-remap": "", "metrics-addr": "", "builder": {"gc": {"enabled": True}}, "log-opts": {"max-size": "1m"},
              "proxies": {"http-proxy": "http://p:1"}, "default-ulimits": {"nofile": {"Name": "nofile", "Soft": 1, "Hard": 2}}}
    assert "configuration OK" in validate(tmp_path, config=config)
    assert "configuration OK" in validate(tmp_path, config={"max-concurrent-uploads": None, "labels": None})
    assert "don't match any configuration option: ftp-proxy" in validate(tmp_path, config={"proxies": {"ftp-proxy": "x"}})


def test_a_reload_changes_what_it_can(own_stack, tmp_path):
    file = tmp_path / "daemon.json"
    file.write_text("{}")
    own_stack.stop()
    own_stack.flags += ["--config-file", file]
    own_stack.start()
    watcher = subprocess.Popen(["docker", "events", "--filter", "type=daemon", "--format", "{{json .Actor.Attributes}}"],
                               env={**os.environ, **own_stack.environment()}, stdout=subprocess.PIPE, text=True)
    wait_until(lambda: json.loads(own_stack.curl("/info"))["NEventsListener"], 10, "the listener")
    file.write_text(json.dumps({"max-concurrent-downloads": 7, "max-concurrent-uploads": 2, "max-download-attempts": 3,
                                "default-shm-size": "32m", "default-ipc-mode": "shareable", "shutdown-timeout": 4,
                                "features": {"x": True}}))
    own_stack.process.send_signal(signal.SIGHUP)
    told = json.loads(watcher.stdout.readline())
    watcher.kill()
    watcher.wait()
    wanted = {"max-concurrent-downloads": "7", "max-concurrent-uploads": "2", "max-download-attempts": "3",
              "default-shm-size": "33554432", "default-ipc-mode": "shareable", "shutdown-timeout": "4",
              "live-restore": "true", "features": "map[x:true]"}
    assert {key: told[key] for key in wanted} == wanted
    own_stack.docker("create", "--name", "made", "busybox", "true")
    host = own_stack.inspect("made")["HostConfig"]
    assert (host["ShmSize"], host["IpcMode"]) == (32 << 20, "shareable")


def test_without_live_restore_containers_end_with_the_daemon(own_stack):
    own_stack.stop()
    own_stack.flags += ["--live-restore=false"]
    own_stack.start()
    assert json.loads(own_stack.curl("/info"))["LiveRestoreEnabled"] is False
    polite = ["sh", "-c", "trap 'echo bye; exit 7' TERM; while :; do sleep 0.1; done"]
    own_stack.docker("run", "-d", "--name", "polite", "busybox", *polite)
    own_stack.docker("run", "-d", "--name", "deaf", "--stop-timeout", "1", "busybox", "sleep", "1000")
    own_stack.docker("run", "-d", "--name", "again", "--restart", "always", "--stop-timeout", "0", "busybox", "sleep", "1000")
    own_stack.docker("run", "-d", "--name", "unless", "--restart", "unless-stopped", "busybox", *polite)
    own_stack.stop()
    wait_until(lambda: not processes(str(BIN / "swrun-shim"), str(own_stack.directory)), 10, "the end of all shims")
    own_stack.start()
    assert own_stack.docker("logs", "polite") == "bye"
    state = {name: own_stack.inspect(name)["State"] for name in ("polite", "deaf")}
    assert (state["polite"]["Status"], state["polite"]["ExitCode"]) == ("exited", 7)
    assert (state["deaf"]["Status"], state["deaf"]["ExitCode"]) == ("exited", 137)
    for name in ("again", "unless"):
        wait_until(lambda: own_stack.inspect(name)["State"]["Running"], 10, f"the start of {name}")


def test_what_is_meant_to_run_does_when_the_daemon_answers(own_stack):
    own_stack.stop()
    own_stack.flags.append("--live-restore=false")
    own_stack.start()
    for name in ("one", "two", "three"):
        own_stack.docker("run", "-d", "--restart", "always", "--name", name, "busybox", "sleep", "600")
    links = [word for name in ("one", "two", "three") for word in ("--link", name)]
    own_stack.docker("run", "-d", "--restart", "always", "--name", "all", *links, "busybox", "sleep", "600")
    own_stack.stop()
    own_stack.start()
    assert own_stack.docker("inspect", "-f", "{{.State.Running}}", "all", "one", "two", "three").split() == ["true"] * 4
    for name in ("one", "two", "three"):
        assert name in own_stack.docker("exec", "all", "cat", "/etc/hosts")


def test_limits_and_runtimes_of_the_daemon_that_starts_a_container(own_stack):
    own_stack.stop()
    usual = own_stack.flags
    own_stack.flags = [*usual, "--default-ulimit", "nofile=42:42", "--add-runtime", f"other={BIN / 'swrunc'}",
                       "--add-runtime", "missing=/nowhere/runtime"]
    own_stack.start()
    try:
        limits = ("sh", "-c", "ulimit -n; ulimit -Hc")
        assert own_stack.docker("run", "--name", "limits", "--ulimit", "core=0", "busybox", *limits).split() == ["42", "0"]
        assert own_stack.docker("inspect", "-f", "{{.HostConfig.Ulimits}}", "limits") == "[core=0:0 nofile=42:42]"
        own_stack.docker("run", "--runtime", "other", "--name", "with-other", "busybox", "true")
        refused = own_stack.docker("run", "--rm", "--runtime", "missing", "busybox", "true", check=False)
        assert "/nowhere/runtime: no such file or directory" in refused.err
        own_stack.stop()
        own_stack.flags = [*usual, "--default-ulimit", "nofile=41:41"]
        own_stack.start()
        assert own_stack.docker("start", "-a", "limits").split() == ["41", "0"]
        refused = own_stack.docker("start", "with-other", check=False)
        assert refused.code == 1 and "unknown or invalid runtime name: other" in refused.err
    finally:
        own_stack.flags = usual


def test_an_init_of_the_administrators_and_proxies(images, tmp_path):
    program = tmp_path / "init"
    program.write_text('#!/bin/sh\necho "init: $*"\n')
    program.chmod(0o755)
    stack = Stack(tmp_path / "stack", "set", ["--init", "--init-path", program, "--http-proxy", "http://me:secret@proxy:3128",
                                              "--no-proxy", "localhost", "--host-gateway-ip", "192.0.2.7"])
    stack.start()
    try:
        stack.docker("load", "-i", images / "archive" / "busybox.tar")
        assert stack.docker("run", "--rm", "busybox", "echo", "hi") == "init: -- echo hi"
        stack.docker("create", "--name", "hosts", "--init=false", "--add-host", "up:host-gateway", "busybox", "grep", "up$", "/etc/hosts")
        assert stack.docker("start", "-a", "hosts").split() == ["192.0.2.7", "up"]
        info = json.loads(stack.curl("/info"))
        assert (info["HttpProxy"], info["NoProxy"]) == ("http://xxxxx:xxxxx@proxy:3128", "localhost")
        supervisor = open(f"/proc/{stack.supervisor_pid()}/environ").read().split("\0")
        assert "HTTP_PROXY=http://me:secret@proxy:3128" in supervisor
    finally:
        stack.destroy()


def test_capabilities_that_the_host_lacks(stack, cli):
    bounding = int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("CapBnd")), 16)
    if bounding >> 24 & 1:
        pytest.skip("this host has CAP_SYS_RESOURCE")
    for flag, field in (("--cap-add", "CapAdd"), ("--cap-drop", "CapDrop")):
        result = cli("run", "--rm", flag, "SYS_RESOURCE", "busybox", "true", check=False)
        assert result.code == 125
        assert (f"invalid {field}: capability not supported by your kernel or not available in the current environment: "
                '"CAP_SYS_RESOURCE"') in result.err


def test_prune_leaves_one_name_of_an_image_in_use(own_stack):
    for name in ("a:1", "a:2", "b:1"):
        own_stack.docker("tag", "busybox", name)
    own_stack.docker("create", "--name", "made", "a:2", "true")
    pruned = own_stack.docker("image", "prune", "-af")
    assert [line for line in pruned.splitlines() if line.startswith("untagged")] == [
        "untagged: a:1", "untagged: a:2", "untagged: b:1"]
    assert own_stack.docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", "--filter", "reference=busybox") == "busybox:latest"


def test_what_docker_takes_at_creation(stack, cli, container_name):
    """Settings that make no sense, but that only a start could tell, or nobody."""
    def create(**body):
        body = json.dumps({"Image": "busybox", "Cmd": ["sleep", "1000"], **body})
        return json.loads(stack.curl("/containers/create", "-H", "Content-Type: application/json", "-d", body))

    made = create(StopSignal="99", HostConfig={"UsernsMode": "x"})["Id"]
    stack.docker("start", made)
    shown = stack.inspect(made)
    assert (shown["Config"]["StopSignal"], shown["HostConfig"]["UsernsMode"]) == ("99", "x")
    assert shown["HostConfig"]["OomKillDisable"] is (None if stack.docker("info", "-f", "{{.CgroupVersion}}") == "2" else False)
    shares = create(HostConfig={"CpuShares": -1})["Id"]
    refused = cli("start", shares, check=False)
    assert refused.code == 1 and "shares: invalid argument" in refused.err
    assert create(StopSignal="nonsense")["message"] == "invalid signal: nonsense"
    assert create(StopSignal="0")["message"] == "invalid signal: 0"
    stack.docker("rm", "-f", made, shares)


@pytest.mark.parametrize("source", ["file", "directory"])
def test_a_file_on_a_directory_and_the_other_way_round(stack, cli, tmp_path, source):
    path = tmp_path / source
    path.mkdir() if source == "directory" else path.write_text("")
    target = "/etc/passwd" if source == "directory" else "/etc"
    refused = cli("run", "--rm", "-v", f"{path}:{target}", "busybox", "true", check=False)
    assert refused.code == 125
    assert f'error mounting "{path}" to rootfs at "{target}": ' in refused.err
    assert ("not a directory: unknown: Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host "
            "path exists and is the expected type") in refused.err


def test_a_restart_right_after_the_start_of_an_init(stack, container_name):
    """The init hears of it even if it has only just begun: the long time to wait would end the test."""
    stack.docker("create", "--init", "--name", container_name, "busybox", "sleep", "1000")
    for operation in ("start", "restart?t=100", "restart?t=100", "stop?t=100", "start", "stop?t=100"):
        assert stack.curl(f"/containers/{container_name}/{operation}", "-X", "POST", "-w", "%{http_code}") == "204"


def test_a_body_that_is_announced_to_be_too_long(stack):
    answer = stack.curl("/containers/create", "-H", "Content-Type: application/json", "-H", "Content-Length: 999999999", "-d", "{}")
    assert json.loads(answer)["message"] == "http: request body too large"


def test_figures_for_prometheus(own_stack):
    own_stack.stop()
    for address, text in (("foo", "address foo: missing port in address"), (":9", "failed to lookup  address in host specification"),
                          ("127.0.0.1:99999", "invalid port")):
        ended = subprocess.run([*map(str, own_stack.process.args), "--metrics-addr", address], capture_output=True, text=True)
        assert ended.returncode == 1 and "failed to start metrics server: " in ended.stderr and text in ended.stderr
    own_stack.flags += ["--metrics-addr", "127.0.0.1:9323"]
    own_stack.start()
    own_stack.docker("run", "-d", "--name", "runs", "--health-cmd", "false", "--health-interval", "100ms", "busybox", "sleep", "1000")
    own_stack.docker("run", "--name", "ran", "busybox", "true")
    own_stack.docker("diff", "ran")

    def figures():
        lines = run("curl", "-s", "http://127.0.0.1:9323/metrics").splitlines()
        return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))

    wait_until(lambda: float(figures()["engine_daemon_health_checks_failed_total"]) >= 1, 20, "a failed health check")
    found = figures()
    assert found['engine_daemon_container_states_containers{state="running"}'] == "1"
    assert found['engine_daemon_container_states_containers{state="stopped"}'] == "1"
    assert [found[f'engine_daemon_container_actions_seconds_count{{action="{action}"}}']
            for action in ("changes", "commit", "create", "delete", "start")] == ["1", "0", "2", "0", "2"]
    assert found['engine_daemon_container_actions_seconds_bucket{action="start",le="+Inf"}'] == "2"
    assert int(found["engine_daemon_engine_cpus_cpus"]) == os.cpu_count() and int(found["engine_daemon_events_total"]) > 4
    assert any(name.startswith("engine_daemon_engine_info{") and 'graphdriver="overlay2"' in name for name in found)
    assert run("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "http://127.0.0.1:9323/") == "404"


@pytest.fixture
def systemd(tmp_path):
    """A directory that says that systemd runs, and somebody who answers for it on the bus."""
    places = [pathlib.Path("/run/systemd"), pathlib.Path("/run/dbus")]
    if (places[0] / "system").exists():
        pytest.skip("systemd runs here")
    made = [place for place in places if not place.exists()]
    for place in places:
        place.mkdir(exist_ok=True)
        run("mount", "-t", "tmpfs", "tmpfs", place)
    (places[0] / "system").mkdir()
    bus = FakeSystemd(places[1] / "system_bus_socket", tmp_path)
    yield bus
    bus.close()
    for place in places:
        run("umount", place)
    for place in made:
        place.rmdir()
    for slice in pathlib.Path("/sys/fs/cgroup").rglob("swrunset*.slice"):
        remove_empty_cgroups(slice)


def test_cgroups_that_systemd_makes(images, tmp_path, systemd):
    assert 'cgroup-parent for systemd cgroup should be a valid slice named as "xxx.slice"' in validate(
        tmp_path, "--exec-opt=native.cgroupdriver=systemd", "--cgroup-parent=/x")
    stack = Stack(tmp_path / "stack", "sys", ["--exec-opt", "native.cgroupdriver=systemd", "--cgroup-parent", "swrunset-a.slice"])
    stack.start()
    try:
        stack.docker("load", "-q", "-i", images / "archive" / "busybox.tar")
        assert stack.docker("info", "-f", "{{.CgroupDriver}}") == "systemd"
        id = stack.docker("run", "-d", "-m", "64m", "busybox", "sleep", "1000")
        unit = systemd.units[f"docker-{id}.scope"]
        assert (unit["Slice"], unit["Description"]) == ("swrunset-a.slice", f"libcontainer container {id}")
        pid = stack.inspect(id)["State"]["Pid"]
        assert f"/swrunset.slice/swrunset-a.slice/docker-{id}.scope" in pathlib.Path(f"/proc/{pid}/cgroup").read_text()
        refused = stack.docker("run", "--rm", "--cgroup-parent", "/x", "busybox", "true", check=False)
        assert refused.code == 125 and "should be a valid slice named" in refused.err
    finally:
        stack.destroy()


def test_systemds_cgroups_need_systemd(tmp_path):
    if pathlib.Path("/run/systemd/system").exists():
        pytest.skip("systemd runs here")
    assert "native.cgroupdriver=systemd: systemd does not run here" in validate(tmp_path, "--exec-opt=native.cgroupdriver=systemd")
