# SPDX-License-Identifier: Apache-2.0
"""Starting, killing and clearing away a stack, and running clients against it."""
import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

PROJECT = pathlib.Path(__file__).resolve().parent.parent
BIN = pathlib.Path(os.environ.get("SWRUN_BIN", PROJECT / "bin"))
TOOLS = pathlib.Path(__file__).resolve().parent / "tools"
CGROUP_ROOT = pathlib.Path("/sys/fs/cgroup")
REMOTE_ADDRESS = "192.0.2.10"  # on lo, but not a loopback address


class Result(str):
    """A command's standard output, with the rest as attributes: `result.code`, `result.err`."""

    def __new__(cls, completed):
        self = super().__new__(cls, completed.stdout.decode(errors="replace").rstrip("\n"))
        self.code = completed.returncode
        self.out = completed.stdout.decode(errors="replace")
        self.err = completed.stderr.decode(errors="replace")
        self.raw = completed.stdout
        return self


def run(*command, check=True, input=None, env=None, timeout=120, cwd=None):
    """Runs a command to its end; with `check`, a failure shows everything that it printed."""
    if isinstance(input, str):
        input = input.encode()
    stdin = {"input": input} if input is not None else {"stdin": subprocess.DEVNULL}
    completed = subprocess.run([str(part) for part in command], capture_output=True, timeout=timeout, cwd=cwd,
                               env={**os.environ, **(env or {})}, **stdin)
    result = Result(completed)
    if check and result.code != 0:
        raise AssertionError(f"{' '.join(map(str, command))} exited {result.code}\n--- stdout\n{result.out}\n--- stderr\n{result.err}")
    return result


def wait_until(condition, seconds=20, what="the condition"):
    """Polls until `condition()` is true and returns its value."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {seconds} s")
        time.sleep(0.05)


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path, timeout=60):
        super().__init__("d", timeout=timeout)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Stack:
    """One daemon with its own directories, socket, bridge and cgroup parent."""

    def __init__(self, directory, name, flags=()):
        self.directory = pathlib.Path(directory)
        self.root = self.directory / "root"
        self.state = self.directory / "state"
        self.socket = self.directory / "swrun.sock"
        self.supervisor_socket = self.state / "supervisor.sock"
        self.home = self.directory / "home"
        number = os.getpid() % 200 + (0 if name == "it" else 20)
        self.bridge = f"sw{name[:3]}{number}"
        self.subnet = f"10.{200 if name == 'it' else 201}.{number % 250}"
        self.cgroup_parent = f"/swrun-{name}-{os.getpid()}"
        # Also where systemd would make them.
        self.cgroup_flags = ["--cgroup-parent", self.cgroup_parent, "--exec-opt", "native.cgroupdriver=cgroupfs"]
        self.flags = list(flags)
        self.process = None
        for path in (self.root, self.state, self.home):
            path.mkdir(parents=True, exist_ok=True)

    # --- the daemon's life

    def start(self):
        log = open(self.directory / "swrund.log", "ab")
        command = [BIN / "swrund", "--data-root", self.root, "--exec-root", self.state, "-H", f"unix://{self.socket}",
                   "--pidfile", self.state / "swrund.pid", "--bridge", self.bridge, "--bip", f"{self.subnet}.1/24",
                   *self.cgroup_flags, "--log-level", "debug", *self.flags]
        self.process = subprocess.Popen([str(part) for part in command], stdout=log, stderr=log,
                                        stdin=subprocess.DEVNULL)
        log.close()
        wait_until(self.answers, 30, f"an answer of swrund (see {self.directory}/swrund.log)")

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"swrund ended with {self.process.returncode}:\n{self.log()[-4000:]}")
        return run("curl", "-s", "--max-time", "2", "--unix-socket", self.socket, "http://d/_ping", check=False) == "OK"

    def log(self):
        return (self.directory / "swrund.log").read_text(errors="replace")

    def stop(self):
        """Ends swrund as systemd would; containers go on."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)

    def kill_daemon(self):
        self.process.kill()
        self.process.wait()

    def supervisor_pid(self):
        return int((self.state / "supervisor.pid").read_text())

    def kill_supervisor(self):
        pid = self.supervisor_pid()
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not pathlib.Path(f"/proc/{pid}").exists(), 5, "the supervisor's end")

    def destroy(self):
        """Removes every container, ends both daemons and checks that they could be ended."""
        try:
            if self.process.poll() is not None:
                self.start()
            ids = self.docker("ps", "-aq", check=False).split()
            if ids:
                self.docker("rm", "-f", "-v", *ids, check=False)
            self.stop()
        finally:
            if self.process.poll() is None:
                self.kill_daemon()
            self.end_supervisor()
            remove_empty_trees(self.cgroup_parent.strip("/"))

    def end_supervisor(self):
        try:
            pid = self.supervisor_pid()
            os.kill(pid, signal.SIGTERM)
        except (OSError, ValueError):
            return
        wait_until(lambda: not pathlib.Path(f"/proc/{pid}").exists(), 20, "the supervisor's end")

    # --- clients

    def environment(self):
        return {"PATH": os.environ["PATH"], "DOCKER_HOST": f"unix://{self.socket}", "HOME": str(self.home),
                "DOCKER_CONFIG": str(self.home / ".docker"), "LC_ALL": "C.UTF-8"}

    def docker(self, *arguments, **options):
        """The real docker client where there is one, else ours."""
        program = shutil.which("docker") or BIN / "swrun"
        return run(program, *arguments, env=self.environment(), **options)

    def background(self, *arguments):
        """Starts the real docker client, or ours, and does not wait; its output goes nowhere."""
        program = shutil.which("docker") or BIN / "swrun"
        return subprocess.Popen([str(program), *arguments], env={**os.environ, **self.environment()},
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def swrun(self, *arguments, **options):
        return run(BIN / "swrun", *arguments, env=self.environment(), **options)

    def ctr(self, *arguments, **options):
        return run("ctr", "-a", self.supervisor_socket, *arguments, **options)

    def curl(self, path, *options, **more):
        return run("curl", "-s", "-g", "--max-time", "20", "--unix-socket", self.socket, f"http://d{path}", *options, **more)

    def inspect(self, name):
        return json.loads(self.docker("inspect", name))[0]


@contextlib.contextmanager
def fresh_stack(images, flags=()):
    """A stack with busybox loaded, in a directory that goes with it."""
    with tempfile.TemporaryDirectory(prefix="swrun-it-") as directory:
        stack = Stack(directory, name="own", flags=flags)
        stack.start()
        stack.docker("load", "-q", "-i", images / "archive" / "busybox.tar")
        try:
            yield stack
        finally:
            stack.destroy()


def remove_empty_trees(name):
    """Cgroups of this name at the top of the unified hierarchy and of each of version 1."""
    for place in [CGROUP_ROOT / name, *CGROUP_ROOT.glob("*/" + name)]:
        remove_empty_cgroups(place)


def remove_empty_cgroups(path):
    if not path.is_dir():
        return
    for child in path.iterdir():
        if child.is_dir():
            remove_empty_cgroups(child)
    try:
        path.rmdir()
    except OSError:
        pass  # the leak check names it


def snapshot_of_host():
    """Everything of the kinds that a container stack may leave behind."""
    mounts = {line.split()[4] for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines()}
    links = set(re.findall(r"^\d+: ([^:@]+)", run("ip", "-o", "link").out, re.M))
    tables = set(run("nft", "list", "tables").out.splitlines())
    cgroups = groups_below(CGROUP_ROOT) - neighbours_cgroups()
    temporary = {str(path) for path in pathlib.Path("/tmp").glob("swrun*")}
    return {"mounts": mounts, "links": links, "nft tables": tables, "cgroups": cgroups, "temporary": temporary,
            "processes": our_processes(), "network namespaces": network_namespaces()}


def groups_below(directory):
    """The directory and all below it; os.walk passes over those that go meanwhile."""
    return {path for path, _, _ in os.walk(directory)}


def neighbours_cgroups():
    """The groups beside the one that we run in: whoever put us there makes and removes them while we work."""
    found = set()
    for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines():
        parent = line.split(":", 2)[2].rpartition("/")[0].strip("/")
        if parent:
            for top in [CGROUP_ROOT / parent, *CGROUP_ROOT.glob(f"*/{parent}")]:
                found |= groups_below(top)
    return found


def our_processes():
    found = set()
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            executable = os.readlink(entry / "exe")
            state = (entry / "stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            continue
        if executable.startswith(str(BIN)) and state != "Z":
            found.add(f"{entry.name} {executable}")
    return found


def network_namespaces():
    """Namespaces that a process or a mount holds, other than those of the harness itself."""
    found = set()
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            found.add(os.readlink(entry / "ns/net"))
        except OSError:
            pass
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        match = re.search(r" (net:\[\d+\]) ", line)
        if match:
            found.add(match.group(1))
    return found
