# SPDX-License-Identifier: Apache-2.0
"""The Engine API as bytes on a socket: framing, keep-alive, versions, errors, hijacked streams, clients that leave."""
import json
import os
import pathlib
import socket
import subprocess
import threading
import time

import pytest

from harness import wait_until

HOST = b"Host: d\r\n"


def open_socket(stack):
    connection = socket.socket(socket.AF_UNIX)
    directory = os.open(stack.socket.parent, os.O_PATH | os.O_DIRECTORY)  # the path may be too long for sun_path
    try:
        connection.connect(f"/proc/self/fd/{directory}/{stack.socket.name}")
    finally:
        os.close(directory)
    connection.settimeout(20)
    return connection


def read_all(connection):
    received = b""
    while True:
        piece = connection.recv(65536)
        if not piece:
            return received
        received += piece


def exchange(stack, request, half_close=True):
    """Sends bytes and returns everything until the server closes."""
    with open_socket(stack) as connection:
        connection.sendall(request)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        return read_all(connection)


def request(method, path, *headers, body=b"", version=b"HTTP/1.1"):
    lines = [b" ".join([method.encode(), path.encode(), version]), b"Host: d", *[h.encode() for h in headers]]
    if body:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def head_and_body(answer):
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.decode().split("\r\n"), body


def test_ping_has_dockers_headers(stack):
    head, body = head_and_body(exchange(stack, request("GET", "/_ping")))
    assert head[0] == "HTTP/1.1 200 OK" and body == b"OK"
    for field in ("Api-Version: 1.50", "Docker-Experimental: false", "Ostype: linux", "Swarm: inactive", "Content-Length: 2",
                  "Cache-Control: no-cache, no-store, must-revalidate", "Pragma: no-cache"):
        assert field in head
    head, body = head_and_body(exchange(stack, request("HEAD", "/_ping")))
    assert "Content-Length: 0" in head and body == b""


def test_requests_follow_each_other(stack):
    answer = exchange(stack, request("GET", "/_ping") * 3)
    assert answer.count(b"HTTP/1.1 200 OK\r\n") == 3 and answer.endswith(b"OK")


def test_http_1_0_closes(stack):
    answer = exchange(stack, b"GET /_ping HTTP/1.0\r\n\r\n", half_close=False)
    assert answer.startswith(b"HTTP/1.0 200 OK\r\n") and b"\r\nConnection: close\r\n" in answer
    assert b"chunked" not in exchange(stack, b"GET /events?since=1&until=2 HTTP/1.0\r\n\r\n", half_close=False)


@pytest.mark.parametrize("bytes_sent, status", [
    (b"GET / HTTP/1.1\nHost: d\n\n", 400),
    (b"GET / HTTP/1.1\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: d\r\nA: b\r\n folded\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: d\r\nA : b\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nHost: d\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nHost: d\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400),
    (b"POST /containers/create HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\nxyz\r\n",
     400),
    (b"POST / HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
    (b"GET / HTTP/3.0\r\nHost: d\r\n\r\n", 505),
    (b"GET /" + b"a" * 400000 + b" HTTP/1.1\r\n", 431),
    (b"GET / HTTP/1.1\r\nHost: d\r\n" + b"A: b\r\n" * 1000 + b"\r\n", 431),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n", 400),
    (b"GET /_p", 400),
])
def test_malformed_requests(stack, bytes_sent, status):
    with open_socket(stack) as connection:
        try:
            connection.sendall(bytes_sent)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # refused before all was sent
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 %d " % status), answer[:200]
    assert b"\r\nConnection: close\r\n" in answer


@pytest.mark.parametrize("path, status, text", [
    (b"/containers/create", b"400", b'"message":"malformed chunk size"'),
    (b"/images/load", b"200", b'"error":"malformed chunk size"'),  # docker tells all failures of a load in its stream
])
def test_a_broken_body_ends_the_connection(stack, path, status, text):
    """The answer does not wait for what a client that goes on sending would say next."""
    with open_socket(stack) as connection:
        connection.sendall(b"POST " + path + b" HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\n"
                           b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n")
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 " + status) and text in answer, answer


@pytest.mark.parametrize("method, path, status, text", [
    ("GET", "/nosuch", 404, "page not found"),
    ("PATCH", "/info", 404, "page not found"),
    ("GET", "/v1.99/info", 400, "client version 1.99 is too new. Maximum supported API version is 1.50"),
    ("GET", "/v1.20/info", 400, "client version 1.20 is too old. Minimum supported API version is 1.22, "
                                "please upgrade your client to a newer version"),
    ("GET", "/nodes", 503, 'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect '
                           "this node to swarm and try again."),
    ("GET", "/plugins/x/json", 404, 'plugin "x" not found'),
    ("POST", "/build", 501, "build is not implemented by swrun yet"),
    ("GET", "/images/json?filters=x", 400, "invalid filter"),
    ("GET", '/images/json?filters={"nosuch":["1"]}', 400, "invalid filter 'nosuch'"),
    ("GET", "/images/nosuch/json", 404, "No such image: nosuch:latest"),
])
def test_errors_have_dockers_texts(stack, method, path, status, text):
    head, body = head_and_body(exchange(stack, request(method, path)))
    assert head[0].startswith(f"HTTP/1.1 {status} ")
    assert json.loads(body) == {"message": text}


@pytest.mark.parametrize("content_type, body, text", [
    ("text/plain", b"{}", "unsupported Content-Type header (text/plain): must be 'application/json'"),
    ("application/json", b"{x", "invalid JSON: invalid character 'x'"),
    ("application/json", b'{"a":', "invalid JSON: unexpected EOF"),
])
def test_bad_bodies(stack, content_type, body, text):
    head, answer = head_and_body(
        exchange(stack, request("POST", "/containers/create", f"Content-Type: {content_type}", body=body)))
    assert head[0] == "HTTP/1.1 400 Bad Request"
    assert text in json.loads(answer)["message"]


def test_every_version_is_served(stack):
    for minor in range(24, 51):
        assert json.loads(stack.curl(f"/v1.{minor}/version"))["MinAPIVersion"] == "1.22"


def test_expect_continue(stack):
    with open_socket(stack) as connection:
        connection.sendall(request("POST", "/containers/create", "Content-Type: application/json",
                                   "Expect: 100-continue", "Content-Length: 2"))
        assert connection.recv(65536).startswith(b"HTTP/1.1 100 Continue\r\n\r\n")
        connection.sendall(b"{}")
        assert connection.recv(65536).startswith(b"HTTP/1.1 400 ")


def test_events_come_at_once_and_end_with_the_client(stack):
    def listeners():
        return json.loads(stack.curl("/info"))["NEventsListener"]

    before = listeners()
    with open_socket(stack) as connection:
        connection.sendall(request("GET", '/events?filters={"event":["tag"]}'))
        head, _ = head_and_body(connection.recv(65536))  # before anything has happened
        assert "Transfer-Encoding: chunked" in head
        wait_until(lambda: listeners() == before + 1, 5, "the listener")
        stack.docker("tag", "busybox", "tagged:here")
        event = json.loads(connection.recv(65536).split(b"\r\n")[1])
        assert event["Action"] == "tag" and event["Actor"]["Attributes"]["name"] == "tagged:here"
        assert event["timeNano"] // 10**9 == event["time"] and event["scope"] == "local"
    wait_until(lambda: listeners() == before, 5, "the end of the listener")
    stack.docker("rmi", "tagged:here")


def test_many_clients_at_once(stack):
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(exchange(stack, request("GET", "/info")))) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 50 and all(answer.startswith(b"HTTP/1.1 200") for answer in answers)


def exec_request(stack, name, upgrade=True, **options):
    """Bytes that start `command` in a container over a hijacked connection."""
    body = json.dumps({"AttachStdin": True, "AttachStdout": True, "AttachStderr": True, **options}).encode()
    created = exchange(stack, request("POST", f"/containers/{name}/exec", "Content-Type: application/json", body=body))
    ident = json.loads(head_and_body(created)[1])["Id"]
    headers = ["Connection: Upgrade", "Upgrade: tcp"] if upgrade else []
    return request("POST", f"/exec/{ident}/start", "Content-Type: application/json", *headers, body=b"{}")


@pytest.fixture
def sleeper(stack, container_name):
    stack.docker("run", "-d", "--name", container_name, "--network", "none", "busybox", "sleep", "1000")
    return container_name


@pytest.mark.parametrize("upgrade, head", [
    (True, b"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\n"
           b"Connection: Upgrade\r\nUpgrade: tcp\r\n"),
    (False, b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n"),
])
def test_hijack_keeps_what_follows_the_request(stack, sleeper, upgrade, head):
    """Request, standard input and the end of it in one segment: nothing of it may get lost."""
    answer = exchange(stack, exec_request(stack, sleeper, upgrade, Cmd=["cat"]) + b"early bytes\n")
    assert answer.startswith(head)
    assert answer.partition(b"\r\n\r\n")[2] == b"\x01\0\0\0\0\0\0\x0cearly bytes\n"


def test_hijack_half_close(stack, sleeper):
    """The end of standard input must leave the other direction open."""
    script = "cat >/dev/null; sleep 0.3; echo after"
    answer = exchange(stack, exec_request(stack, sleeper, Cmd=["sh", "-c", script]) + b"x" * 100000)
    assert answer.endswith(b"\x01\0\0\0\0\0\0\x06after\n")


def test_docker_py(stack):
    """docker-py asks without a version first, sends no upgrade headers and reads streams its own way."""
    script = (
        "import docker\n"
        "client = docker.from_env()\n"
        "assert client.version()['ApiVersion'] == '1.50'\n"
        "assert client.ping()\n"
        "assert 'busybox:latest' in client.images.get('busybox').tags\n"
        "print(client.containers.run('busybox', 'echo from python', network_mode='none', remove=True).decode(), end='')\n"
    )
    probe = subprocess.run(["/usr/bin/python3", "-c", "import docker"], capture_output=True)
    if probe.returncode:
        pytest.skip("python3-docker is not installed")
    done = subprocess.run(["/usr/bin/python3", "-c", script], capture_output=True, timeout=60,
                          env={**os.environ, **stack.environment()})
    assert done.stdout == b"from python\n", done.stderr.decode()


def test_slow_reader_does_not_fill_memory(stack, sleeper):
    """The daemon stops reading from the container while its client does not read."""
    def resident():
        status = pathlib.Path(f"/proc/{stack.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS:")).split()[1])

    with open_socket(stack) as connection:
        connection.sendall(exec_request(stack, sleeper, Cmd=["sh", "-c", "head -c 300000000 /dev/zero"]))
        connection.recv(100)
        before = resident()
        time.sleep(1.5)
        assert resident() - before < 40_000


def sockets_of(pid):
    """The sockets that a process has open, as proc names them."""
    sockets = set()
    for entry in os.scandir(f"/proc/{pid}/fd"):
        try:
            sockets.add(os.readlink(entry.path))
        except OSError:
            pass  # closed meanwhile
    return {socket for socket in sockets if socket.startswith("socket:")}


def test_clients_of_quiet_processes_that_die_leave_nothing(stack, sleeper):
    """Nothing is written to them, so only the closed connection tells that they are gone."""
    before = sockets_of(stack.process.pid)
    clients = []
    for bytes_sent in [request("POST", f"/containers/{sleeper}/attach?stream=1&stdout=1"),
                       exec_request(stack, sleeper, Cmd=["sleep", "1000"])]:
        clients.append(open_socket(stack))
        clients[-1].sendall(bytes_sent)
        assert clients[-1].recv(1000).startswith(b"HTTP/1.1 ")
    wait_until(lambda: len(sockets_of(stack.process.pid) - before) >= 4, 10, "two clients and two connections to shims")
    for client in clients:
        client.close()
    wait_until(lambda: not sockets_of(stack.process.pid) - before, 10, "the end of the connections")


def test_what_a_client_sends_before_it_leaves_arrives(stack, container_name):
    stack.docker("run", "-d", "-i", "--name", container_name, "busybox", "sh", "-c", "read x; echo got $x; sleep 1000")
    with open_socket(stack) as connection:
        connection.sendall(request("POST", f"/containers/{container_name}/attach?stream=1&stdin=1"))
        connection.recv(1000)
        connection.sendall(b"it\n")
    wait_until(lambda: stack.docker("logs", container_name) == "got it", 10, "the input")


def test_a_client_that_died_before_the_start_does_not_end_the_input(stack, container_name):
    stack.docker("create", "-i", "--name", container_name, "busybox", "cat")
    with open_socket(stack) as connection:
        connection.sendall(request("POST", f"/containers/{container_name}/attach?stream=1&stdin=1&stdout=1"))
        connection.recv(1000)
    client = subprocess.Popen(["docker", "start", "-ai", container_name], env=stack.environment(),
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        wait_until(lambda: stack.inspect(container_name)["State"]["Running"], 10, "the start")
        time.sleep(0.3)
        out, _ = client.communicate(b"still here\n", timeout=20)
    finally:
        client.kill()
    assert out == b"still here\n"
