# SPDX-License-Identifier: Apache-2.0
"""swrunc below the programs that call a runtime: dockerd with containerd, containerd alone with its own shim, podman with
conmon. The same steps with Debian's runc and crun in its place show that they are right."""
import os
import pathlib
import shutil
import subprocess
import tempfile

import pexpect
import pytest

from harness import BIN, remove_empty_trees, run, wait_until
from test_shim_containerd import Containerd, write_image

PROGRAMS = {"swrunc": BIN / "swrunc", "runc": shutil.which("runc"), "crun": shutil.which("crun")}
# Debian's crun refuses hosts that have both cgroup versions mounted: the daemons have version 1 alone, where both are.
ONE_VERSION = ["unshare", "--mount", "--propagation", "private", "sh", "-c",
               'umount /sys/fs/cgroup/unified 2>/dev/null; exec "$@"', "sh"]
LIMITS = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]


def needs(*programs):
    return pytest.mark.skipif(not all(map(shutil.which, programs)), reason=" or ".join(programs) + " is missing")


class DockerCommands:
    """What docker's and podman's command lines have in common; `self.words` are the words before the command."""

    def __call__(self, *arguments, **options):
        return run(*self.words, *arguments, timeout=60, **options)

    def run(self, runtime, *command):
        return self("run", "--rm", *self.choose(runtime), "busybox", *command, check=False)

    def start(self, runtime, name):
        self("run", "-d", "--name", name, *self.choose(runtime), "busybox", "sh", "-c",
             "trap 'exit 5' TERM; while :; do sleep 0.1; done")

    def execute(self, name, *command):
        return self("exec", name, *command, check=False)

    def terminal(self, name, *command):
        return pexpect.spawn(self.words[0], [*map(str, self.words[1:]), "exec", "-it", name, *command], timeout=20,
                             dimensions=(31, 91))

    def pause(self, name):
        self("pause", name)

    def resume(self, name):
        self("unpause", name)

    def status(self, name):
        return self("inspect", "-f", "{{.State.Status}}", name)

    def processes(self, name):
        return int(self("stats", "--no-stream", "--format", "{{.PIDs}}", name))

    def end(self, name, signal):
        """Stops the container and gives its exit code."""
        self(*(["stop", "-t", "10"] if signal == "TERM" else ["kill", "-s", signal]), name)
        code = int(self("wait", name))
        self("rm", "-f", name)
        return code


class Podman(DockerCommands):
    def __init__(self, runtime, base, archive):
        self.words = ["podman", "--root", base / "root", "--runroot", base / "run", "--runtime", PROGRAMS[runtime],
                      "--cgroup-manager", "cgroupfs", "--events-backend", "none"]
        self("load", "-q", "-i", archive)

    def choose(self, runtime):
        return [*LIMITS, "--network", "none"]


class Docker(DockerCommands):
    def __init__(self, base, archive):
        self.words = ["docker", "-H", f"unix://{base}/docker.sock"]
        added = [f"--add-runtime={name}={path}" for name, path in PROGRAMS.items() if path and name != "runc"]
        self.log = open(base / "log", "wb")
        self.cgroup_parent = f"swrun-dockerd-{os.getpid()}"
        self.process = subprocess.Popen(
            [*ONE_VERSION, "dockerd", "--data-root", base / "root", "--exec-root", base / "exec", "-p", base / "pid",
             "-H", self.words[2], "--cgroup-parent", "/" + self.cgroup_parent, "--exec-opt",
             "native.cgroupdriver=cgroupfs", "--bridge", "none", "--iptables=false", *added],
            stdout=self.log, stderr=self.log)
        wait_until(lambda: self("version", check=False).code == 0, what="dockerd")
        self("load", "-q", "-i", archive)

    def choose(self, runtime):
        return ["--runtime", runtime, "--network", "none"]

    def stop(self):
        self.process.terminate()
        self.process.wait(30)
        remove_empty_trees(self.cgroup_parent)


class Ctr:
    """containerd's own client, with containerd's own shim."""

    def __init__(self, base, archive):
        self.daemon = Containerd(base, ONE_VERSION)
        write_image(base / "image.tar", base)
        assert self.daemon.ctr("images", "import", "--base-name", "bb", base / "image.tar").returncode == 0

    def __call__(self, *arguments, **options):
        return run(*self.daemon.words(*arguments), timeout=60, **options)

    def choose(self, runtime):
        return ["--runtime", "io.containerd.runc.v2", "--runc-binary", PROGRAMS[runtime]]

    def run(self, runtime, *command):
        return self("run", "--rm", *self.choose(runtime), "bb:latest", "once", *command, check=False)

    def start(self, runtime, name):
        self("run", "-d", *self.choose(runtime), "bb:latest", name, "sh", "-c",
             "trap 'exit 5' TERM; while :; do sleep 0.1; done")

    def execute(self, name, *command):
        return self("tasks", "exec", "--exec-id", "x" + os.urandom(3).hex(), name, *command, check=False)

    def terminal(self, name, *command):
        words = self.daemon.words("tasks", "exec", "--exec-id", "t1", "-t", name, *command)
        return pexpect.spawn(words[0], words[1:], timeout=20, dimensions=(31, 91))

    def pause(self, name):
        self("tasks", "pause", name)

    def resume(self, name):
        self("tasks", "resume", name)

    def status(self, name):
        rows = [line.split() for line in self("tasks", "ls").splitlines()]
        return next((row[2].lower() for row in rows if row[0] == name), None)

    def processes(self, name):
        rows = dict(line.split()[:2] for line in self("tasks", "metrics", name).splitlines() if len(line.split()) == 2)
        return int(rows["pids.current"])

    def end(self, name, signal):
        self("tasks", "kill", "-s", signal, name)
        wait_until(lambda: self.status(name) == "stopped")
        code = self("tasks", "rm", name, check=False).err
        self("containers", "rm", name)
        return int(code.rsplit("exit code ", 1)[1].split("\"")[0].split()[0]) if "exit code" in code else 0

    def stop(self):
        self.daemon.destroy()


@pytest.fixture(scope="module")
def place():
    path = pathlib.Path(tempfile.mkdtemp(prefix="callers-", dir="/tmp"))
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module", params=[
    pytest.param(Docker, marks=needs("dockerd", "docker")), pytest.param(Ctr, marks=needs("containerd", "ctr"))])
def daemon(request, place, images):
    base = place / request.param.__name__
    base.mkdir()
    daemon = request.param(base, images / "archive" / "busybox.tar")
    yield daemon
    daemon.stop()


@pytest.fixture(params=PROGRAMS)
def runtime(request):
    if not PROGRAMS[request.param]:
        pytest.skip(f"no {request.param} on this machine")
    return request.param


@pytest.fixture(scope="module", params=["swrunc", "runc"])
def podman(request, place, images):
    if not shutil.which("podman") or not PROGRAMS[request.param]:
        pytest.skip(f"no podman or no {request.param}")
    base = place / f"podman-{request.param}"
    podman = Podman(request.param, base, images / "archive" / "busybox.tar")
    podman.runtime = request.param
    yield podman
    podman("rm", "-f", "-t", "0", "--all")
    subprocess.run(["umount", "-l", base / "root" / "overlay"], capture_output=True)


def check_run(caller, runtime):
    result = caller.run(runtime, "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (result.out, result.code) == ("out\n", 7) and "err" in result.err
    missing = caller.run(runtime, "nosuchcommand")
    assert missing.code != 0 and "nosuchcommand" in missing.err


def check_life(caller, runtime):
    """exec, a terminal, pause, statistics, stop: one container's life."""
    name = f"life-{runtime}"
    caller.start(runtime, name)
    assert caller.execute(name, "sh", "-c", "id -u; exit 3").code == 3
    assert caller.execute(name, "nosuchcommand").code != 0
    terminal = caller.terminal(name, "sh", "-c", "until stty size | grep '^31 91'; do sleep 0.1; done; exit 4")
    terminal.expect("31 91")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 4
    caller.pause(name)
    assert caller.status(name) == "paused"
    caller.resume(name)
    assert caller.status(name) == "running"
    assert 1 <= caller.processes(name) <= 3
    assert caller.end(name, "TERM") == 5


def test_run(daemon, runtime):
    check_run(daemon, runtime)


def test_life(daemon, runtime):
    check_life(daemon, runtime)


def test_kill(daemon, runtime):
    daemon.start(runtime, f"kill-{runtime}")
    assert daemon.end(f"kill-{runtime}", "KILL") == 137


def test_update(daemon, runtime):
    if isinstance(daemon, Ctr):
        pytest.skip("ctr has no update")
    name = f"update-{runtime}"
    daemon.start(runtime, name)
    daemon("update", "--pids-limit", "33", "--memory", "64m", "--memory-swap", "128m", name)
    files = "cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || " \
            "cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/memory.max"
    assert daemon.execute(name, "sh", "-c", files).split() == ["33", str(64 << 20)]
    assert daemon.end(name, "KILL") == 137


def test_podman_run(podman):
    check_run(podman, podman.runtime)


def test_podman_life(podman):
    check_life(podman, podman.runtime)


def test_podman_user_namespace(podman):
    maps = ["--uidmap", "0:100000:2000", "--gidmap", "0:100000:2000"]
    result = podman("run", "--rm", *podman.choose(podman.runtime), *maps, "busybox", "sh", "-c", "id -u; cat /proc/self/uid_map")
    assert result.split() == ["0", "0", "100000", "2000"]
