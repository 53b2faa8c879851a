# SPDX-License-Identifier: Apache-2.0
"""The runtime's command line on plain OCI bundles. Every case also runs against Debian's runc where that is installed,
so that a wrong expectation is found out."""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

import pytest
from runtime_driver import MASKED, Runtime, config, is_version_2, make_rootfs, receive_terminal

PROJECT = pathlib.Path(__file__).resolve().parent.parent
PROGRAMS = {"swrunc": os.environ.get("SWRUN_RUNTIME", PROJECT / "bin" / "swrunc"), "runc": shutil.which("runc")}


@pytest.fixture(scope="session")
def rootfs(tmp_path_factory):
    path = tmp_path_factory.mktemp("rootfs") / "rootfs"
    make_rootfs(path)
    return path


def make(request, tmp_path, rootfs):
    program = PROGRAMS[request.param]
    if not program:
        pytest.skip(f"no {request.param} on this machine")
    runtime = Runtime(program, tmp_path, rootfs)
    yield runtime
    runtime.clean()


@pytest.fixture(params=["swrunc", "runc"])
def runtime(request, tmp_path, rootfs):
    yield from make(request, tmp_path, rootfs)


@pytest.fixture(params=["swrunc"])
def ours(request, tmp_path, rootfs):
    yield from make(request, tmp_path, rootfs)


def wait_until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "did not happen in ten seconds"
        time.sleep(0.01)


# Life of a container


def test_create_start_kill_delete(runtime):
    runtime.write(config("sleep", "1000"))
    pid_file, name = runtime.directory / "pid", runtime.id("c")
    runtime("create", "--bundle", runtime.bundle, "--pid-file", pid_file, name, check=0)
    pid = pid_file.read_text()
    assert pid.isdigit() and not pid.endswith("\n")
    state = json.loads(runtime("state", name).out)
    assert list(state) == ["ociVersion", "id", "pid", "status", "bundle", "rootfs", "created", "owner"]
    assert (state["status"], state["pid"], state["bundle"]) == ("created", int(pid), str(runtime.bundle))
    runtime("start", name, check=0)
    assert runtime.status("c") == "running"
    assert "already running" in runtime("start", name, check=1).err
    assert f"cannot delete container {name} that is not stopped: running" in runtime("delete", name, check=1).err
    assert json.loads(runtime("ps", "--format", "json", name, check=0).out) == [int(pid)]
    runtime("kill", name, "KILL", check=0)
    wait_until(lambda: runtime.status("c") == "stopped")
    assert json.loads(runtime("state", name).out)["pid"] == 0
    assert "container not running" in runtime("kill", name, "KILL", check=1).err
    runtime("kill", "--all", name, "9", check=0)
    assert "cannot start a container that has stopped" in runtime("start", name, check=1).err
    assert "cannot exec in a stopped container" in runtime("exec", name, "true", check=255).err
    runtime("delete", name, check=0)
    assert "container does not exist" in runtime("state", name, check=1).err
    assert not list(runtime.root.glob(runtime.prefix + "*"))


def test_a_created_container_can_be_deleted(runtime):
    runtime.write(config("true"))
    runtime("create", "--bundle", runtime.bundle, runtime.id("c"), check=0)
    runtime("delete", runtime.id("c"), check=0)


@pytest.mark.parametrize("command,code", [("exit 0", 0), ("exit 42", 42), ("kill -9 $$; sleep 1", 137)])
def test_run_gives_the_exit_code(runtime, command, code):
    # A signal to pid 1 of its own namespace is ignored, unless a child sends it to another: hence the inner shell.
    runtime.run("sh", "-c", f"sh -c '{command}'; exit $?", check=code)


def test_pause_and_resume(runtime):
    runtime.start("c")
    runtime("pause", runtime.id("c"), check=0)
    assert runtime.status("c") == "paused"
    assert "cannot exec in a paused container" in runtime("exec", runtime.id("c"), "true", check=255).err
    runtime("resume", runtime.id("c"), check=0)
    assert "container not paused" in runtime("resume", runtime.id("c"), check=1).err
    assert runtime.status("c") == "running"


def test_delete_by_force_ends_a_paused_container(runtime):
    runtime.start("c")
    runtime("pause", runtime.id("c"), check=0)
    runtime("delete", "--force", runtime.id("c"), check=0)
    runtime("delete", "--force", runtime.id("c"), check=0)


def test_kill_all_reaches_every_process(runtime):
    def share_pid(value):
        value["linux"]["namespaces"] = [n for n in value["linux"]["namespaces"] if n["type"] != "pid"]

    runtime.start("c", "sh", "-c", "sleep 1000 & sleep 1000; true", change=share_pid)
    wait_until(lambda: len(json.loads(runtime("ps", "--format", "json", runtime.id("c")).out)) == 3)
    runtime("kill", "--all", runtime.id("c"), "KILL", check=0)
    wait_until(lambda: runtime("ps", "--format", "json", runtime.id("c")).out.strip() in ("null", "[]"))


def test_list(runtime):
    assert json.loads(runtime("list", "--format", "json", check=0).out) is None
    runtime.start("c")
    assert [c["status"] for c in json.loads(runtime("list", "--format", "json").out)] == ["running"]
    assert runtime("list").out.split()[:6] == ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"]
    assert runtime("list", "-q").out.split() == [runtime.id("c")]


def test_exec_into_a_container_that_manages_cgroups_itself(ours):
    """Version 2 allows no process in a cgroup that hands controllers on to its children."""
    mount = next((line.split()[4] for line in open("/proc/self/mountinfo") if " - cgroup2 " in line), None)
    if not mount or "hugetlb" not in pathlib.Path(mount, "cgroup.controllers").read_text():
        pytest.skip("no controller of cgroup v2 to hand on")
    pid = ours.start("c")
    top = pathlib.Path(mount)
    cgroup = top / next(line[4:] for line in open(f"/proc/{pid}/cgroup").read().splitlines() if line.startswith("0::"))
    child = cgroup / "child"
    child.mkdir()
    (child / "cgroup.procs").write_text(str(pid))
    before = (top / "cgroup.subtree_control").read_text()
    try:
        for directory in (top, cgroup):
            (directory / "cgroup.subtree_control").write_text("+hugetlb")
        result = ours("exec", ours.id("c"), "grep", "0::", "/proc/self/cgroup")
    finally:
        (cgroup / "cgroup.subtree_control").write_text("-hugetlb")
        if "hugetlb" not in before:
            (top / "cgroup.subtree_control").write_text("-hugetlb")
    assert result.returncode == 0 and result.out.strip().endswith("/child"), result.err


# What a container sees


def test_confinement(runtime):
    out = runtime.run("cat", "/proc/self/status")
    fields = dict(line.split(":", 1) for line in out.splitlines() if ":" in line)
    assert fields["CapInh"].strip() == fields["CapAmb"].strip() == "0" * 16
    assert fields["CapBnd"].strip() == fields["CapEff"].strip() == "0000000000000421"
    assert fields["NSpid"].strip() == "1"


def test_no_capability_unless_it_is_named(runtime):
    def capabilities(status):
        return {line.split()[1] for line in status.splitlines() if line.startswith("Cap")}

    words = ["cat", "/proc/self/status"]
    assert capabilities(runtime.run(*words, change=lambda value: value["process"].pop("capabilities"))) == {"0" * 16}
    runtime.start("c")  # a process without any of its own has the container's
    process = runtime.directory / "process.json"
    process.write_text(json.dumps({"args": words, "cwd": "/", "env": ["PATH=/bin"], "user": {"uid": 0, "gid": 0}}))
    out = runtime("exec", "--process", process, runtime.id("c"), check=0).out
    assert capabilities(out) == {"0" * 16, "0000000000000421"}


def test_files_and_names(runtime):
    script = "hostname; ls /proc/self/fd | wc -l; umask; pwd; echo $HOME; ulimit -n; cat /proc/1/cgroup | wc -l"
    host, descriptors, mask, directory, home, limit, cgroups = runtime.run("sh", "-c", script).split()
    assert (host, mask, directory, home, limit) == ("box", "0022", "/", "/root", "512")
    assert descriptors == "4", "0, 1, 2 and the one that ls reads"


def test_user(runtime):
    def change(value):
        value["process"]["user"] = {"uid": 1000, "gid": 1000, "additionalGids": [5], "umask": 0o77}

    out = runtime.run("sh", "-c", "id -u; id -G; umask; echo $HOME; grep CapEff /proc/self/status", change=change)
    assert out.split() == ["1000", "1000", "5", "0077", "/home/u", "CapEff:", "0" * 16]


def test_limits_of_another_user(runtime):
    """Set before the process changes its user, however late its launcher is."""
    def change(value):
        value["process"]["user"] = {"uid": 1000, "gid": 1000}

    for _ in range(10):
        assert runtime.run("sh", "-c", "ulimit -n", change=change).strip() == "512"


def test_devices(runtime):
    out = runtime.run("sh", "-c", "cd /dev; ls -1; echo x > null; head -c 4 zero | wc -c; readlink ptmx; readlink fd")
    names = out.split()
    for name in ("null", "zero", "full", "random", "urandom", "tty", "ptmx", "fd", "stdin", "pts", "shm", "mqueue"):
        assert name in names
    assert names[-3:] == ["4", "pts/ptmx", "/proc/self/fd"]


def test_device_cgroup_refuses_a_disk(runtime):
    script = "mknod /tmp/disk b 7 0 && cat /tmp/disk 2>&1; echo done"

    def change(value):
        for names in value["process"]["capabilities"].values():
            names.append("CAP_MKNOD") if "CAP_MKNOD" not in names else None

    assert "Operation not permitted" in runtime.run("sh", "-c", script, change=change)


def test_masked_and_read_only_paths(runtime):
    out = runtime.run("sh", "-c", f"for p in {' '.join(MASKED)}; do [ -d $p ] && ls -A $p || cat $p; done 2>/dev/null")
    assert out == ""
    out = runtime.run("sh", "-c", "echo 1 > /proc/sys/kernel/domainname; echo b > /proc/sysrq-trigger", check=1)
    assert out == ""


def test_read_only_root(runtime):
    def change(value):
        value["root"]["readonly"] = True

    assert "Read-only" in runtime.run("sh", "-c", "touch /x 2>&1; touch /dev/shm/y && echo ok", change=change)


def test_mounts(runtime):
    source = runtime.directory / "source"
    (source / "sub").mkdir(parents=True)
    (source / "file").write_text("data")

    def change(value):
        value["mounts"] += [
            {"destination": "/data/ro", "type": "bind", "source": str(source), "options": ["rbind", "ro", "nosuid"]},
            {"destination": "/new/file", "type": "bind", "source": str(source / "file"), "options": ["bind"]},
            {"destination": "/data/tmp", "type": "tmpfs", "source": "x", "options": ["size=64k", "noexec"]},
        ]

    out = runtime.run("sh", "-c", "cat /new/file; touch /data/ro/x 2>&1; cat /proc/mounts", change=change)
    assert out.startswith("data") and "Read-only file system" in out
    options = {line.split()[1]: line.split()[3].split(",") for line in out.splitlines() if line.count(" ") == 5}
    assert {"ro", "nosuid"} <= set(options["/data/ro"]) and {"size=64k", "noexec"} <= set(options["/data/tmp"])


@pytest.mark.parametrize("option,expected", [("rshared", "shared:"), ("rprivate", ""), ("rslave", "")])
def test_propagation(runtime, option, expected):
    (runtime.directory / "source").mkdir()

    def change(value):
        value["mounts"].append({"destination": "/data", "type": "bind", "source": str(runtime.directory / "source"),
                                "options": ["rbind", option]})

    fields = runtime.run("grep", " /data ", "/proc/self/mountinfo", change=change).split(" - ")[0].split()[6:]
    assert "".join(fields).startswith(expected) and bool(fields) == bool(expected)


def test_sysctl_and_joined_network(runtime):
    def change(value):
        value["linux"]["sysctl"] = {"net.ipv4.ip_forward": "1", "kernel/msgmax": "9000"}

    out = runtime.run("sh", "-c", "cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax; ip -o link", change=change)
    assert out.split()[:2] == ["1", "9000"] and "LOOPBACK,UP" in out

    def join(value):
        for namespace in value["linux"]["namespaces"]:
            if namespace["type"] == "network":
                namespace["path"] = "/proc/self/ns/net"

    assert runtime.run("readlink", "/proc/self/ns/net", change=join).strip() == os.readlink("/proc/self/ns/net")


def test_joined_mount_namespace(runtime):
    """The container has its own root there; what is added later is in the same namespace, and the host's stays as it is."""
    holder = subprocess.Popen(["unshare", "--mount", "--propagation", "private", "sh", "-c", "echo ready; exec sleep 1000"],
                              stdout=subprocess.PIPE)
    try:
        assert holder.stdout.readline() == b"ready\n"
        place = f"/proc/{holder.pid}/ns/mnt"

        def join(value):
            for namespace in value["linux"]["namespaces"]:
                if namespace["type"] == "mount":
                    namespace["path"] = place

        before = pathlib.Path("/proc/self/mountinfo").read_text()
        runtime.start("joined", change=join)
        out = runtime("exec", runtime.id("joined"), "sh", "-c", "readlink /proc/self/ns/mnt; ls /; cat /proc/1/comm", check=0).out
        seen = out.split()
        assert seen[0] == os.readlink(place) and "proc" in seen and "srv" not in seen and seen[-1] == "sleep"
        assert pathlib.Path("/proc/self/mountinfo").read_text() == before
    finally:
        holder.kill()
        holder.wait()


def test_limits(runtime):
    def change(value):
        value["linux"]["resources"].update(memory={"limit": 33554432}, pids={"limit": 20}, cpu={"shares": 512})

    script = "cat /proc/self/cgroup; cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes pids/pids.max cpu/cpu.shares"
    if not os.path.exists("/sys/fs/cgroup/memory"):
        script = "cd /sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup); cat memory.max pids.max; echo 512"
    assert runtime.run("sh", "-c", script, change=change).split()[-3:] == ["33554432", "20", "512"]


def test_seccomp(runtime):
    def change(value):
        value["linux"]["seccomp"] = {
            "defaultAction": "SCMP_ACT_ALLOW",
            "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5}],
        }

    script = "mkdir /tmp/x 2>&1; grep Seccomp: /proc/self/status"
    for _ in range(2):  # the second time from a cache
        out = runtime.run("sh", "-c", script, change=change)
        assert "Input/output error" in out and "Seccomp:\t2" in out


def test_user_namespace(ours):
    """Also where the mapped root may not look: the bundle is in a directory of mode 0700, which runc cannot use."""

    def change(value):
        value["linux"]["namespaces"].append({"type": "user"})
        maps = [{"containerID": 0, "hostID": 200000, "size": 65536}]
        value["linux"].update(uidMappings=maps, gidMappings=maps)
        value["mounts"] = [m for m in value["mounts"] if m["destination"] != "/sys/fs/cgroup"]

    out = ours.run("sh", "-c", "cat /proc/self/uid_map; id -u; ls -ld /dev/pts /dev/null", change=change)
    assert out.split()[:4] == ["0", "200000", "65536", "0"]


# Processes that are added


def test_exec(runtime):
    runtime.start("c")
    name = runtime.id("c")
    assert runtime("exec", name, "sh", "-c", "hostname; cat", check=0, stdin=subprocess.DEVNULL).out == "box\n"
    runtime("exec", name, "sh", "-c", "exit 7", check=7)
    out = runtime("exec", "--user", "1000:1000", "--cwd", "/tmp", "--env", "A=b", name, "sh", "-c", "id -u; pwd; echo $A")
    assert out.out.split() == ["1000", "/tmp", "b"]
    assert runtime("exec", name, "sh", "-c", "ls /proc/self/fd | wc -l").out.strip() == "4"
    same = runtime("exec", name, "cat", "/proc/self/cgroup").out
    assert same == runtime("exec", name, "cat", "/proc/1/cgroup").out


def test_exec_of_a_process_file(runtime):
    runtime.start("c")
    process, pid_file = runtime.directory / "process.json", runtime.directory / "exec.pid"
    process.write_text(json.dumps({"args": ["sleep", "100"], "cwd": "/", "env": ["PATH=/bin"]}))
    runtime("exec", "--process", process, "--detach", "--pid-file", pid_file, runtime.id("c"), check=0)
    assert pathlib.Path(f"/proc/{pid_file.read_text()}/cmdline").read_bytes() == b"sleep\x00100\x00"


@pytest.mark.parametrize("args,text", [
    (["nosuchcmd"], 'exec: "nosuchcmd": executable file not found in $PATH'),
    (["/nosuch"], 'exec: "/nosuch": stat /nosuch: no such file or directory'),
    (["/etc/passwd"], 'exec: "/etc/passwd": permission denied'),
    (["--cwd", "/nonexist"], 'chdir to cwd ("/nonexist") set in config.json failed: no such file or directory'),
])
def test_exec_that_fails(runtime, args, text):
    runtime.start("c")
    flags, command = (args, ["true"]) if args[0].startswith("--") else ([], args)
    result = runtime("exec", *flags, runtime.id("c"), *command, check=255)
    assert text in result.err and text in runtime.errors()[-1]


# Terminals, hooks, descriptors


def test_console_socket(runtime):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(runtime.directory / "console"))
    listener.listen()
    value = config("sh", "-c", "tty; test -c /dev/console && echo console; stty size")
    value["process"].update(terminal=True, consoleSize={"width": 91, "height": 17})
    runtime.write(value)
    name = runtime.id("c")
    runtime("create", "--bundle", runtime.bundle, "--console-socket", runtime.directory / "console", name, check=0)
    _, master = receive_terminal(listener)
    runtime("start", name, check=0)
    text = b""
    try:
        while chunk := os.read(master, 4096):
            text += chunk
    except OSError:
        pass  # EIO: the last user of the terminal is gone
    os.close(master)
    listener.close()
    assert text.decode().split() == ["/dev/pts/0", "console", "17", "91"]


def test_hooks(runtime):
    record = runtime.directory / "hooks"
    kinds = ["prestart", "createRuntime", "createContainer", "poststart", "poststop"]

    def change(value):
        script = f'echo "$1 $(cat)" >> {record}'
        value["hooks"] = {
            kind: [{"path": "/bin/sh", "args": ["sh", "-c", script, "x", kind], "env": ["PATH=/bin:/usr/bin"]}]
            for kind in kinds
        }

    runtime.run("true", change=change)
    seen = [line.split(" ", 1) for line in record.read_text().splitlines() if line.startswith(tuple(kinds))]
    assert [kind for kind, _ in seen] == kinds
    states = {kind: json.loads(text) for kind, text in seen}
    assert states["createRuntime"]["status"] == "creating" and states["createRuntime"]["pid"] > 0
    assert states["poststop"]["status"] == "stopped" and states["poststop"]["bundle"] == str(runtime.bundle)


def test_a_hook_gets_the_whole_state(runtime):
    seen = runtime.directory / "seen"

    def change(value):
        value["annotations"] = {"big": "x" * 200000}
        value["hooks"] = {"createRuntime": [{"path": "/bin/sh", "args": ["sh", "-c", f"sleep 0.1; cat > {seen}"]}]}

    runtime.run("true", change=change)
    assert json.loads(seen.read_text())["annotations"] == {"big": "x" * 200000}


def test_a_failing_poststop_hook_stops_nothing(ours):
    seen = ours.directory / "seen"

    def change(value):
        touch = {"path": "/bin/sh", "args": ["sh", "-c", f": > {seen}"]}
        value["hooks"] = {"poststop": [{"path": "/bin/false"}, touch]}

    ours.run("true", change=change)
    assert seen.exists()
    assert "error running poststop hook #0: exit status 1" in ours.log.read_text()


def test_a_failing_hook_ends_the_start(runtime):
    """Its name is args[0], as dockerd needs it, and what it wrote is in the error."""
    def change(value):
        script = "head -zn1 /proc/$$/cmdline; echo there >&2; exit 3"
        value["hooks"] = {"createRuntime": [{"path": "/bin/sh", "args": ["own name", "-c", script]}]}

    runtime.run("true", change=change, check=1)
    assert "exit status 3, stdout: own name\0, stderr: there\n" in runtime.errors()[-1]
    assert "hook #0: " in runtime.errors()[-1]
    assert runtime("list", "-q").out == ""


def test_preserved_descriptors(runtime):
    read, write = os.pipe()

    def place():
        os.dup2(write, 3)

    runtime.run("sh", "-c", "echo kept >&3", flags=["--preserve-fds", "1"], pass_fds=[3, write], preexec_fn=place)
    os.close(write)
    assert os.read(read, 100) == b"kept\n"
    os.close(read)


# Bad input


def with_args(*args):
    return config(*args)


def without(*path):
    value = config("true")
    place = value
    for key in path[:-1]:
        place = place[key]
    del place[path[-1]]
    return value


@pytest.mark.parametrize("value,text", [
    (with_args("nosuch"), 'exec: "nosuch": executable file not found in $PATH'),
    (with_args("/nosuch"), 'exec: "/nosuch": stat /nosuch: no such file or directory'),
    (with_args("/etc"), 'exec: "/etc": '),
    (with_args("/etc/passwd"), "permission denied"),
    (without("process", "args"), ""), (without("process", "cwd"), ""), (without("process"), ""),
    ("{", ""), ("[]", ""), ('{"ociVersion": 5}', ""),
    ({**config("true"), "root": {"path": "missing"}}, "missing"),
])
@pytest.mark.parametrize("command", ["create", "run"])
def test_bad_configs(runtime, command, value, text):
    runtime.write(value)
    name = runtime.id("bad")
    result = runtime(command, "--bundle", runtime.bundle, name)
    assert result.returncode == 1 and text in runtime.errors()[-1] and runtime.errors()[-1] in result.err
    runtime("state", name, check=1)
    assert not list(pathlib.Path("/sys/fs/cgroup").glob("*/" + name))


@pytest.mark.parametrize("arguments,code,text", [
    (["state", "nope"], 1, "container does not exist"), (["start", "nope"], 1, "container does not exist"),
    (["kill", "nope", "KILL"], 1, "container does not exist"), (["delete", "nope"], 1, "container does not exist"),
    (["delete", "--force", "nope"], 0, ""), (["exec", "nope", "true"], 255, "container does not exist"),
    (["pause", "nope"], 1, "container does not exist"), (["ps", "nope"], 1, "container does not exist"),
    (["state"], 1, "requires exactly 1 argument"), (["create"], 1, "requires exactly 1 argument"),
    (["nosuchcommand"], 3, "No help topic for 'nosuchcommand'"), (["state", "--nosuch", "x"], 1, "not defined: -nosuch"),
    (["create", "--bundle", "/nonexistent", "x"], 1, "/nonexistent: no such file or directory"),
])
def test_bad_commands(runtime, arguments, code, text):
    result = runtime(*arguments)
    assert result.returncode == code and text in result.err + result.out


@pytest.mark.parametrize("name", ["../x", "a/b", ".", "..", "", "a b"])
def test_bad_ids(runtime, name):
    runtime.write(config("true"))
    assert runtime("create", "--bundle", runtime.bundle, name).returncode == 1


def test_an_id_is_taken_once(runtime):
    runtime.start("c")
    result = runtime("create", "--bundle", runtime.bundle, runtime.id("c"), check=1)
    assert "container with given ID already exists" in result.err
    assert 'unknown signal "nosig"' in runtime("kill", runtime.id("c"), "nosig", check=1).err


# Attacks by the image or by what runs in the container


def test_links_in_the_image_lead_nowhere(runtime):
    outside, source = runtime.directory / "outside", runtime.directory / "source"
    outside.mkdir()
    source.mkdir()
    root = runtime.bundle / "rootfs"
    (root / "escape").symlink_to("../../outside")
    (root / "absolute").symlink_to(outside)

    def change(value):
        value["mounts"] += [
            {"destination": f"/{link}/deep", "type": "bind", "source": str(source), "options": ["bind"]}
            for link in ("escape", "absolute")
        ]

    runtime.run("true", change=change)
    assert not list(outside.iterdir())


def test_a_file_is_bound_behind_a_dangling_link(runtime):
    (runtime.bundle / "rootfs" / "etc" / "resolv.conf").symlink_to("../run/resolve/stub.conf")
    source = runtime.directory / "resolv.conf"
    source.write_text("nameserver 192.0.2.1")

    def change(value):
        value["mounts"].append(
            {"destination": "/etc/resolv.conf", "type": "bind", "source": str(source), "options": ["bind"]})

    out = runtime.run("sh", "-c", "cat /etc/resolv.conf /run/resolve/stub.conf", change=change)
    assert out == "nameserver 192.0.2.1" * 2


def test_dev_as_a_link_makes_no_devices_outside(ours):
    outside = ours.directory / "outside"
    outside.mkdir()
    shutil.rmtree(ours.bundle / "rootfs" / "dev")
    (ours.bundle / "rootfs" / "dev").symlink_to("../../outside")

    def change(value):
        value["mounts"] = [m for m in value["mounts"] if not m["destination"].startswith("/dev")]

    ours.run("true", change=change)
    assert not list(outside.iterdir())


@pytest.mark.parametrize("name", ["proc", "sys"])
def test_proc_as_a_link_is_refused(ours, name):
    shutil.rmtree(ours.bundle / "rootfs" / name)
    (ours.bundle / "rootfs" / name).symlink_to("tmp")
    ours.run("true", check=1)


def test_mounts_over_proc_are_refused(runtime):
    for mount in (
        {"destination": "/proc", "type": "tmpfs", "source": "x"},
        {"destination": "/proc/sysrq-trigger", "type": "bind", "source": "/dev/null", "options": ["bind"]},
    ):
        runtime.run("true", change=lambda value: value["mounts"].append(mount), check=1)


@pytest.mark.parametrize("kind", ["bind", "tmpfs"])
def test_a_link_into_proc_is_no_place_for_a_mount(ours, kind):
    (ours.bundle / "rootfs" / "data").rmdir()
    (ours.bundle / "rootfs" / "data").symlink_to("proc/sys")
    mount = {"destination": "/data", "type": kind, "source": str(ours.directory)}
    value = config("true")
    value["mounts"].append(mount)
    ours.write(value)
    result = ours("run", "--bundle", ours.bundle, ours.id("c"), check=1)
    assert "/data" in result.err and "cannot be mounted because it is inside /proc" in result.err


def test_a_fifo_in_place_of_a_device_does_not_hang(ours):
    def change(value):
        value["linux"]["namespaces"].append({"type": "user"})
        mappings = [{"containerID": 0, "hostID": 100000, "size": 65536}]
        value["linux"].update(uidMappings=mappings, gidMappings=mappings)
        value["mounts"] = [mount for mount in value["mounts"] if not mount["destination"].startswith("/dev")]

    os.mkfifo(ours.bundle / "rootfs" / "dev" / "null")
    subprocess.run(["chown", "-R", "100000:100000", ours.bundle / "rootfs"], check=True)
    assert ours.run("stat", "-c", "%F", "/dev/null", change=change).strip() == "character special file"


def test_no_descriptor_that_the_caller_leaked(runtime):
    """Not even for finding the program, before execve closes what is marked so."""
    leaked = os.open(runtime.bundle / "rootfs", os.O_RDONLY)
    os.dup2(leaked, 50, inheritable=True)
    program = "/proc/self/fd/50/bin/busybox"
    try:
        runtime.write(config(program, "true"))
        runtime("run", "--bundle", runtime.bundle, runtime.id("x"), check=1, close_fds=False)
        runtime.start("c")
        runtime("exec", runtime.id("c"), program, "true", check=255, close_fds=False)
    finally:
        os.close(50)
        os.close(leaked)


@pytest.mark.parametrize("number", range(3, 20))
def test_no_descriptor_of_the_host_as_directory(ours, number):
    def change(value):
        value["process"]["cwd"] = f"/proc/self/fd/{number}"

    # A descriptor of the container's own root is fine.
    out = ours.run("ls", "..", change=change, check=None)
    assert out == "" or "data" in out.split()
    ours.start("c")
    result = ours("exec", "--cwd", f"/proc/self/fd/{number}", ours.id("c"), "ls", "..")
    assert result.returncode == 255 or "data" in result.out.split()


def test_the_runtime_cannot_be_overwritten(ours):
    """A program that is a link to /proc/self/exe becomes the runtime itself: it must not be the host's file."""
    before = pathlib.Path(ours.program).read_bytes()
    (ours.bundle / "rootfs" / "bin" / "self").symlink_to("/proc/self/exe")
    ours.run("/bin/self", "--version")
    script = "exec 9</proc/self/exe; cat > /proc/self/fd/9; sleep 0; echo x > /proc/1/exe"
    (ours.bundle / "rootfs" / "bin" / "attack").write_text("#!/proc/self/exe\n")
    os.chmod(ours.bundle / "rootfs" / "bin" / "attack", 0o755)
    ours.start("c", "sh", "-c", f"while :; do for p in /proc/[0-9]*; do echo x > $p/exe; done; done 2>/dev/null; {script}")
    for _ in range(30):
        ours("exec", ours.id("c"), "/bin/attack")
        ours("exec", ours.id("c"), "/proc/self/exe")
    assert pathlib.Path(ours.program).read_bytes() == before


@pytest.mark.parametrize("user", ["01x", "+1", " 1", "0x0", "-1", "4294967296", "2147483648", "1:-1", "1:x", ""])
def test_users_are_plain_numbers(ours, user):
    ours.start("c")
    ours("exec", "--user", user, ours.id("c"), "id", check=255)


@pytest.mark.parametrize("sysctl", ["kernel.core_pattern", "kernel.hostname", "vm.swappiness", "kernel.shm_rmid_forced+x"])
def test_sysctls_of_the_host_are_refused(runtime, sysctl):
    def change(value):
        value["linux"]["sysctl"] = {sysctl: "1"}

    runtime.run("true", change=change, check=1)


def test_a_killed_launcher_leaves_nothing(ours):
    """A create that dies in the middle leaves a name that `delete --force` frees."""
    ours.write({**config("true"), "hooks": {"createRuntime": [{"path": "/bin/sleep", "args": ["sleep", "100"]}]}})
    command = [ours.program, "--root", ours.root, "create", "--bundle", ours.bundle, ours.id("c")]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    wait_until(lambda: (ours.root / ours.id("c")).exists())
    time.sleep(0.1)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    subprocess.run(["pkill", "-P", str(child.pid)], check=False)
    ours("delete", "--force", ours.id("c"), check=0)
    assert not (ours.root / ours.id("c")).exists()


# Limits and statistics


def cgroup_file(pid, controller, name):
    """A file of the cgroup that a process is in, of either version."""
    for line in open(f"/proc/{pid}/cgroup").read().splitlines():
        _, names, path = line.split(":", 2)
        if controller in names.split(","):
            return pathlib.Path("/sys/fs/cgroup", controller, path[1:], name)
    return None


def numbers(pid, *files):
    found = [cgroup_file(pid, *file) for file in files]
    if None in found:
        pytest.skip("no cgroup version 1 here")
    return [path.read_text().strip() for path in found]


MEMORY = [("memory", "memory.limit_in_bytes"), ("memory", "memory.memsw.limit_in_bytes")]
CPU = [("cpu", "cpu.cfs_quota_us"), ("cpu", "cpu.cfs_period_us")]


def limited(value):
    value["linux"]["resources"]["memory"] = {"limit": 64 << 20, "swap": 128 << 20}
    value["linux"]["resources"]["pids"] = {"limit": 50}


def test_update_memory_both_ways(runtime):
    pid, name = runtime.start("c", change=limited), runtime.id("c")
    assert numbers(pid, *MEMORY) == [str(64 << 20), str(128 << 20)]
    runtime("update", "--memory", "256m", "--memory-swap", str(512 << 20), name, check=0)
    assert numbers(pid, *MEMORY) == [str(256 << 20), str(512 << 20)]
    runtime("update", "--memory", str(32 << 20), "--memory-swap", str(64 << 20), name, check=0)
    assert numbers(pid, *MEMORY) == [str(32 << 20), str(64 << 20)]
    assert runtime("update", "--memory", "1g", name).returncode == 1  # more than memory with swap
    assert numbers(pid, *MEMORY) == [str(32 << 20), str(64 << 20)]
    assert "current usage: " in runtime("update", "--memory", "1k", name, check=1).err
    runtime("update", "--memory", "-1", name, check=0)
    assert all(int(number) > 1 << 60 for number in numbers(pid, *MEMORY))


def test_update_cpu_pids_and_cpuset(runtime):
    pid, name = runtime.start("c", change=limited), runtime.id("c")
    runtime("update", "--cpu-quota", "50000", name, check=0)
    runtime("update", "--cpu-period", "50000", "--cpu-quota", "20000", "--cpu-share", "512", name, check=0)
    assert numbers(pid, *CPU, ("cpu", "cpu.shares")) == ["20000", "50000", "512"]
    runtime("update", "--pids-limit", "77", "--cpuset-cpus", "0", name, check=0)
    assert numbers(pid, ("pids", "pids.max"), ("cpuset", "cpuset.cpus")) == ["77", "0"]
    assert "cpu-quota" in runtime("update", "--cpu-quota", "abc", name, check=1).err
    runtime("update", "--pids-limit", "-1", name, check=0)
    assert numbers(pid, ("pids", "pids.max")) == ["max"]


def test_update_from_a_file_and_from_stdin(runtime):
    pid, name = runtime.start("c", change=limited), runtime.id("c")
    resources = runtime.directory / "resources.json"
    resources.write_text(json.dumps({"memory": {"limit": 100 << 20}, "cpu": {"shares": 300}, "pids": {"limit": 20}}))
    with open(resources) as file:
        runtime("update", "--resources", "-", name, check=0, stdin=file)
    assert numbers(pid, MEMORY[0], ("cpu", "cpu.shares"), ("pids", "pids.max")) == [str(100 << 20), "300", "20"]
    resources.write_text('{"memory":')
    assert runtime("update", "-r", resources, name).returncode == 1
    assert "no such file" in runtime("update", "-r", "/nonexistent", name, check=1).err
    assert "container does not exist" in runtime("update", "--pids-limit", "1", "nosuch", check=1).err
    runtime("kill", name, "KILL", check=0)
    wait_until(lambda: runtime.status("c") == "stopped")
    assert "container not running" in runtime("update", "--pids-limit", "9", name, check=1).err


def test_an_updated_limit_of_processes_has_effect(runtime):
    runtime.start("c", change=limited)
    fork = ("exec", runtime.id("c"), "sh", "-c", "sleep 0.1 & sleep 0.1 & sleep 0.1 & sleep 0.1 & wait")
    runtime(*fork, check=0)
    runtime("update", "--pids-limit", "4", runtime.id("c"), check=0)
    assert "can't fork" in runtime(*fork).err


def form(value):
    """The names and kinds of a JSON document."""
    if isinstance(value, dict):
        return {name: form(member) for name, member in value.items()}
    return type(value).__name__


def test_events_once(runtime):
    name = runtime.id("c")
    runtime.start("c", "sh", "-c", "while :; do :; done", change=limited)
    time.sleep(0.5)
    event = json.loads(runtime("events", "--stats", name, check=0).out)
    assert (event["type"], event["id"]) == ("stats", name)
    data = event["data"]
    assert data["cpu"]["usage"]["total"] > 200_000_000 and data["pids"] == {"current": 1, "limit": 50}
    assert data["memory"]["usage"]["limit"] == 64 << 20 and data["memory"]["usage"]["usage"] > 100_000
    assert "greater than 0" in runtime("events", "--interval", "0s", name, check=1).err
    runtime("kill", name, "KILL", check=0)
    wait_until(lambda: runtime.status("c") == "stopped")
    assert f"container with id {name} is not running" in runtime("events", "--stats", name, check=1).err


def test_events_have_the_form_of_runcs(ours):
    """Both programs look at one container's cgroups."""
    if not PROGRAMS["runc"]:
        pytest.skip("no runc on this machine")
    if is_version_2():
        pytest.skip("with version 2 of cgroups runc 1.1 does not have all members")
    forms = []
    for number, program in enumerate((ours.program, PROGRAMS["runc"])):
        runtime = Runtime(program, ours.directory / str(number), ours.bundle / "rootfs")
        try:
            runtime.start("c", change=limited)
            forms.append(form(json.loads(runtime("events", "--stats", runtime.id("c"), check=0).out)))
        finally:
            runtime.clean()
    assert forms[0] == forms[1]


def test_events_tell_of_a_kill_for_want_of_memory(runtime):
    runtime.start("c", "sh", "-c", "while :; do sleep 0.2; done", change=limited)
    words = [runtime.program, "--root", runtime.root, "events", "--interval", "200ms", runtime.id("c")]
    with subprocess.Popen(list(map(str, words)), stdout=subprocess.PIPE, text=True) as events:
        assert json.loads(events.stdout.readline())["type"] == "stats"
        runtime("exec", runtime.id("c"), "sh", "-c", "x=$(cat /dev/zero | tr '\\0' x)")
        kinds = []
        while "oom" not in kinds:
            assert len(kinds) < 100
            kinds.append(json.loads(events.stdout.readline())["type"])
        runtime("delete", "--force", runtime.id("c"), check=0)
        events.stdout.read()
