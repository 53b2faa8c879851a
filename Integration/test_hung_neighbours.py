# SPDX-License-Identifier: Apache-2.0
"""What hangs hurts nobody else: a stopped container, a stopped shim, a file system that does not answer, clients that do
not read, and clients that send half a request."""
import concurrent.futures
import contextlib
import ctypes
import json
import os
import resource
import select
import signal
import socket
import struct
import time

import pytest

from campaign import call, processes
from harness import BIN, wait_until
from test_http import open_socket, request

MANY = 24  # more than the daemon has threads of any kind


@pytest.fixture
def neighbour(stack, container_name):
    """Checks that others are served: lists, an exec in a container of theirs, a new container and its end."""
    stack.docker("run", "-d", "--name", container_name, "--network", "none", "busybox", "sleep", "1000")

    def check():
        assert call(stack, "GET", "/containers/json", timeout=20)[0] == 200
        assert stack.docker("exec", container_name, "echo", "here", timeout=20) == "here"
        assert stack.docker("run", "--rm", "-v", "/anonymous", "busybox", "echo", "new", timeout=20) == "new"
        assert call(stack, "GET", "/system/df", timeout=20)[0] == 200
    return check


@pytest.fixture
def hung(stack):
    name = "hung" + os.urandom(3).hex()
    stack.docker("run", "-d", "--name", name, "--network", "none", "busybox", "sleep", "1000")
    yield name
    stack.docker("rm", "-f", name)


@contextlib.contextmanager
def stopped(pid):
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def test_a_stopped_container_is_only_stopped_itself(stack, hung, neighbour):
    state = stack.inspect(hung)["State"]
    with stopped(state["Pid"]):
        neighbour()
        assert stack.docker("exec", hung, "echo", "still") == "still"
        stack.docker("stop", "-t", "0", hung, timeout=20)
        assert stack.inspect(hung)["State"]["ExitCode"] == 137


def test_a_stopped_shim_holds_up_its_own_container_alone(stack, hung, neighbour):
    shim = next(pid for pid, arguments in processes(str(BIN / "swrun-shim"), str(stack.directory))
                if stack.inspect(hung)["Id"] in arguments)
    with concurrent.futures.ThreadPoolExecutor(MANY) as pool, stopped(shim):
        waiting = [pool.submit(call, stack, "GET", f"/containers/{hung}/top") for _ in range(MANY // 2)]
        waiting += [pool.submit(call, stack, "POST", f"/containers/{hung}/exec", {"Cmd": ["true"]})]
        waiting += [pool.submit(call, stack, "POST", f"/containers/{hung}/stop?t=0")]
        neighbour()
        os.kill(shim, signal.SIGCONT)
        assert [answer.result()[0] for answer in waiting][-1] in (204, 304)


class HungFileSystem:
    """A FUSE file system whose server reads no request. Its end answers all that wait for it with an error."""

    def __init__(self, path):
        self.path = path
        self.device = os.open("/dev/fuse", os.O_RDWR)
        data = f"fd={self.device},rootmode=40000,user_id=0,group_id=0"
        if ctypes.CDLL(None, use_errno=True).mount(b"hung", str(path).encode(), b"fuse", 0, data.encode()) != 0:
            error = ctypes.get_errno()
            os.close(self.device)
            raise OSError(error, os.strerror(error))
        _, _, unique = struct.unpack("<IIQ", os.read(self.device, 1 << 17)[:16])  # FUSE_INIT
        answer = struct.pack("<IIIIHHIIHHI28x", 7, 31, 0, 0, 0, 0, 4096, 1, 0, 0, 0)  # fuse_init_out
        os.write(self.device, struct.pack("<IiQ", 16 + len(answer), 0, unique) + answer)

    def wait_until_asked(self):
        assert select.select([self.device], [], [], 20)[0], "nobody looks at the file system"

    def end(self):
        if self.device is not None:
            os.close(self.device)
        self.device = None


@pytest.fixture
def hung_files(tmp_path):
    path = tmp_path / "hung"
    path.mkdir()
    try:
        files = HungFileSystem(path)
    except OSError as error:
        pytest.skip(f"no FUSE here: {error}")
    try:
        yield files
    finally:
        files.end()
        ctypes.CDLL(None).umount2(str(path).encode(), 2)  # MNT_DETACH


@pytest.mark.parametrize("kind", ["bind", "mount", "volume"])
def test_a_file_system_that_hangs(stack, hung_files, neighbour, kind):
    source = hung_files.path / "source"
    host = {"bind": {"Binds": [f"{source}:/x"]},
            "mount": {"Mounts": [{"Type": "bind", "Source": str(source), "Target": "/x"}]},
            "volume": {"Mounts": [{"Type": "volume", "Source": "hungvolume", "Target": "/x"}]}}[kind]
    if kind == "volume":
        stack.docker("volume", "create", "-o", "type=none", "-o", "o=bind", "-o", f"device={source}", "hungvolume")
    names = [f"fuse{number}" for number in range(MANY)]

    def begin(name):
        created = call(stack, "POST", f"/containers/create?name={name}", {
            "Image": "busybox", "Cmd": ["true"], "HostConfig": {"NetworkMode": "none", **host}})
        return call(stack, "POST", f"/containers/{name}/start") if created[0] == 201 else created
    with concurrent.futures.ThreadPoolExecutor(MANY) as pool:
        waiting = [pool.submit(begin, name) for name in names]
        try:
            hung_files.wait_until_asked()
            neighbour()
        finally:
            hung_files.end()
        assert all(answer.result()[0] not in (None, 204) for answer in waiting)
    for name in names:
        call(stack, "DELETE", f"/containers/{name}?force=1")
    if kind == "volume":
        stack.docker("volume", "rm", "hungvolume")


def test_clients_that_do_not_read(stack, hung, neighbour):
    """Of events, of the output of an exec and of an archive. What they held is free when they have gone."""
    stack.docker("exec", hung, "sh", "-c", "head -c 20000000 /dev/zero >/large")
    before = descriptors_of(stack.process.pid)
    exec_body = json.dumps({"Cmd": ["cat", "/dev/zero"], "AttachStdout": True}).encode()
    wanted = [request("GET", "/events"), request("GET", f"/containers/{hung}/archive?path=/large"),
              request("GET", "/images/busybox/get"), request("GET", f"/containers/{hung}/stats")]
    with contextlib.ExitStack() as stack_of_clients:
        for bytes_sent in wanted * (MANY // 4):
            client = stack_of_clients.enter_context(open_socket(stack))
            client.sendall(bytes_sent)
        for _ in range(MANY // 4):
            ident = call(stack, "POST", f"/containers/{hung}/exec", json.loads(exec_body))[1]["Id"]
            client = stack_of_clients.enter_context(open_socket(stack))
            client.sendall(request("POST", f"/exec/{ident}/start", "Content-Type: application/json", body=b"{}"))
        neighbour()
    wait_until(lambda: descriptors_of(stack.process.pid) <= before + 2, 20, "the end of their descriptors")


@pytest.mark.parametrize("kind", ["logs", "logs -f", "logs --tail", "attach"])
def test_clients_of_much_output(stack, chatty, kind):
    """Some read as fast as they can and some not at all; others are answered at once."""
    path = {"logs": "logs?stdout=1", "logs -f": "logs?stdout=1&follow=1", "logs --tail": "logs?stdout=1&tail=99999999",
            "attach": "attach?stream=1&stdout=1"}[kind]
    before = descriptors_of(stack.process.pid)
    with contextlib.ExitStack() as clients, concurrent.futures.ThreadPoolExecutor(MANY) as pool:
        for number in range(MANY):
            client = clients.enter_context(open_socket(stack))
            client.sendall(request("POST" if kind == "attach" else "GET", f"/containers/{chatty}/{path}"))
            if number % 2 == 0:
                pool.submit(drain, client)
            clients.callback(cut, client)
        for _ in range(20):
            begin = time.monotonic()
            assert call(stack, "GET", "/containers/json", timeout=20)[0] == 200
            assert time.monotonic() - begin < 2
            time.sleep(0.05)
        stack.docker("rm", "-f", chatty)
        clients.close()
    wait_until(lambda: descriptors_of(stack.process.pid) <= before + 2, 20, "the end of their descriptors")


def drain(client):
    with contextlib.suppress(OSError):
        while client.recv(1 << 20):
            pass


def cut(client):
    """Also for the thread that waits for its bytes, which a close would not wake."""
    with contextlib.suppress(OSError):
        client.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def chatty(stack):
    """A container with a log of short lines, which is slow to read for its length, and more output to come."""
    name = "chatty" + os.urandom(3).hex()
    stack.docker("run", "-d", "-t", "--name", name, "--network", "none", "busybox", "sh", "-c",
                 "yes | head -n 300000; while :; do yes | head -n 1000; usleep 100000; done")
    log = stack.inspect(name)["LogPath"]
    wait_until(lambda: os.stat(log).st_size > 20_000_000, 60, "its log")
    yield name
    stack.docker("rm", "-f", name, check=False)


def test_clients_that_send_half_a_request(stack, neighbour):
    halves = [b"GET /_pi", b"GET /_ping HTTP/1.1\r\nHost: d\r\nX-A", b"POST /containers/create HTTP/1.1\r\nHost: d\r\n"
              b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"Image\"",
              b"POST /images/load HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\nxx",
              b"PUT /containers/absent/archive?path=/ HTTP/1.1\r\nHost: d\r\nContent-Length: 10000\r\n\r\nx"]
    with contextlib.ExitStack() as clients:
        for half in halves * (MANY // 2):
            clients.enter_context(open_socket(stack)).sendall(half)
        neighbour()


def test_a_client_that_sends_a_byte_at_a_time(stack):
    """Slow, but not wrong: it is answered."""
    with open_socket(stack) as connection:
        for byte in b"GET /_ping HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n":
            connection.sendall(bytes([byte]))
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")


def descriptors_of(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def test_more_connections_than_descriptors(stack, neighbour):
    """The daemon is out of descriptors for a while; afterwards it serves as before."""
    pid = stack.process.pid
    limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    before = descriptors_of(pid)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (before + 20, limits[1]))
    clients = []
    try:
        for _ in range(60):
            client = socket.socket(socket.AF_UNIX)
            client.setblocking(False)
            with contextlib.suppress(OSError):
                client.connect(str(stack.socket))
            clients.append(client)
        wait_until(lambda: descriptors_of(pid) >= before + 19, 10, "the last descriptor")
        for client in clients:
            client.close()
        wait_until(lambda: call(stack, "GET", "/_ping", timeout=5)[0] == 200, 20, "an answer")
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
        for client in clients:
            client.close()
    neighbour()
