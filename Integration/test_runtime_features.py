# SPDX-License-Identifier: Apache-2.0
"""What the runtime spec has grown since 1.0, and the corners of runc's command line, on plain OCI bundles."""
import json
import os
import pathlib
import shutil
import socket
import subprocess
import threading

import pytest
from runtime_driver import config, is_version_2, own_cgroup
from test_runtime import ours, rootfs, runtime, wait_until  # noqa: F401 (fixtures)


def namespaces(value, *kinds, paths=None):
    """Adds namespaces to a config, or gives those that it has a path."""
    listed = {entry["type"]: entry for entry in value["linux"]["namespaces"]}
    for kind in kinds:
        listed.setdefault(kind, {"type": kind})
    for kind, path in (paths or {}).items():
        listed[kind] = {"type": kind, "path": path}
    value["linux"]["namespaces"] = list(listed.values())


def own_users(value):
    namespaces(value, "user")
    value["linux"]["uidMappings"] = [{"containerID": 0, "hostID": 100000, "size": 65536}]
    value["linux"]["gidMappings"] = [{"containerID": 0, "hostID": 200000, "size": 65536}]


def shift_owners(runtime):
    subprocess.run(["chown", "-hR", "100000:200000", runtime.bundle / "rootfs"], check=True)
    for parent in [runtime.bundle, *runtime.bundle.parents][:4]:
        parent.chmod(0o755)


def kernel():
    return tuple(int(part) for part in os.uname().release.split(".")[:2])


OFFSETS = {"monotonic": {"secs": 7881, "nanosecs": 2718281}, "boottime": {"secs": 1337, "nanosecs": 3141519}}


# Namespaces


has_time_namespaces = pytest.mark.skipif(not os.path.exists("/proc/self/ns/time"), reason="no time namespaces in this kernel")


@has_time_namespaces
@pytest.mark.parametrize("users", [False, True])
def test_time_namespace(ours, users):
    def change(value):
        namespaces(value, "time")
        value["linux"]["timeOffsets"] = OFFSETS
        if users:
            own_users(value)

    if users:
        shift_owners(ours)
    expected = [["monotonic", "7881", "2718281"], ["boottime", "1337", "3141519"]]
    ours.start("c", change=change)
    found = ours("exec", ours.id("c"), "cat", "/proc/self/timens_offsets", check=0).out
    assert [line.split() for line in found.splitlines()] == expected


@has_time_namespaces
def test_every_namespace_of_another_container(ours):
    """The process that is recorded must be the container's, although it is made from within foreign namespaces."""
    def first(value):
        own_users(value)
        namespaces(value, "time")
        value["linux"]["timeOffsets"] = OFFSETS

    shift_owners(ours)
    pid = ours.start("a", change=first)
    files = {"network": "net"}
    paths = {kind: f"/proc/{pid}/ns/{files.get(kind, kind)}" for kind in ("pid", "network", "ipc", "uts", "user", "time")}

    def second(value):
        namespaces(value, paths=paths)
        del value["hostname"]

    other = ours.start("b", change=second)
    for kind in ("pid", "net", "user", "time"):
        assert os.readlink(f"/proc/{other}/ns/{kind}") == os.readlink(f"/proc/{pid}/ns/{kind}")
    assert ours("exec", ours.id("b"), "cat", "/proc/self/uid_map", check=0).out.split() == ["0", "100000", "65536"]
    ours("delete", "--force", ours.id("b"), check=0)
    assert ours.status("a") == "running"


def test_user_namespace_without_root(ours):
    def change(value):
        own_users(value)
        value["linux"]["uidMappings"] = [{"containerID": 1000, "hostID": 100000, "size": 1}]
        value["linux"]["gidMappings"] = [{"containerID": 1000, "hostID": 200000, "size": 1}]
        value["process"]["user"] = {"uid": 1000, "gid": 1000}

    shift_owners(ours)
    assert ours.run("id", "-u", change=change) == "1000\n"
    ours.start("c", change=change)
    assert ours("exec", ours.id("c"), "sh", "-c", "id -u; id -g", check=0).out == "1000\n1000\n"


def test_host_mount_namespace(ours):
    def change(value):
        value["linux"]["namespaces"] = [n for n in value["linux"]["namespaces"] if n["type"] != "mount"]
        value["linux"]["maskedPaths"] = value["linux"]["readonlyPaths"] = []

    ours.write(config("true"))
    value = config("echo", "inside")
    change(value)
    ours.write(value)
    result = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", ours.program, "--root", ours.root, "run", "--bundle", ours.bundle,
         ours.id("c")], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert (result.returncode, result.stdout) == (0, "inside\n"), result.stderr


def test_no_pivot_shows_no_proc_of_the_host(ours):
    def change(value):
        for name in ("bounding", "permitted", "effective"):
            value["process"]["capabilities"][name] = ["CAP_SETFCAP", "CAP_SETUID", "CAP_SETGID"]

    script = "unshare -mrpf mount -t proc none /proc"
    ours.run("sh", "-c", script, change=change, check=1, flags=["--no-pivot"])
    ours.run("sh", "-c", "ls /proc/self /bin/busybox", flags=["--no-pivot"])


def test_network_devices(ours):
    """An interface moves with its addresses and comes up under its new name; from a test's own network namespace."""
    value = config("sh", "-c", "ip -o address show dev inside; ip -o link show inside")
    value["linux"]["netDevices"] = {"swrt0": {"name": "inside"}}
    ours.write(value)
    script = 'ip link add swrt0 type veth peer name swrt1 && ip addr add 192.0.2.7/24 dev swrt0 && exec "$@"'
    result = subprocess.run(
        ["unshare", "--net", "sh", "-c", script, "sh", ours.program, "--root", ours.root, "run", "--bundle", ours.bundle,
         ours.id("c")], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert result.returncode == 0 and "192.0.2.7/24" in result.stdout and ",UP" in result.stdout, result.stderr

    def shared(value):
        value["linux"]["netDevices"] = {"swrt0": {}}
        value["linux"]["namespaces"] = [n for n in value["linux"]["namespaces"] if n["type"] != "network"]

    ours.run("true", change=shared, check=1)
    assert "unable to move network devices without a NET namespace" in ours.errors()[-1]


# Mounts


def need_id_mapped_mounts(runtime):
    if kernel() < (6, 3) and subprocess.run(["stat", "-f", "-c", "%T", runtime.bundle], capture_output=True).stdout == b"tmpfs\n":
        pytest.skip("tmpfs has no id-mapped mounts before Linux 6.3")


def test_id_mapped_mounts(ours):
    need_id_mapped_mounts(ours)
    source = ours.bundle / "source"
    source.mkdir()
    (source / "file").write_text("")
    os.chown(source / "file", 101, 222)

    def change(value):
        value["mounts"] += [
            {"destination": f"/data/{name}", "source": "source", "options": ["bind"],
             "uidMappings": [{"containerID": 100, "hostID": first, "size": 100}],
             "gidMappings": [{"containerID": 200, "hostID": first + 1000, "size": 100}]}
            for name, first in (("a", 100000), ("b", 110000))]

    assert ours.run("stat", "-c", "%u:%g", "/data/a/file", "/data/b/file", change=change).split() == [
        "100001:101022", "110001:111022"]

    def broken(value):
        change(value)
        del value["mounts"][-1]["gidMappings"]

    ours.run("true", change=broken, check=1)
    assert "invalid mount" in ours.errors()[-1]


@pytest.mark.parametrize("users", [False, True])
def test_an_id_mapped_bind_of_what_another_mount_brings(ours, users):
    """Its source is there only when the container's process has made the mount before."""
    need_id_mapped_mounts(ours)
    source = ours.bundle / "source"
    (source / "deep").mkdir(parents=True)
    (source / "deep/file").write_text("")
    os.chown(source / "deep/file", 101, 222)

    def change(value):
        if users:
            own_users(value)
        value["mounts"] += [
            {"destination": "/data", "source": "source", "options": ["bind"]},
            {"destination": "/mapped", "source": str(ours.bundle / "rootfs/data/deep"), "options": ["bind"],
             "uidMappings": [{"containerID": 100, "hostID": 100000, "size": 100}],
             "gidMappings": [{"containerID": 200, "hostID": 200000, "size": 100}]}]

    if users:
        shift_owners(ours)
    # The container's own mapping, where it has one, is on top of that.
    assert ours.run("stat", "-c", "%u:%g", "/mapped/file", change=change).strip() == ("1:22" if users else "100001:200022")


def test_mounts_are_numbered_in_the_order_of_the_config(ours):
    (ours.bundle / "source").mkdir()
    places = ["/data/a", "/data/b", "/data/c", "/data/d"]

    def change(value):
        for place, kind in zip(places, ("tmpfs", "bind", "tmpfs", "bind")):
            value["mounts"].append({"destination": place, "type": kind, "source": "source" if kind == "bind" else "tmpfs",
                                    "options": ["rbind"] if kind == "bind" else []})

    table = [line.split() for line in ours.run("cat", "/proc/self/mountinfo", change=change).splitlines()]
    assert [line[4] for line in sorted(table, key=lambda line: int(line[0])) if line[4] in places] == places


def test_tmpfs_has_the_mode_of_what_it_covers(ours):
    place = ours.bundle / "rootfs" / "data"

    def change(value):
        value["mounts"].append({"destination": "/data", "type": "tmpfs", "source": "tmpfs", "options": ["noexec"]})

    place.chmod(0o7710)
    assert ours.run("stat", "-c", "%a", "/data", change=change) == "7710\n"


def test_a_read_only_dev_is_filled_first(runtime):
    def change(value):
        next(m for m in value["mounts"] if m["destination"] == "/dev")["options"].append("ro")

    script = "echo x > /dev/null && touch /dev/x || grep '^tmpfs /dev ' /proc/mounts"
    assert runtime.run("sh", "-c", script, change=change).split()[3][:3] == "ro,"


@pytest.mark.parametrize("own", [False, True])
def test_read_only_cgroups(ours, own):
    """All of them: the directory that version 1's hierarchies are in as well, which runc 1.1 left writable."""
    def change(value):
        if own:
            namespaces(value, "cgroup")

    lines = ours.run("grep", "/sys/fs/cgroup", "/proc/mounts", change=change).splitlines()
    assert lines and all(line.split()[3].startswith("ro,") for line in lines)


# The process


def test_scheduling(ours):
    def change(value):
        value["process"]["scheduler"] = {"policy": "SCHED_BATCH", "nice": 19}
        value["process"]["ioPriority"] = {"class": "IOPRIO_CLASS_BE", "priority": 4}
        value["linux"]["personality"] = {"domain": "LINUX32"}

    pid = ours.start("c", change=change)
    assert os.sched_getscheduler(pid) == os.SCHED_BATCH and os.getpriority(os.PRIO_PROCESS, pid) == 19
    in_32_bits = subprocess.run(["setarch", "linux32", "uname", "-m"], capture_output=True, text=True).stdout
    assert ours("exec", ours.id("c"), "uname", "-m", check=0).out == in_32_bits
    assert "prio 4" in ours("exec", ours.id("c"), "ionice", check=0).out
    # A process file that comes through a pipe, as a shell's <(…) does.
    process = {"args": ["ionice"], "cwd": "/", "env": ["PATH=/bin"], "ioPriority": {"class": "IOPRIO_CLASS_IDLE"}}
    reader, writer = os.pipe()
    os.write(writer, json.dumps(process).encode())
    os.close(writer)
    result = ours("exec", "--process", f"/dev/fd/{reader}", ours.id("c"), check=0, pass_fds=[reader])
    os.close(reader)
    assert "idle" in result.out


def test_processors_of_the_caller_are_not_inherited(ours):
    mask = os.sched_getaffinity(0)
    if len(mask) < 2:
        pytest.skip("one processor")
    first, second = sorted(mask)[:2]
    everything = next(line for line in open("/proc/self/status") if line.startswith("Cpus_allowed_list")).split()[1]

    def restricted():
        os.sched_setaffinity(0, {first})

    show = ["grep", "Cpus_allowed_list", "/proc/self/status"]
    assert ours.run(*show, preexec_fn=restricted).split()[1] == everything
    ours.start("c")
    assert ours("exec", ours.id("c"), *show, preexec_fn=restricted).out.split()[1] == everything
    process = {"args": show, "cwd": "/", "env": ["PATH=/bin"], "execCPUAffinity": {"final": str(second)}}
    (ours.directory / "process").write_text(json.dumps(process))
    assert ours("exec", "--process", ours.directory / "process", ours.id("c")).out.split()[1] == str(second)


def test_environment(ours):
    def change(value):
        value["process"]["env"] = ["ONE=two", "ONE=", "PATH=/bin", "HOME="]

    assert sorted(ours.run("env", change=change).split()) == ["HOME=/root", "ONE=", "PATH=/bin"]


def test_a_user_can_open_the_standard_streams_again(ours):
    def change(value):
        value["process"]["user"] = {"uid": 1000, "gid": 1000}

    value = config("sh", "-c", "echo out > /dev/stdout; echo err > /dev/stderr")
    change(value)
    ours.write(value)
    command = [ours.program, "--root", ours.root, "run", "--bundle", ours.bundle, ours.id("c")]
    result = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert (result.stdout, result.stderr) == ("out\n", "err\n")
    assert os.stat("/dev/null").st_uid == 0


def test_listening_sockets_are_passed_on(ours):
    ours.write(config("sh", "-c", "echo $LISTEN_FDS $LISTEN_PID; ls /proc/self/fd | wc -l"))
    command = [ours.program, "--root", str(ours.root), "run", "--bundle", str(ours.bundle), ours.id("c")]
    with socket.socket(socket.AF_UNIX) as listener:
        script = 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@" 3<&0'
        result = subprocess.run(
            ["sh", "-c", script, "sh", *command], capture_output=True, text=True, stdin=listener.fileno())
    assert result.stdout.split() == ["1", "1", "5"], result.stderr


@pytest.mark.parametrize("command", ["create", "exec", "annotation"])
def test_pidfd_socket(ours, command):
    path = ours.directory / "pidfd"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        if command == "create":
            ours.write(config("sleep", "1000"))
            ours("create", "--bundle", ours.bundle, "--pidfd-socket", path, ours.id("c"), check=0)
        elif command == "annotation":  # of crun's
            ours.start("c", change=lambda value: value.update(annotations={"run.oci.pidfd_receiver": str(path)}))
        else:
            ours.start("c")
            ours("exec", "--detach", "--pidfd-socket", path, ours.id("c"), "sleep", "1000", check=0)
        connection, _ = listener.accept()
        with connection:
            _, descriptors, _, _ = socket.recv_fds(connection, 64, 1)
    text = pathlib.Path(f"/proc/self/fdinfo/{descriptors[0]}").read_text()
    pid = next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pid:"))
    assert b"/proc/self/exe" not in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    os.close(descriptors[0])


def test_without_cgroups(ours):
    """As podman asks crun for it (`--cgroups=disabled`)."""
    value = config("cat", "/proc/self/cgroup")
    value["linux"]["resources"]["pids"] = {"limit": 7}
    ours.write(value)
    seen = ours("--cgroup-manager", "disabled", "run", "--bundle", ours.bundle, ours.id("c"), check=0).out
    assert seen == open("/proc/self/cgroup").read()


def test_root_of_a_user_namespace_has_the_users_directory(ours):
    """As rootless podman is, which does not say where the state belongs."""
    ours.write(config("true"))
    login = ours.directory / "login"
    login.mkdir()
    subprocess.run(["unshare", "--user", "--map-root-user", ours.program, "run", "--bundle", ours.bundle, ours.id("c")],
                   env={"PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": str(login)}, stdin=subprocess.DEVNULL, capture_output=True)
    assert (login / "swrunc").is_dir()


def test_groups_of_the_caller_are_kept_if_an_annotation_asks_for_it(ours):
    def change(value):
        value["annotations"] = {"run.oci.keep_original_groups": "1"}

    seen = {bool(keeps): ours.run("grep", "Groups:", "/proc/self/status", change=keeps, preexec_fn=lambda: os.setgroups([7, 8]))
            for keeps in (None, change)}
    assert {keeps: text.split()[1:] for keeps, text in seen.items()} == {False: [], True: ["7", "8"]}


def test_a_link_is_copied_if_an_option_asks_for_it(ours):
    link = ours.directory / "link"
    link.symlink_to("/etc/hostname")

    def change(value):
        for number, options in enumerate((["bind", "ro"], ["bind", "ro", "copy-symlink"])):
            value["mounts"].append({"destination": f"/data/{number}", "source": str(link), "type": "bind", "options": options})

    for _ in range(2):  # the second time it is there already
        out = ours.run("sh", "-c", "readlink /data/0; cat /data/0; readlink /data/1", change=change)
        assert out == pathlib.Path("/etc/hostname").read_text() + "/etc/hostname\n"


def test_exec_below_the_containers_cgroup(ours):
    below = own_cgroup(ours.start("c"), "pids") / "below"
    below.mkdir()
    name = ours.id("c")
    ours("exec", "--detach", "--cgroup", "below" if is_version_2() else "pids:below", "--pid-file", ours.directory / "p", name, "sleep", "1000", check=0)
    assert below.joinpath("cgroup.procs").read_text().split() == [(ours.directory / "p").read_text()]
    wrong = [("..", "bad sub cgroup path"), ("nope", "no such file or directory")]
    for value, text in wrong + ([] if is_version_2() else [("nope:/", "unknown controller")]):
        assert text in ours("exec", "--cgroup", value, name, "true", check=255).err


# Filters and hooks


NOTIFY = [{"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"}]


def listen(path, answers):
    """An agent that takes one listener and refuses `answers` calls with ENOMEDIUM (123), through ctypes."""
    import ctypes
    import fcntl

    class Notification(ctypes.Structure):
        _fields_ = [("id", ctypes.c_uint64), ("pid", ctypes.c_uint32), ("flags", ctypes.c_uint32), ("data", ctypes.c_uint8 * 64)]

    class Answer(ctypes.Structure):
        _fields_ = [("id", ctypes.c_uint64), ("val", ctypes.c_int64), ("error", ctypes.c_int32), ("flags", ctypes.c_uint32)]

    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    states = []

    def serve():
        for count in answers:
            connection, _ = listener.accept()
            with connection:
                data, descriptors, _, _ = socket.recv_fds(connection, 65536, 1)
            states.append(json.loads(data))
            for _ in range(count):
                request = Notification()
                fcntl.ioctl(descriptors[0], 0xC0502100, request)
                fcntl.ioctl(descriptors[0], 0xC0182101, Answer(id=request.id, error=-123))
            os.close(descriptors[0])
        listener.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return states, thread


@pytest.mark.parametrize("no_new_privileges", [False, True])
def test_seccomp_agent(ours, no_new_privileges):
    def change(value):
        value["process"]["noNewPrivileges"] = no_new_privileges
        value["linux"]["seccomp"] = {
            "defaultAction": "SCMP_ACT_ALLOW", "listenerPath": str(ours.directory / "agent"), "listenerMetadata": "bar",
            "syscalls": NOTIFY}

    states, thread = listen(ours.directory / "agent", [0, 1])
    pid = ours.start("c", change=change)
    # The first listener is given up at once: what it would decide on fails, but nothing waits for it.
    result = ours("exec", ours.id("c"), "mkdir", "/tmp/x", check=1)
    thread.join(10)
    assert "No medium found" in result.err
    assert [state["pid"] == pid for state in states] == [True, False]
    assert (states[1]["metadata"], states[1]["fds"], states[1]["state"]["pid"]) == ("bar", ["seccompFd"], pid)


def test_seccomp_agent_that_is_missing(ours):
    def change(value):
        value["linux"]["seccomp"] = {
            "defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/nonexistent", "syscalls": NOTIFY}

    ours.run("true", change=change, check=1)
    assert "failed to connect with seccomp agent" in ours.errors()[-1]


def test_hooks_run_under_the_filter(ours):
    def change(value):
        value["process"]["noNewPrivileges"] = True
        value["linux"]["seccomp"] = {
            "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_KILL"}]}
        value["hooks"] = {"startContainer": [{"path": "/bin/sh", "args": ["sh", "-c", "mkdir /tmp/x"]}]}

    ours.run("true", change=change, check=1)
    assert "error running startContainer hook #0: signal: bad system call" in ours.errors()[-1]


@pytest.mark.parametrize("name", ["prestart", "createRuntime", "createContainer", "startContainer", "poststart"])
def test_the_second_hook_fails(ours, name):
    def change(value):
        value["hooks"] = {name: [{"path": "/bin/true"}, {"path": "/bin/false"}]}

    ours.run("echo", change=change, check=1)
    assert f"error running {name} hook #1: exit status 1" in ours.errors()[-1]


def test_hooks_find_the_root_where_the_bundle_has_it(ours):
    (ours.bundle / "source").mkdir()
    (ours.bundle / "source" / "file").write_text("bound by a hook\n")
    rootfs = ours.bundle / "rootfs"

    def change(value):
        script = f"pid=$(sed 's/.*\"pid\":\\([0-9]*\\).*/\\1/'); nsenter -m -t $pid mount --bind {ours.bundle}/source {rootfs}/data"
        value["hooks"] = {
            "createRuntime": [{"path": "/bin/sh", "args": ["sh", "-c", script]}],
            "createContainer": [{"path": "/bin/sh", "args": ["sh", "-c", "echo here > ./tmp/file"]}]}

    assert ours.run("cat", "/data/file", "/tmp/file", change=change) == "bound by a hook\nhere\n"


# The command line


def test_flags_may_follow_the_id(ours):
    pid = ours.start("c")
    ours("update", ours.id("c"), "--pids-limit", "42", "--memory", "-1", check=0)
    assert (own_cgroup(pid, "pids") / "pids.max").read_text() == "42\n"


def test_killing_without_a_pid_namespace(ours):
    def change(value):
        value["linux"]["namespaces"] = [n for n in value["linux"]["namespaces"] if n["type"] != "pid"]

    pid = ours.start("c", change=change)
    ours("exec", "--detach", ours.id("c"), "sleep", "1000", check=0)
    os.kill(pid, 9)
    wait_until(lambda: ours.status("c") == "stopped")
    ours("kill", ours.id("c"), "KILL", check=0)
    wait_until(lambda: ours("ps", "--format", "json", ours.id("c")).out == "null")
    ours("delete", ours.id("c"), check=0)


COMMANDS = ("checkpoint create delete events exec kill list pause ps restore resume run spec start state update").split()


@pytest.mark.parametrize("command", COMMANDS)
def test_help(ours, command):
    lines = ours(command, "--help", check=0).out.splitlines()
    assert lines[0] == "NAME:" and f"runc {command} - " in lines[1]


def test_debug_log(ours):
    ours.write(config("true"))
    ours("--debug", "run", "--bundle", ours.bundle, ours.id("c"), check=0)
    levels = [json.loads(line)["level"] for line in ours.log.read_text().splitlines()]
    assert levels and set(levels) == {"debug"}
    result = subprocess.run(
        [ours.program, "--root", ours.root, "--debug", "run", "--bundle", ours.bundle, ours.id("c")], capture_output=True, text=True)
    assert "level=debug msg=" in result.stderr


def test_members_in_another_case(ours):
    """Go's decoder does not mind, so configs in the wild have them."""
    value = config("true")
    value["Process"] = value.pop("process")
    ours.write(value)
    ours("run", "--bundle", ours.bundle, ours.id("c"), check=0)


# What an attacker may send


def test_null_device_of_the_image_is_not_bound(ours):
    """CVE-2025-31133: what masks a path must be the null device itself, whatever the image has in its place."""
    (ours.bundle / "rootfs" / "dev" / "null").symlink_to("/proc/sysrq-trigger")

    def change(value):
        value["mounts"] = [m for m in value["mounts"] if not m["destination"].startswith("/dev")]

    script = "stat -c %F:%t:%T /dev/null /proc/keys; wc -c < /proc/keys"
    assert ours.run("sh", "-c", script, change=change).splitlines() == ["character special file:1:3"] * 2 + ["0"]


@pytest.mark.parametrize("count", [200, 5000])
def test_many_id_mappings(ours, count):
    """CVE-2021-43784: lists that are too long for some length field must not give a container other namespaces."""
    def change(value):
        own_users(value)
        for kind in ("uid", "gid"):
            value["linux"][kind + "Mappings"] = [
                {"containerID": i, "hostID": 100000 + 2 * i, "size": 1} for i in range(count)]

    shift_owners(ours)
    subprocess.run(["chown", "-hR", "100000:100000", ours.bundle / "rootfs"], check=True)
    result = ours.run("wc", "-l", "/proc/self/uid_map", change=change, check=0 if count == 200 else 1)
    assert result.split()[:1] == (["200"] if count == 200 else [])


def test_an_environment_of_a_megabyte(ours):
    def change(value):
        value["process"]["env"] += [f"V{i}=" + "x" * 100000 for i in range(10)]

    assert ours.run("sh", "-c", "echo ${#V9}", change=change) == "100000\n"


def test_ids_have_a_length(ours):
    ours.write(config("true"))
    assert "invalid container ID format" in ours("create", "--bundle", ours.bundle, "x" * 1025, check=1).err


def test_another_config_than_the_bundles(ours):
    """crun's flag: relative to where the caller stands, and also what exec starts from."""
    place = ours.directory / "configs"
    place.mkdir()
    value = config("sleep", "1000")
    value["process"]["env"].append("WHICH=other")
    (place / "other.json").write_text(json.dumps(value))
    flags = ["--detach", "--bundle", ours.bundle, "--config", "other.json", "--pid-file", "pid"]
    ours("--cgroup-manager", "cgroupfs", "run", *flags, ours.id("c"), check=0, cwd=place)
    assert (place / "pid").exists() and not (ours.bundle / "config.json").exists()
    assert ours("exec", ours.id("c"), "sh", "-c", "echo $WHICH", check=0).out == "other\n"
    assert "is not supported, only cgroupfs, systemd and disabled" in ours("--cgroup-manager", "other", "list", check=1).err


@pytest.mark.parametrize("arguments, code, first, error", [
    (["state"], 1, "Incorrect Usage.", '"state" requires exactly 1 argument(s)'),
    (["exec"], 1, "Incorrect Usage.", '"exec" requires a minimum of 1 argument(s)'),
    (["list", "--bogus"], 1, "Incorrect Usage: flag provided but not defined: -bogus", "flag provided but not defined: -bogus"),
    (["events", "--interval", "soon", "c"], 1, 'Incorrect Usage: invalid value "soon" for flag -interval: parse error', "parse error"),
    (["update", "--pids-limit", "few", "c"], 1, 'Incorrect Usage: invalid value "few" for flag -pids-limit: parse error', "parse error"),
])
def test_misuse_shows_the_help(runtime, arguments, code, first, error):
    result = runtime(*arguments, check=code)
    lines = result.out.splitlines()
    assert (lines[0], lines[2]) == (first, "NAME:") and f"runc {arguments[0]} - " in lines[3]
    assert error in result.err


def test_a_log_that_cannot_be(runtime):
    command = [runtime.program, "--log", "/nonexistent/log", "list"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 1 and "open /nonexistent/log: no such file or directory" in result.stderr


def test_an_example_for_a_user_other_than_root(runtime):
    runtime("spec", "--bundle", runtime.bundle, "--rootless", check=0)
    value = json.loads((runtime.bundle / "config.json").read_text())
    kinds = {entry["type"] for entry in value["linux"]["namespaces"]}
    assert "user" in kinds and "network" not in kinds and "resources" not in value["linux"]
    assert value["linux"]["uidMappings"] == [{"containerID": 0, "hostID": os.geteuid(), "size": 1}]
    sys = next(mount for mount in value["mounts"] if mount["destination"] == "/sys")
    assert (sys["type"], sys["source"], "rbind" in sys["options"]) == ("none", "/sys", True)
    assert not any(option.startswith("gid=") for mount in value["mounts"] for option in mount.get("options", []))


@pytest.mark.parametrize("kind", ["bind", "tmpfs"])
def test_a_mount_over_the_root(ours, kind):
    """What the container has as its root is then the mount; for tmpfs with what was there before."""
    other = ours.directory / "other"
    shutil.copytree(ours.bundle / "rootfs", other, symlinks=True)
    (other / "which").write_text("other\n")

    def change(value):
        options = {"bind": ["bind"], "tmpfs": ["tmpcopyup"]}[kind]
        value["mounts"].insert(0, {"destination": "/", "type": kind, "source": str(other) if kind == "bind" else "tmpfs", "options": options})

    script = "cat /which 2>&1; awk '$5 == \"/\" { print $9 }' /proc/self/mountinfo | tail -n 1"
    seen = ours.run("sh", "-c", script, change=change).splitlines()
    assert ("other" in seen[0], seen[-1] == "tmpfs") == (kind == "bind", kind == "tmpfs")


def test_debug_says_that_the_program_is_a_clone(ours):
    """Only where its file could be written to."""
    ours.write(config("true"))
    ours("--debug", "run", "--bundle", ours.bundle, ours.id("c"), check=0)
    steps = [json.loads(line)["msg"] for line in ours.log.read_text().splitlines()]
    assert ("runc exeseal: using /proc/self/exe clone" in steps) == (not os.statvfs(ours.program).f_flag & os.ST_RDONLY)
