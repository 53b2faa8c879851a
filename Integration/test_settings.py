# SPDX-License-Identifier: Apache-2.0
"""Settings of HostConfig as a container sees them, and docker 26.1's words where they cannot be."""
import json
import os
import pathlib

import pytest
from harness import Stack


def shell(stack, script, *flags, check=True):
    return stack.docker("run", "--rm", *flags, "busybox", "sh", "-c", script, check=check)


@pytest.mark.parametrize("flags, text", [
    (["--gpus", "all"], 'could not select device driver "" with capabilities: [[gpu]]'),
    (["--device", "vendor.com/class=x"], "unresolvable CDI devices vendor.com/class=x"),
    (["--device-read-bps", "/dev/nope:1mb"], "stat /dev/nope: no such file or directory"),
    (["--isolation", "hyperv"], "Invalid isolation: \"hyperv\" - linux only supports 'default'"),
    (["--cpus", "999"], "Range of CPUs is from 0.01 to "),
    (["--cpu-shares", "-1"], "shares: invalid argument"),
    (["--cpuset-cpus", "a"], "Invalid value a for cpuset cpus: invalid format: a"),
    (["--cap-add", "NOPE"], 'invalid CapAdd: unknown capability: "CAP_NOPE"'),
    (["--cap-drop", "NOPE"], 'invalid CapDrop: unknown capability: "CAP_NOPE"'),
    (["--group-add", "nosuch"], "Unable to find group nosuch: no matching entries in group file"),
    (["--volumes-from", "nosuch"], "No such container: nosuch"),
    (["--network", "host", "--sysctl", "net.ipv4.ip_forward=1"],
     'sysctl "net.ipv4.ip_forward" not allowed in host network namespace'),
    (["--ip", "1.2.3.4"], "invalid config for network bridge: invalid endpoint settings:\n* user specified IP address is "
     "supported on user defined networks only\n* user specified IP address is supported only when connecting to networks "
     "with user configured subnets"),
    (["-v", "rel/path:/x"], 'create rel/path: "rel/path" includes invalid characters for a local volume name'),
    (["-v", "/tmp:/x:ro,rw"], "invalid mode: ro,rw"),
    (["-v", "/tmp:x"], "invalid volume specification: '/tmp:x': invalid mount config for type \"bind\": invalid mount path: "
     "'x' mount path must be absolute"),
    (["-v", "/tmp:/"], "invalid mount config for type \"bind\": invalid specification: destination can't be '/'"),
    (["-v", "/proc:/x:rshared"], "path /proc is mounted on /proc but it is not a shared mount"),
    (["--mount", "type=bind,src=/tmp,dst=/x,bind-propagation=bad"],
     'invalid mount config for type "bind": invalid propagation mode: bad'),
    (["--mount", "type=foo,src=x,dst=/x"], 'invalid mount config for type "foo": mount type unknown'),
    (["--mount", "type=volume,src=vol,dst=/x,volume-subpath=../x"],
     'invalid mount config for type "volume": subpath must be a relative path within the volume'),
    (["--tmpfs", "/x:bad"], 'invalid tmpfs option "bad"'),
    (["--tmpfs", "/"], "invalid specification: destination can't be '/'"),
])
def test_what_cannot_be_is_refused_in_dockers_words(stack, flags, text):
    result = stack.docker("run", "--rm", *flags, "busybox", "true", check=False)
    assert result.code in (125, 127) and text in result.err


@pytest.mark.parametrize("flags, text", [
    (["--oom-kill-disable"], "OOM killer is disabled for the container, but no memory limit is set"),
    (["--blkio-weight-device", "/dev/null:100"], "does not support Block I/O weight_device"),
])
def test_warnings(stack, flags, text):
    assert text in shell(stack, "true", *flags).err


@pytest.mark.parametrize("flags", [["--security-opt", "label=type:x_t"], ["--security-opt", "label:user:x"],
                                   ["--security-opt", "apparmor=docker-default"]])
def test_options_of_security_modules_that_are_not_active_change_nothing(stack, flags):
    if os.path.exists("/sys/fs/selinux/enforce") or os.path.exists("/sys/module/apparmor"):
        pytest.skip("a security module is active here")
    assert shell(stack, "echo ok", *flags) == "ok"


def test_limits_of_devices(stack):
    devices = sorted(pathlib.Path("/dev").glob("vd?")) + sorted(pathlib.Path("/dev").glob("sd?")) + sorted(
        pathlib.Path("/dev").glob("nvme?n1"))
    if not devices or not os.path.exists("/sys/fs/cgroup/blkio"):
        pytest.skip("no disk, or no blkio controller")
    number = os.stat(devices[0]).st_rdev
    name = f"{os.major(number)}:{os.minor(number)}"
    output = shell(stack, "cd /sys/fs/cgroup/blkio; cat blkio.throttle.read_bps_device blkio.throttle.write_iops_device",
                   "--device-read-bps", f"{devices[0]}:1mb", "--device-write-iops", f"{devices[0]}:100")
    assert output.split("\n") == [f"{name} 1048576", f"{name} 100"]


GPUS = """---
cdiVersion: "0.5.0"
kind: nvidia.com/gpu
devices:
""" + "".join(f"""- name: "{name}"
  containerEdits:
    env: [GPU_{name}={name}]
    deviceNodes:
    - path: /dev/gpu{name}   # stands for one
      hostPath: /dev/null
""" for name in ("0", "1", "all"))


def test_devices_that_a_cdi_file_describes(images, tmp_path):
    (tmp_path / "cdi").mkdir()
    (tmp_path / "given").write_text("given\n")
    (tmp_path / "cdi/vendor.json").write_text(json.dumps({
        "cdiVersion": "0.6.0", "kind": "vendor.com/thing", "containerEdits": {"env": ["ALL=1"]},
        "devices": [{"name": "one", "containerEdits": {
            "env": ["THING=one"], "deviceNodes": [{"path": "/dev/thing", "hostPath": "/dev/full", "permissions": "rw"}],
            "mounts": [{"hostPath": str(tmp_path / "given"), "containerPath": "/given", "options": ["bind", "ro"]}]}}]}))
    (tmp_path / "cdi/gpus.yaml").write_text(GPUS)
    stack = Stack(tmp_path / "stack", name="cdi", flags=["--cdi-spec-dir", tmp_path / "cdi"])
    stack.start()
    try:
        stack.docker("load", "-q", "-i", images / "archive" / "busybox.tar")
        output = stack.docker("run", "--rm", "--device", "vendor.com/thing=one", "busybox", "sh", "-c",
                              "echo $ALL $THING; cat /given; head -c1 /dev/thing | wc -c; ls -l /dev/thing")
        assert output.startswith("1 one\ngiven\n1\ncrw-rw-rw-")
        for request, devices in (("all", "all"), ("2", "0 1"), ("device=1", "1"), ("driver=cdi,device=nvidia.com/gpu=0", "0")):
            output = stack.docker("run", "--rm", "--gpus", request, "busybox", "sh", "-c", "echo $GPU_0 $GPU_1 $GPU_all")
            assert output == devices, request
        asked = stack.docker("run", "--rm", "--gpus", "device=7", "busybox", "true", check=False)
        assert "unresolvable CDI devices nvidia.com/gpu=7" in asked.err
    finally:
        stack.destroy()


def test_a_part_of_a_volume(stack, container_name):
    volume = "v" + os.urandom(3).hex()
    try:
        shell(stack, "mkdir -p /v/sub; echo text > /v/sub/file; ln -s /etc /v/link", "-v", f"{volume}:/v")
        mount = f"type=volume,src={volume},dst=/x,volume-subpath="
        assert shell(stack, "cat /x/file; touch /x/new", "--mount", mount + "sub") == "text"
        assert shell(stack, "cat /x; ls -a / | wc -l", "--mount", mount + "sub/file").startswith("text")
        assert shell(stack, "ls /v/sub", "-v", f"{volume}:/v").split() == ["file", "new"]
        missing = stack.docker("run", "--rm", "--mount", mount + "nope", "busybox", "true", check=False)
        assert "cannot access path" in missing.err and "no such file or directory" in missing.err
        assert stack.docker("run", "--rm", "--mount", mount + "link", "busybox", "true", check=False).code != 0
    finally:
        stack.docker("volume", "rm", "-f", volume)


@pytest.mark.parametrize("flag, kind", [("--pid", "pid"), ("--ipc", "ipc"), ("--network", "net")])
def test_namespaces_of_another_container_before_and_after_its_restart(stack, container_name, flag, kind):
    other = container_name + "o"
    link = f"readlink /proc/self/ns/{kind}"
    stack.docker("run", "-d", "--name", other, "--ipc", "shareable", "busybox", "sh", "-c", "trap exit TERM; while :; do sleep 0.1; done")
    try:
        for _ in range(2):
            theirs = stack.docker("exec", other, "sh", "-c", link)
            assert shell(stack, link, flag, f"container:{other}") == theirs
            stack.docker("restart", "-t", "2", other)
        stack.docker("stop", "-t", "2", other)
        refused = stack.docker("run", "--rm", flag, f"container:{other}", "busybox", "true", check=False)
        assert refused.code == 125 and "running" in refused.err
    finally:
        stack.docker("rm", "-f", other)


@pytest.mark.parametrize("flags, text", [
    (["--dns", "1.1.1.1"], "conflicting options: dns and the network mode"),
    (["--add-host", "a:1.2.3.4"], "conflicting options: custom host-to-IP mapping and the network mode"),
    (["--expose", "80"], "conflicting options: port exposing and the container type network mode"),
    (["--link", "a:b"], "conflicting options: container type network can't be used with links."),
])
def test_what_a_shared_network_rules_out(stack, container_name, flags, text):
    stack.docker("create", "--name", container_name, "busybox", "true")
    result = stack.docker("run", "--rm", "--network", f"container:{container_name}", *flags, "busybox", "true", check=False)
    assert result.code == 125 and text in result.err


def test_a_container_without_a_network_has_ipv6_on_its_loopback(stack):
    files = " ".join(f"/proc/sys/net/ipv6/conf/{scope}/disable_ipv6" for scope in ("all", "default", "lo"))
    assert shell(stack, f"cat {files}; ip -6 -o addr | grep -c ::1/128; ip -o link | wc -l", "--network", "none").split() == [
        "0", "0", "0", "1", "1"]
