# SPDX-License-Identifier: Apache-2.0
"""swrun-supervisor by itself, driven by containerd's own client: with our shim and with containerd's."""
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess

import pexpect
import pytest

from harness import BIN, CGROUP_ROOT, remove_empty_cgroups, run, wait_until

RUNTIMES = ["io.containerd.swrun.v2", "io.containerd.runc.v2"]
IMAGE = "docker.io/library/busybox:latest"


class Supervisor:
    """One supervisor with its own directories and a namespace of its own."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.address = self.directory / "state" / "supervisor.sock"
        self.namespace = f"swrun-ctr-{os.getpid()}"
        self.process = None

    def start(self, *flags, environment=None):
        log = open(self.directory / "supervisor.log", "ab")
        command = [BIN / "swrun-supervisor", "--root", self.directory / "root", "--state", self.directory / "state" / "s",
                   "--address", self.address, "--log-level", "debug", *flags]
        self.process = subprocess.Popen([str(part) for part in command], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                        env=environment)
        log.close()
        wait_until(lambda: self.ctr("version", check=False).code == 0, 30, "an answer of the supervisor")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(10)

    def ctr(self, *arguments, **options):
        return run("ctr", "--connect-timeout", "2s", "-a", self.address, "-n", self.namespace, *arguments, **options)

    def tasks(self):
        """{id: (pid, status)}"""
        rows = [line.split() for line in self.ctr("tasks", "ls").splitlines()[1:]]
        return {row[0]: (int(row[1]), row[2]) for row in rows}

    def remove(self, name):
        self.ctr("tasks", "rm", "-f", name, check=False)
        self.ctr("containers", "rm", name, check=False)


@pytest.fixture(scope="module")
def supervisor(images, tmp_path_factory):
    supervisor = Supervisor(tmp_path_factory.mktemp("supervisor"))
    supervisor.start()
    supervisor.ctr("images", "import", images / "archive" / "busybox.tar")
    yield supervisor
    for name in supervisor.ctr("containers", "ls", "-q").split():
        supervisor.remove(name)
    assert supervisor.stop() == 0
    assert not supervisor.address.exists()
    for controller in CGROUP_ROOT.iterdir():
        remove_empty_cgroups(controller / supervisor.namespace)


@pytest.fixture(params=RUNTIMES)
def runtime(request):
    return request.param


@pytest.fixture
def name(supervisor):
    name = "c" + os.urandom(4).hex()
    yield name
    supervisor.remove(name)


def parent_of(pid):
    return int(re.search(r"^PPid:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M).group(1))


def runs(pid):
    """Whether the process is there and no zombie."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_lists(supervisor):
    assert "Server:" in supervisor.ctr("version")
    assert supervisor.namespace in supervisor.ctr("namespaces", "ls", "-q").split()
    assert supervisor.ctr("images", "ls", "-q").split() == [IMAGE]
    assert supervisor.ctr("content", "ls", "-q").split()
    assert "Committed" in supervisor.ctr("snapshots", "ls")
    assert "overlayfs" in supervisor.ctr("plugins", "ls")
    for what in ("containers", "tasks", "leases"):
        assert supervisor.ctr(what, "ls").code == 0


def test_the_namespace_is_required(supervisor):
    """containerd refuses what belongs to a namespace when none is named."""
    failure = ttrpc(supervisor, "containerd.services.containers.v1.Containers", "List", namespace=None)
    assert b"namespace is required" in failure


def test_both_sockets_are_for_root_and_its_group(supervisor):
    for path in (supervisor.address, pathlib.Path(f"{supervisor.address}.ttrpc")):
        assert path.stat().st_mode & 0o777 == 0o660


def test_a_second_instance_is_refused(supervisor):
    again = run(BIN / "swrun-supervisor", "--root", supervisor.directory / "root", "--state",
                supervisor.directory / "other", "--address", supervisor.directory / "other.sock", check=False)
    assert again.code == 1
    assert "another instance is running" in again.err


@pytest.mark.parametrize("arguments, text", [
    (["--no-such-flag"], "unknown flag"), (["extra"], "unexpected argument"), (["--log-level", "loud"], "log level"),
    (["--root", "relative"], "absolute path"),
])
def test_bad_command_lines(arguments, text):
    result = run(BIN / "swrun-supervisor", *arguments, check=False)
    assert result.code != 0
    assert text in result.err


def test_pull_over_plain_http(supervisor, registry):
    reference = "127.0.0.1:5100/library/busybox:latest"
    supervisor.ctr("images", "pull", "--plain-http", reference)
    assert reference in supervisor.ctr("images", "ls", "-q").split()
    supervisor.ctr("images", "rm", reference)


def test_an_import_of_many_layers(supervisor, images):
    """So many calls on one connection that Go's client sends hundreds of pings to measure it."""
    supervisor.ctr("images", "import", "--all-platforms", images / "archive" / "layers60.tar")
    name = next(name for name in supervisor.ctr("images", "ls", "-q").splitlines() if "layers60" in name)
    supervisor.ctr("images", "rm", "--sync", name)


def test_run_passes_output_and_exit_code(supervisor, runtime, name):
    result = supervisor.ctr("run", "--rm", "--runtime", runtime, IMAGE, name, "sh", "-c", "echo out; echo err >&2; exit 3",
                            check=False)
    assert (result.code, result.out, result.err) == (3, "out\n", "err\n")
    assert name not in supervisor.tasks()
    assert name not in supervisor.ctr("containers", "ls", "-q").split()


def test_run_on_a_terminal(supervisor, runtime, name):
    child = pexpect.spawn("ctr", ["-a", str(supervisor.address), "-n", supervisor.namespace, "run", "--rm", "-t",
                                  "--runtime", runtime, IMAGE, name, "sh"], timeout=20)
    child.expect("# ")
    child.sendline("test -t 0 && echo is a $((1+1))nd terminal; exit 4")
    child.expect("is a 2nd terminal")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 4


def test_exec_kill_and_remove(supervisor, runtime, name):
    supervisor.ctr("run", "-d", "--runtime", runtime, IMAGE, name, "sleep", "1000")
    pid, status = supervisor.tasks()[name]
    assert status == "RUNNING"
    result = supervisor.ctr("tasks", "exec", "--exec-id", "e", name, "sh", "-c", "echo in; exit 5", check=False)
    assert (result.code, result.out) == (5, "in\n")
    supervisor.ctr("tasks", "pause", name)
    assert supervisor.tasks()[name] == (pid, "PAUSED")
    supervisor.ctr("tasks", "resume", name)
    assert str(pid) in supervisor.ctr("tasks", "ps", name)
    refused = supervisor.ctr("tasks", "rm", name, check=False)
    assert refused.code != 0
    supervisor.ctr("tasks", "kill", "-s", "SIGKILL", name)
    wait_until(lambda: supervisor.tasks()[name][1] == "STOPPED", what="the task's end")
    removed = supervisor.ctr("tasks", "rm", name, check=False)
    assert "137" in removed.err
    assert name not in supervisor.tasks()


@pytest.mark.parametrize("arguments, text", [
    (["run", "--rm", "--runtime", "io.containerd.nowhere.v9", IMAGE, "x1", "true"], "no program"),
    (["run", "--rm", IMAGE + "-none", "x2", "true"], "not found"),
    (["run", "--rm", "--runtime", RUNTIMES[0], IMAGE, "x3", "/no/such/program"], "no such file"),
    (["tasks", "kill", "nobody"], "not found"),
    (["containers", "rm", "nobody"], "not found"),
    (["content", "get", "sha256:" + "0" * 64], "not found"),
])
def test_failures_have_reasons_and_leave_nothing(supervisor, arguments, text):
    result = supervisor.ctr(*arguments, check=False)
    assert result.code != 0
    assert text in result.err
    supervisor.ctr("containers", "rm", "x1", "x3", check=False)
    assert not list((supervisor.directory / "state/s/shims" / supervisor.namespace).glob("x*"))


def test_a_killed_supervisor_loses_no_task(supervisor, runtime, name):
    supervisor.ctr("run", "-d", "--runtime", runtime, IMAGE, name, "sh", "-c",
                   "while ! test -e /end; do sleep 0.1; done; exit 7")
    before = supervisor.tasks()[name]
    supervisor.kill()
    supervisor.start()
    assert supervisor.tasks()[name] == before
    supervisor.ctr("tasks", "exec", "--exec-id", "e", name, "touch", "/end")
    wait_until(lambda: supervisor.tasks()[name][1] == "STOPPED", what="the task's end")
    assert "exit code 7" in supervisor.ctr("tasks", "rm", name, check=False).err


def test_an_exit_while_the_supervisor_is_away_is_kept(supervisor, runtime, name):
    supervisor.ctr("run", "-d", "--runtime", runtime, IMAGE, name, "sh", "-c", "sleep 0.5; exit 9")
    pid = supervisor.tasks()[name][0]
    supervisor.kill()
    wait_until(lambda: not runs(pid), what="the container's end")
    supervisor.start()
    assert supervisor.tasks()[name] == (pid, "STOPPED")
    assert "exit code 9" in supervisor.ctr("tasks", "rm", name, check=False).err


@pytest.mark.parametrize("is_away", [False, True], ids=["supervisor up", "supervisor away"])
def test_a_killed_shim_takes_its_container_along(supervisor, runtime, name, is_away):
    supervisor.ctr("run", "-d", "--runtime", runtime, IMAGE, name, "sleep", "1000")
    pid = supervisor.tasks()[name][0]
    if is_away:
        supervisor.kill()
    os.kill(parent_of(pid), signal.SIGKILL)
    if is_away:
        supervisor.start()
    wait_until(lambda: not runs(pid), what="the container's end")
    wait_until(lambda: supervisor.tasks()[name][1] == "STOPPED", what="the task's end")
    assert "exit code 137" in supervisor.ctr("tasks", "rm", name, check=False).err
    assert name not in supervisor.tasks()
    assert not (supervisor.directory / "state/s/shims" / supervisor.namespace / name).exists()


def test_containers_outlive_a_stopped_supervisor(supervisor, name):
    supervisor.ctr("run", "-d", "--runtime", RUNTIMES[0], IMAGE, name, "sleep", "1000")
    before = supervisor.tasks()[name]
    assert supervisor.stop() == 0
    assert runs(before[0])
    supervisor.start()
    assert supervisor.tasks()[name] == before


def test_malformed_ttrpc_hurts_nobody_else(supervisor):
    for garbage in (b"\xff" * 64, b"\0" * 10, struct.pack(">IIBB", 3, 1, 1, 0) + b"\xff\xff\xff",
                    struct.pack(">IIBB", 1 << 30, 1, 1, 0)):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(f"{supervisor.address}.ttrpc")
            connection.sendall(garbage)
    answer = ttrpc(supervisor, "containerd.services.version.v1.Version", "Version")
    assert b"swrun" in answer


def test_the_standard_runtime_is_ours_where_containerd_is_not_installed(images, tmp_path):
    """Clients ask for io.containerd.runc.v2 if they are not told another."""
    alone = Supervisor(tmp_path)
    alone.start(environment={"PATH": "/nowhere"})
    try:
        alone.ctr("images", "import", images / "archive" / "busybox.tar")
        assert alone.ctr("run", "--rm", IMAGE, "c1", "echo", "hello") == "hello"
    finally:
        assert alone.stop() == 0
        for controller in CGROUP_ROOT.iterdir():
            remove_empty_cgroups(controller / alone.namespace)


def test_clients_that_ask_for_health_are_told_that_all_is_served(supervisor):
    """containerd's clients wait for gRPC's health service before they ask for anything else."""
    answer = ttrpc(supervisor, "grpc.health.v1.Health", "Check")
    assert answer.endswith(b"\x12\x02\x08\x01")  # the payload: status 1, SERVING


def test_a_half_made_task_is_cleared_away(supervisor, runtime, name):
    """The supervisor died after it had started the shim and before it had noted the shim's socket."""
    supervisor.ctr("run", "-d", "--runtime", runtime, IMAGE, name, "sleep", "1000")
    pid = supervisor.tasks()[name][0]
    shim = parent_of(pid)
    supervisor.kill()
    bundle = supervisor.directory / "state/s/shims" / supervisor.namespace / name
    (bundle / "address").unlink()
    supervisor.start()
    wait_until(lambda: not runs(pid) and not runs(shim), what="the end of shim and container")
    assert name not in supervisor.tasks()
    assert not bundle.exists()


def ttrpc(supervisor, service, method, namespace="test"):
    """The answer's payload of one call with an empty request."""

    def field(number, value):
        assert len(value) < 128
        return bytes([number << 3 | 2, len(value)]) + value

    request = field(1, service.encode()) + field(2, method.encode())
    if namespace:
        request += field(5, field(1, b"containerd-namespace-ttrpc") + field(2, namespace.encode()))
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(f"{supervisor.address}.ttrpc")
        connection.sendall(struct.pack(">IIBB", len(request), 1, 1, 0) + request)
        stream = connection.makefile("rb")
        length, stream_id, kind, _ = struct.unpack(">IIBB", stream.read(10))
        assert (stream_id, kind) == (1, 2)
        return stream.read(length)


def test_metrics_of_tasks(supervisor, runtime, name):
    supervisor.ctr("run", "-d", "--runtime", runtime, IMAGE, name, "sleep", "1000")
    rows = [line.split() for line in supervisor.ctr("tasks", "metrics", name).splitlines()]
    values = {row[0]: row[1] for row in rows if len(row) == 2}
    assert values["pids.current"] == "1"
    assert int(next(value for key, value in values.items() if key.startswith("memory.usage"))) > 50_000
