# SPDX-License-Identifier: Apache-2.0
"""Containers over the Engine API: starts, stops, many at once, lists, logs, attach and cp, and the memory of all that.

The same client drives both engines here: a thread's requests over one kept connection, so that its cost is small and alike.
"""
import concurrent.futures
import http.client
import json
import os
import socket
import time

from benchmarks.measure import BIN, Table, memory_of, processes_named, timed

IMAGE = "busybox"
MIB = 1 << 20
LOG_LINES = 400_000  # of 100 bytes
STREAM_MIB = 256
LISTED = 500
AT_ONCE = 10
STARTS = 100
ENDS_AT_ONCE = "trap 'exit 0' TERM; sleep 1000 & wait"


class Connection(http.client.HTTPConnection):
    """An HTTP connection over a unix socket."""

    def __init__(self, path):
        super().__init__("engine")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


class API:
    """One engine as its API's clients see it."""

    def __init__(self, name, path):
        self.name, self.path = name, str(path)
        self.connection = Connection(self.path)

    def another(self):
        return API(self.name, self.path)

    def call(self, method, path, body=None):
        content = self.fetch(method, path, body)
        return json.loads(content) if content.startswith((b"{", b"[")) else content

    def fetch(self, method, path, body=None):
        """The answer as it came: to parse a long list here takes as long as to make it there."""
        text = json.dumps(body) if body is not None else None
        self.connection.request(method, "/v1.43" + path, text, {"Content-Type": "application/json"} if text else {})
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.status >= 400:
            raise SystemExit(f"{self.name}: {method} {path} answered {answer.status}: {content.decode(errors='replace')}")
        return content

    def create(self, *command, **settings):
        body = {"Image": IMAGE, "Cmd": list(command), **settings}
        return self.call("POST", "/containers/create", body)["Id"]

    def start(self, container):
        self.call("POST", f"/containers/{container}/start")

    def remove(self, container):
        self.call("DELETE", f"/containers/{container}?force=1&v=1")

    def read(self, method, path):
        """The number of bytes of a body or of a hijacked connection, until its end."""
        with socket.socket(socket.AF_UNIX) as stream:
            stream.connect(self.path)
            stream.sendall(f"{method} /v1.43{path} HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n\r\n".encode())
            buffer, count = bytearray(MIB), 0
            while received := stream.recv_into(buffer):
                count += received
            return count


def elapsed(action):
    begin = time.perf_counter()
    action()
    return (time.perf_counter() - begin) * 1000


def bench_containers(sides, environments, stack, docker, work, rounds):
    """`sides`: an API for each engine, ours first; `environments`: name -> (client, its environment)."""
    few = max(1, min(rounds, 5))
    yield from lifecycle(sides, rounds)
    yield from logs(sides, few)
    yield from attach(sides, few)
    yield from copies(sides, environments, work, few)
    yield from listing(sides, rounds)
    yield many_running(sides, stack, docker)
    yield starts_at_once(sides, min(few, 2))


def lifecycle(sides, rounds):
    """Each operation of a container's life by itself, on the default network."""
    names = ["create", "start", "stop (init ends at SIGTERM)", "remove"]
    tables = {name: Table(f"API: {name}") for name in names}
    both = Table("API: run -d (create and start)")
    for number in range(rounds + 1):
        for side in sides:
            made = []
            create = elapsed(lambda: made.append(side.create("sh", "-c", ENDS_AT_ONCE)))
            start = elapsed(lambda: side.start(made[0]))
            time.sleep(0.1)  # the shell sets its trap
            stop = elapsed(lambda: side.call("POST", f"/containers/{made[0]}/stop"))
            remove = elapsed(lambda: side.remove(made[0]))
            if number:
                for name, value in zip(names, (create, start, stop, remove)):
                    tables[name].add(side.name, value)
                both.add(side.name, create + start)
    return [*tables.values(), both]


def starts_at_once(sides, rounds):
    table = Table(f"API: {STARTS} containers created and started, {AT_ONCE} at a time", "s")
    for number in range(rounds):
        for side in sides:
            def run(_):
                api = side.another()
                container = api.create("sleep", "1000")
                api.start(container)
                return container
            with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
                made = []
                table.add(side.name, elapsed(lambda: made.extend(pool.map(run, range(STARTS)))) / 1000)
                list(pool.map(lambda container: side.another().remove(container), made))
    return table


def listing(sides, rounds):
    """`ps -a` and one inspect while there are many containers."""
    table, inspect = Table(f"API: ps -a with {LISTED} containers"), Table(f"API: inspect, one of {LISTED} containers")
    made = {side.name: [side.create("true") for _ in range(LISTED)] for side in sides}
    for table_of, path in ((table, lambda side: "/containers/json?all=1"),
                           (inspect, lambda side: f"/containers/{made[side.name][0]}/json")):
        for number in range(rounds + 1):
            for side in sides:
                value = elapsed(lambda: side.fetch("GET", path(side)))
                if number:
                    table_of.add(side.name, value)
    for side in sides:
        for container in made[side.name]:
            side.remove(container)
    return [table, inspect]


def logs(sides, rounds):
    """Short lines through the json-file driver and back; MB/s of the container's own bytes."""
    size = LOG_LINES * 100 / 1e6
    writing, reading = Table("logs: writing lines of 100 bytes", "MB/s"), Table("logs: reading them", "MB/s")
    tail = Table("logs: the last 10 lines of them")
    for number in range(rounds):
        for side in sides:
            container = side.create("sh", "-c", f"yes {'x' * 99} | head -n {LOG_LINES}")
            def run():
                side.start(container)
                side.call("POST", f"/containers/{container}/wait")
            writing.add(side.name, size / elapsed(run) * 1000)
            path = f"/containers/{container}/logs?stdout=1&stderr=1"
            reading.add(side.name, size / elapsed(lambda: side.read("GET", path)) * 1000)
            tail.add(side.name, elapsed(lambda: side.read("GET", path + "&tail=10")))
            side.remove(container)
    return [writing, reading, tail]


def attach(sides, rounds):
    """Output to one attached client, in MB/s of the container's own bytes: as fast as pipes go, and as most users run it."""
    zeros, lines = f"dd if=/dev/zero bs=64k count={STREAM_MIB * 16} 2>/dev/null", f"yes {'x' * 99} | head -n {LOG_LINES}"
    cases = [("no log", zeros, STREAM_MIB * MIB, {"Type": "none"}),
             ("lines of 100 bytes, logged by default", lines, LOG_LINES * 100, {})]
    tables = []
    for title, command, size, log in cases:
        table = Table(f"attach: output to one client, {title}", "MB/s")
        for number in range(rounds):
            for side in sides:
                container = side.create("sh", "-c", f"read line; {command}", OpenStdin=True, StdinOnce=True,
                                        AttachStdin=True, AttachStdout=True, HostConfig={"LogConfig": log})
                table.add(side.name, size / 1e6 / drained(side, container) * 1000)
                side.remove(container)
        tables.append(table)
    return tables


def drained(side, container):
    """Milliseconds from the first byte of output to the last, of a container that begins when it gets a line."""
    with socket.socket(socket.AF_UNIX) as stream:
        stream.connect(side.path)
        stream.sendall((f"POST /v1.43/containers/{container}/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\n"
                        "Host: engine\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n").encode())
        buffer = bytearray(MIB)
        stream.recv_into(buffer)
        side.start(container)
        stream.sendall(b"go\n")
        stream.recv_into(buffer)

        def drain():
            while stream.recv_into(buffer):
                pass
        return elapsed(drain)


def copies(sides, environments, work, rounds):
    """`cp` of one large file and of a tree of small ones, into a running container and back."""
    large, tree = work / "large", work / "tree"
    large.write_bytes(os.urandom(MIB) * STREAM_MIB)
    for number in range(2000):
        (tree / str(number % 50)).mkdir(parents=True, exist_ok=True)
        (tree / str(number % 50) / f"f{number}").write_bytes(b"x" * 2000)
    # One container for each client: ext4 searches long for inodes where many were freed a moment ago.
    made = {name: (side, side.create("sleep", "1000")) for side in sides
            for name, (engine, _, _) in environments.items() if engine == side.name}
    for side, container in made.values():
        side.start(container)
    tables = []
    for title, source, unit in (("large file", large, "MB/s"), ("2000 small files", tree, "ms")):
        size = STREAM_MIB * MIB / 1e6 if unit == "MB/s" else None
        into, out = Table(f"cp: {title} into a container", unit), Table(f"cp: {title} out of it", unit)
        for number in range(rounds):
            for name, (_, program, environment) in environments.items():
                container = made[name][1]
                inside = f"{container}:/in-{source.name}"
                target = work / f"out-{number}-{name.replace(' ', '')}"
                for table, pair in ((into, (source, inside)), (out, (inside, target))):
                    value = timed([program, "cp", *pair], environment)
                    table.add(name, size / value * 1000 if size else value)
                timed(["rm", "-rf", target])
                timed([program, "exec", container, "rm", "-rf", f"/in-{source.name}"], environment)
        tables += [into, out]
    for side, container in made.values():
        side.remove(container)
    return tables


def many_running(sides, stack, docker):
    """What one more running container takes, in all daemons and shims together."""
    table = Table(f"memory for each of {STARTS} running containers: daemons' growth and shims, proportional", "MB")
    members = {
        sides[0].name: lambda: [stack.process.pid, stack.supervisor_pid(), *processes_named(str(BIN / "swrun-shim"))],
        sides[1].name: lambda: [*docker.daemons(), *processes_named("containerd-shim")]}
    for side in sides:
        before = memory_of(members[side.name]())
        made = [side.create("sleep", "1000") for _ in range(STARTS)]
        for container in made:
            side.start(container)
        table.add(side.name, (memory_of(members[side.name]()) - before) / STARTS)
        for container in made:
            side.remove(container)
    return table
