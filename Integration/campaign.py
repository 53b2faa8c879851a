# SPDX-License-Identifier: Apache-2.0
"""A campaign against the stack's own programs: clients work while one of the programs is killed, and a ledger says what
the stack has acknowledged and must therefore know afterwards."""
import concurrent.futures
import http.client
import json
import os
import pathlib
import re
import signal
import struct
import threading
import time

from harness import BIN, UnixConnection, run, wait_until

LINES = 20
JOB = f"i=0; while [ $i -lt {LINES} ]; do echo line $i; i=$((i+1)); done; exit 7"
GONE = (OSError, http.client.HTTPException)


def call(stack, method, path, body=None, timeout=60):
    """Status and content; (None, None) if the daemon was gone before the answer was complete."""
    connection = UnixConnection(stack.socket, timeout)
    try:
        text = None if body is None else json.dumps(body)
        connection.request(method, path, text, {} if text is None else {"Content-Type": "application/json"})
        answer = connection.getresponse()
        content = answer.read()
    except GONE:
        return None, None
    finally:
        connection.close()
    is_json = answer.getheader("Content-Type", "").startswith("application/json")
    return answer.status, json.loads(content) if is_json and content else content


def frames(content):
    """The bytes of a multiplexed stream."""
    found, place = b"", 0
    while place < len(content):
        length = struct.unpack(">I", content[place + 4:place + 8])[0]
        found += content[place + 8:place + 8 + length]
        place += 8 + length
    return found


class Life:
    """One container's life, and what of it was acknowledged."""

    def __init__(self, stack, name, is_job):
        self.stack, self.name, self.is_job = stack, name, is_job
        self.created = self.started = self.stopped = self.removed = False
        self.tried_stop = self.tried_removal = self.shim_died = False
        self.id = self.pid = None
        self.faults = []

    def call(self, method, rest, body=None):
        return call(self.stack, method, f"/containers/{self.name}{rest}", body)

    def live(self):
        """Creates, starts, execs, stops and removes, as far as the daemon answers."""
        command = ["sh", "-c", JOB] if self.is_job else ["sleep", "1000"]
        body = {"Image": "busybox", "Cmd": command, "StopSignal": "SIGKILL"}
        status, content = call(self.stack, "POST", f"/containers/create?name={self.name}", body)
        self.created = self.accept(status, content, 201)
        if not self.created:
            return
        self.id = content["Id"]
        self.started = self.accept(*self.call("POST", "/start"), 204)
        if not self.started:
            return
        if self.is_job:
            return
        status, content = self.call("GET", "/json")
        self.pid = content["State"]["Pid"] if status == 200 else None
        self.exec()
        if self.name.endswith(("0", "1")):  # the others are left as they are
            self.tried_stop = True
            self.stopped = self.accept(*self.call("POST", "/stop"), 204)
        if self.stopped and self.name.endswith("0"):
            self.tried_removal = True
            self.removed = self.accept(*self.call("DELETE", ""), 204)

    def accept(self, status, content, wanted):
        """Whether the daemon has acknowledged. What it refuses must be another program's death, said as such."""
        if status not in (wanted, None, 304, 404, 409, 500, 503, 400):
            self.faults.append(f"{self.name}: status {status}: {content}")
        return status == wanted

    def exec(self):
        status, content = self.call("POST", "/exec", {"Cmd": ["sh", "-c", "echo out; exit 3"], "AttachStdout": True})
        if status != 201:
            return
        ident = content["Id"]
        status, content = call(self.stack, "POST", f"/exec/{ident}/start", {})
        if status != 200:
            return
        code = call(self.stack, "GET", f"/exec/{ident}/json")[1]
        if code and code["ExitCode"] == 3 and frames(content) != b"out\n":
            self.faults.append(f"{self.name}: exec said {content!r}")

    # --- afterwards

    def check(self):
        """What differs from what was acknowledged."""
        status, content = self.call("GET", "/json")
        if self.removed or not self.created:
            return self.faults + ([f"{self.name}: removed, yet {status}"] if self.removed and status != 404 else [])
        if status != 200:
            return self.faults + ([] if self.tried_removal else [f"{self.name}: created, yet {status} {content}"])
        state = content["State"]
        if self.started and self.is_job:
            self.check_job()
        elif self.started:
            self.check_sleeper(state)
        return self.faults

    def check_job(self):
        status, content = self.call("POST", "/wait")
        code = content["StatusCode"] if status == 200 else f"status {status}: {content}"
        if code != 7 and not (self.shim_died and code == 137):
            self.faults.append(f"{self.name}: the job ended with {code}")
        lines = frames(self.call("GET", "/logs?stdout=1")[1]).decode().splitlines()
        wanted = [f"line {number}" for number in range(LINES)]
        if lines != wanted and not (self.shim_died and lines == wanted[:len(lines)]):
            self.faults.append(f"{self.name}: the log has {lines}")

    def check_sleeper(self, state):
        if self.stopped or self.shim_died:
            self.call("POST", "/wait")  # until the daemon knows of the shim's death
            state = self.call("GET", "/json")[1]["State"]
            ends = ["exited", "dead"] if self.tried_removal else ["exited"]  # dead: the removal failed half-way
            if state["Status"] not in ends or state["ExitCode"] != 137:
                self.faults.append(f"{self.name}: stopped, yet {state}")
        elif not self.tried_stop and (state["Status"] != "running" or self.pid not in (None, state["Pid"])):
            self.faults.append(f"{self.name}: was running as {self.pid}, now {state}")


class Campaign:
    """Rounds of a few lives at a time, in each of which one victim dies at a random moment."""

    VICTIMS = ["daemon", "supervisor", "shim", "runtime", "daemon+supervisor"]

    def __init__(self, stack, chance, clients=4):
        self.stack, self.chance, self.clients = stack, chance, clients
        self.killed = {victim: 0 for victim in self.VICTIMS}
        self.span = 0.4  # how long the lives of a round take, in seconds: the victim dies within it

    def round(self, number):
        lives = [Life(self.stack, f"r{number}c{client}k{number % 3}", is_job=client % 2 == 0)
                 for client in range(self.clients)]
        victim = self.VICTIMS[number % len(self.VICTIMS)]
        killer = threading.Timer(self.chance.random() * self.span, self.kill, [victim, lives])
        killer.start()
        begin = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(self.clients) as pool:
            list(pool.map(Life.live, lives))
        if "daemon" not in victim:
            self.span = time.monotonic() - begin
        killer.join()
        if self.stack.process.poll() is not None:
            self.stack.start()
        self.settle()
        faults = [f"{victim}: {fault}" for life in lives for fault in life.check()]
        for life in lives:
            status, content = self.remove(life.name)
            if status not in (204, 404):
                faults.append(f"{victim}: {life.name} not removed: {status} {content}")
        return faults

    def remove(self, name):
        while True:
            status, content = call(self.stack, "DELETE", f"/containers/{name}?force=1")
            if status != 409 or b"in progress" not in json.dumps(content).encode():
                return status, content
            time.sleep(0.05)

    def settle(self):
        """Until the supervisor answers, too: after its death the daemon starts it again."""
        wait_until(lambda: call(self.stack, "GET", "/images/json")[0] == 200, 30, "an answer with images")

    def kill(self, victim, lives):
        if victim in ("shim", "runtime"):
            return self.kill_one(victim, lives)
        self.killed[victim] += 1
        if "supervisor" in victim:
            os.kill(self.stack.supervisor_pid(), signal.SIGKILL)
        if "daemon" in victim:
            self.stack.kill_daemon()

    def kill_one(self, victim, lives):
        """One shim, or one runtime that is at work; which may be none at all within the time."""
        directory = str(self.stack.directory)
        deadline = time.monotonic() + 0.5
        while time.monotonic() < deadline:
            if victim == "runtime":
                found = runtimes_at_work(directory)
            else:  # a shim that serves, not one that only starts it
                found = [entry for entry in processes(str(BIN / "swrun-shim"), directory) if "-socket" in entry[1]]
            if not found:
                continue
            if victim == "runtime":
                time.sleep(self.chance.random() * 0.003)  # about as long as it lives
            pid, arguments = self.chance.choice(found)
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
            self.killed[victim] += 1
            if victim == "shim":
                for life in lives:
                    life.shim_died = life.id is not None and life.id in arguments
            return


def processes(program, directory):
    """Pids and arguments of a program's processes that work below a directory."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(entry / "exe") != program:
                continue
            arguments = (entry / "cmdline").read_bytes().decode(errors="replace")
            if directory in arguments or directory in os.readlink(entry / "cwd"):
                found.append((int(entry.name), arguments))
        except OSError:
            pass
    return found


def runtimes_at_work(directory):
    """Likewise of the runtime, which lives for a few milliseconds and mostly runs a copy of its program, without the
    processes that it makes in containers."""
    found = []
    for name in os.listdir("/proc"):
        try:
            if not name.isdigit() or "swrunc" not in os.readlink(f"/proc/{name}/exe"):
                continue
            with open(f"/proc/{name}/cmdline") as file:
                arguments = file.read()
            with open(f"/proc/{name}/status") as file:
                is_inside = len(re.search(r"^NSpid:(.*)$", file.read(), re.M)[1].split()) > 1
            if directory in arguments and not is_inside:
                found.append((int(name), arguments))
        except OSError:
            pass
    return found


def resources(stack):
    """Everything that containers take from the host and from the daemons, by kind; numbers that differ are left out."""
    mounts = {line.split()[4] for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines()}
    rules = re.sub(r"counter packets \d+ bytes \d+|# handle \d+", "", run("nft", "list", "ruleset").out)
    state = {str(path.relative_to(stack.state)) for path in stack.state.rglob("*") if "/runc/" not in str(path)}
    return {
        "mounts": {mount for mount in mounts if str(stack.directory) in mount},
        "links": set(re.findall(r"^\d+: ([^:@]+)", run("ip", "-o", "link").out, re.M)),
        "firewall": set(rules.splitlines()),
        "cgroups": {str(path) for path in pathlib.Path("/sys/fs/cgroup").glob(f"**{stack.cgroup_parent}/**/")},
        "shims": {pid for pid, _ in processes(str(BIN / "swrun-shim"), str(stack.directory))},
        "runtimes": {pid for pid, _ in processes(str(BIN / "swrunc"), str(stack.directory))},
        "files": state,
        "snapshots": {str(path) for path in (stack.root / "supervisor/snapshots").glob("*/*")},
        "containers": {str(path) for path in (stack.root / "containers").glob("*")},
    }


def descriptors(stack):
    """How many descriptors both daemons have open, of the kinds that containers need."""
    counts = {}
    for pid in (stack.process.pid, stack.supervisor_pid()):
        for entry in os.scandir(f"/proc/{pid}/fd"):
            try:
                kind = os.readlink(entry.path).split(":")[0]
            except OSError:
                continue
            kind = kind if not kind.startswith("/") else "file"
            counts[kind] = counts.get(kind, 0) + 1
    return counts
