# SPDX-License-Identifier: Apache-2.0
"""The runtime as a user who is not root, with a real unprivileged user: what `spec --rootless` describes, and several
ranges of ids by newuidmap(1). Each case also runs on Debian's runc where that can do it."""
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest
from runtime_driver import Runtime
from test_runtime import PROGRAMS, rootfs  # noqa: F401 (fixture)

USER = 54321
SUBORDINATE = 654321


class UserRuntime(Runtime):
    """A runtime that an unprivileged user runs, with a bundle of its own."""

    def __init__(self, program, directory, rootfs):
        super().__init__(program, directory, rootfs)
        self.program, self.as_user = "/usr/bin/setpriv", str(program)
        self.spec()

    def __call__(self, *arguments, check=None, **options):
        self.log.unlink(missing_ok=True)
        command = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", self.as_user, "--root", self.root,
                   "--log", self.log, "--log-format", "json", *map(str, arguments)]
        result = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60,
                                **{"stdin": subprocess.DEVNULL, **options})
        result.out, result.err = result.stdout, result.stderr.strip()
        if check is not None:
            assert result.returncode == check, (command, result.returncode, result.err)
        return result

    def spec(self):
        self.own()
        self("spec", "--bundle", self.bundle, "--rootless", check=0)

    def own(self):
        subprocess.run(["chown", "-hR", f"{USER}:{USER}", self.directory], check=True)

    def write(self, *args, change=None):
        """The example, changed."""
        path = self.bundle / "config.json"
        value = json.loads(path.read_text())
        value["process"].update(args=list(args), terminal=False)
        if change:
            change(value)
        path.write_text(json.dumps(value))

    def run(self, *args, change=None, check=0):
        self.write(*args, change=change)
        return self("run", "--bundle", self.bundle, self.id("r" + os.urandom(2).hex()), check=check)

    def start(self, name, *args, change=None):
        self.write(*(args or ("sleep", "1000")), change=change)
        pid_file = self.directory / "pid"
        subprocess.run(["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", self.as_user, "--root", self.root,
                        "run", "--detach", "--bundle", self.bundle, "--pid-file", pid_file, self.id(name)],
                       check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        return int(pid_file.read_text())


@pytest.fixture(params=["swrunc", "runc"])
def user_runtime(request, rootfs):  # noqa: F811
    yield from make(request.param, rootfs)


@pytest.fixture
def our_user_runtime(rootfs):  # noqa: F811
    yield from make("swrunc", rootfs)


def make(name, rootfs):  # noqa: F811
    if not PROGRAMS[name]:
        pytest.skip(f"no {name} on this machine")
    directory = pathlib.Path(tempfile.mkdtemp(prefix="swrun-rootless-"))  # pytest's own are closed to other users
    directory.chmod(0o755)
    program = shutil.copy(PROGRAMS[name], directory / name)
    runtime = UserRuntime(program, directory, rootfs)
    yield runtime
    runtime.clean()
    shutil.rmtree(directory)


@contextlib.contextmanager
def subordinate_ids():
    """Gives the user a range of ids, as an administrator does (subuid(5))."""
    files = [pathlib.Path("/etc", name) for name in ("subuid", "subgid", "passwd")]
    before = {path: path.read_text() if path.exists() else None for path in files}
    try:
        for path in files[:2]:
            path.write_text((before[path] or "") + f"swrun-user:{SUBORDINATE}:65536\n")
        files[2].write_text(before[files[2]] + f"swrun-user:x:{USER}:{USER}::/:/bin/sh\n")
        yield
    finally:
        for path, text in before.items():
            path.unlink() if text is None else path.write_text(text)


def test_life_of_a_container(user_runtime):
    pid = user_runtime.start("c")
    assert os.stat(f"/proc/{pid}").st_uid == USER
    state = json.loads(user_runtime("state", user_runtime.id("c"), check=0).out)
    assert (state["status"], state["pid"]) == ("running", pid)
    assert user_runtime("exec", user_runtime.id("c"), "sh", "-c", "id -u; hostname; echo $$", check=0).out.split()[0] == "0"
    assert os.readlink(f"/proc/{pid}/ns/user") != os.readlink("/proc/self/ns/user")
    maps = user_runtime("exec", user_runtime.id("c"), "cat", "/proc/self/uid_map", "/proc/self/setgroups", check=0).out
    assert maps.split() == ["0", str(USER), "1", "deny"]
    user_runtime("kill", user_runtime.id("c"), "KILL", check=0)
    user_runtime("delete", "--force", user_runtime.id("c"), check=0)
    assert not (user_runtime.root / user_runtime.id("c")).exists()


def test_run_gives_the_exit_code_and_what_is_seen(user_runtime):
    assert user_runtime.run("sh", "-c", "exit 42", check=42).out == ""
    seen = user_runtime.run("sh", "-c", "id -u; cat /proc/1/comm; ls /dev/null /dev/tty /sys/kernel /dev/pts/ptmx >&2").out
    assert seen.split() == ["0", "sh"]


def test_create_and_start(user_runtime):
    user_runtime.write("sh", "-c", "touch /tmp/x && sleep 1000", change=lambda value: value["root"].update(readonly=False))
    command = ["create", "--bundle", user_runtime.bundle, user_runtime.id("c")]
    subprocess.run(["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", user_runtime.as_user, "--root",
                    user_runtime.root, *command], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    assert user_runtime.status("c") == "created"
    user_runtime("start", user_runtime.id("c"), check=0)
    assert user_runtime.status("c") == "running"


def test_several_ranges_of_ids(user_runtime):
    if not shutil.which("newuidmap"):
        pytest.skip("no newuidmap on this machine")

    def change(value):
        for kind in ("uidMappings", "gidMappings"):
            value["linux"][kind].append({"containerID": 1, "hostID": SUBORDINATE, "size": 1000})
        value["process"]["user"] = {"uid": 7, "gid": 8}

    with subordinate_ids():
        seen = user_runtime.run("sh", "-c", "id -u; id -g; cat /proc/self/uid_map /proc/self/setgroups", change=change).out
    assert seen.split() == ["7", "8", "0", str(USER), "1", "1", str(SUBORDINATE), "1000", "allow"]


def test_ids_that_are_not_the_users(user_runtime):
    def change(value):
        value["linux"]["uidMappings"].append({"containerID": 1, "hostID": 0, "size": 1})

    assert "newuidmap" in user_runtime.run("true", change=change, check=1).err or not user_runtime.as_user.endswith("swrunc")


def test_no_user_namespace(user_runtime):
    def change(value):
        value["linux"]["namespaces"] = [n for n in value["linux"]["namespaces"] if n["type"] != "user"]
        del value["linux"]["uidMappings"], value["linux"]["gidMappings"]

    assert "rootless container requires user namespaces" in user_runtime.run("true", change=change, check=1).err


def test_additional_groups(user_runtime):
    def change(value):
        value["process"]["user"]["additionalGids"] = [5]

    assert "cannot set any additional groups in a rootless container" in user_runtime.run("true", change=change, check=1).err


def test_an_option_with_an_id_that_is_not_mapped(user_runtime):
    def change(value):
        pts = next(mount for mount in value["mounts"] if mount["type"] == "devpts")
        pts["options"].append("gid=5")

    err = user_runtime.run("true", change=change, check=1).err
    assert err.startswith("runc run failed: cannot specify gid=") and "rootless container" in err


def test_limits_need_a_cgroup(user_runtime):
    def limits(value):
        value["linux"]["resources"] = {"pids": {"limit": 100}}

    err = user_runtime.run("true", change=limits, check=1).err
    assert "rootless needs no limits + no cgrouppath" in err or "container could not join or create cgroup" in err


def test_a_cgroup_that_may_not_be_made(user_runtime):
    def place(value):
        value["linux"]["cgroupsPath"] = "/swrun-not-allowed/c"

    err = user_runtime.run("true", change=place, check=1).err
    assert "unable to apply cgroup configuration" in err and "permission denied" in err


def test_root_of_a_user_namespace(our_user_runtime):
    """As podman of an unprivileged user calls its runtime: root, but not of the host."""
    runtime = our_user_runtime

    def change(value):
        value["linux"]["namespaces"] = [n for n in value["linux"]["namespaces"] if n["type"] != "user"]
        del value["linux"]["uidMappings"], value["linux"]["gidMappings"]

    runtime.write("sh", "-c", "id -u; ls -l /dev/null | cut -c1", change=change)
    command = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "unshare", "--user", "--map-root-user", "--mount",
               runtime.as_user, "--root", runtime.root, "run", "--bundle", runtime.bundle, runtime.id("c")]
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert (result.returncode, result.stdout.split()) == (0, ["0", "c"]), result.stderr


def test_the_root_of_a_user(our_user_runtime):
    runtime = our_user_runtime
    (runtime.directory / "xdg").mkdir()
    runtime.write("sleep", "1000")
    runtime.own()
    environment = {"PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": str(runtime.directory / "xdg")}
    base = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", runtime.as_user]
    subprocess.run([*base, "run", "--detach", "--bundle", runtime.bundle, runtime.id("c")], check=True, env=environment,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        assert (runtime.directory / "xdg" / "swrunc" / runtime.id("c")).is_dir()
    finally:
        subprocess.run([*base, "delete", "--force", runtime.id("c")], check=True, env=environment)
