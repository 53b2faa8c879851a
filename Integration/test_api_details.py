# SPDX-License-Identifier: Apache-2.0
"""What docker's own clients and tests expect of single requests: refusals, events, attachments, terminal sizes."""
import json
import socket
import time

import pytest

from harness import UnixConnection, run


def ask(stack, method, path, body=None):
    """The status and the text of an answer."""
    connection = UnixConnection(stack.socket, timeout=20)
    data = body if body is None or isinstance(body, str) else json.dumps(body)
    connection.request(method, path, data, {"Content-Type": "application/json"} if data is not None else {})
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


@pytest.fixture
def box(stack, container_name):
    stack.docker("run", "-d", "--name", container_name, "busybox", "sleep", "120")
    return container_name


def with_host(**settings):
    return {"HostConfig": settings}


@pytest.mark.parametrize("body, text", [
    (with_host(ExtraHosts=["a:b"]), 'invalid IP address in add-host: "b"'),
    (with_host(Annotations={"": "a"}), "invalid Annotations: the empty string is not permitted as an annotation key"),
    (with_host(RestartPolicy={"Name": "", "MaximumRetryCount": 2}),
     "invalid restart policy: maximum retry count can only be used with 'on-failure'"),
    (with_host(RestartPolicy={"Name": "always", "MaximumRetryCount": -1}),
     "invalid restart policy: maximum retry count can only be used with 'on-failure' and cannot be negative"),
    (with_host(NetworkMode="container:"), "invalid container format container:<name|id>"),
    (with_host(PortBindings={"80-82/tcp": []}), 'invalid port specification: "80-82"'),
    (with_host(Binds=["/tmp:/a:nocopy"]), "field VolumeOptions must not be specified"),
    (with_host(Mounts=[{"Type": "bind", "Source": "/tmp", "Target": "/a", "VolumeOptions": {}}]),
     "VolumeOptions must not be specified"),
    (with_host(Mounts=[{"Type": "volume", "Target": "/a", "VolumeOptions": {"Subpath": "b"}}]),
     "must not set Subpath when using anonymous volumes"),
    ({"MacAddress": "x"}, "invalid MAC address x"),
    ({"NetworkingConfig": {"EndpointsConfig": {"n": None}}}, "invalid config for network n: EndpointsConfig is nil"),
])
def test_a_container_that_is_refused(stack, body, text):
    status, answer = ask(stack, "POST", "/containers/create", {"Image": "busybox", **body})
    assert status == 400 and text in json.loads(answer)["message"]


@pytest.mark.parametrize("method, path, body, status, text", [
    ("POST", "/containers/none/exec", {}, 400, "No exec command specified"),
    ("POST", "/containers/none/update", [], 400, "cannot unmarshal array into Go value"),
    ("POST", "/exec/none/start", [], 400, "cannot unmarshal array into Go value"),
    ("POST", "/networks/create", "\"x\"", 400, "cannot unmarshal string into Go value"),
    ("POST", "/images/busybox/tag?repo=sha256:a", None, 400, "refusing to create an ambiguous tag"),
    ("POST", "/volumes/create", {"Name": "v12", "DriverOpts": {"type": "x"}}, 400, "create v12: missing required option"),
    ("GET", "/containers/json?filters={\"exited\":[\"a\"]}", None, 400, "invalid filter 'exited=a': strconv.Atoi"),
    ("GET", "/networks?filters={\"type\":[\"a\"]}", None, 400, "invalid filter: 'type'='a'"),
    ("GET", "/networks/", None, 200, '"bridge"'),
    ("DELETE", "/containers/", None, 400, ""),
])
def test_a_request(stack, method, path, body, status, text):
    answer = ask(stack, method, path, body)
    assert answer[0] == status and text in json.loads(answer[1])["message"] if status == 400 else text in answer[1]


def test_a_container_may_name_a_network_of_one_that_comes_later(stack, container_name):
    body = {"Image": "busybox", "HostConfig": {"NetworkMode": "container:later"}}
    assert ask(stack, "POST", f"/containers/create?name={container_name}", body)[0] == 201
    assert stack.inspect(container_name)["HostConfig"]["NetworkMode"] == "container:later"
    assert "No such container: later" in stack.docker("start", container_name, check=False).err


def test_an_exec_has_the_terminal_size_that_it_was_made_with(stack, box):
    made = ask(stack, "POST", f"/containers/{box}/exec", {
        "Cmd": ["stty", "size"], "Tty": True, "AttachStdout": True, "ConsoleSize": [33, 44]})
    exec_id = json.loads(made[1])["Id"]
    assert ask(stack, "POST", f"/exec/{exec_id}/start", {"Tty": True})[1].strip() == "33 44"


def attach(stack, name, query):
    """Attaches; returns the connection, and what came with the head or soon after it."""
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(20)
    connection.connect(str(stack.socket))
    connection.sendall(f"POST /containers/{name}/attach?{query} HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\n"
                       "Upgrade: tcp\r\nContent-Length: 0\r\n\r\n".encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += connection.recv(1)
    return connection, head


def test_attached_to_no_stream_or_to_input_that_is_closed(stack, box):
    for query in ("stream=1", "stream=1&stdin=1", "stdout=1&stderr=1"):
        connection, head = attach(stack, box, query)
        assert b" 101 " in head and connection.recv(1) == b""


def test_attached_to_an_ended_container_until_it_runs_again(stack, container_name):
    stack.docker("run", "--name", container_name, "busybox", "echo", "again")
    connection, head = attach(stack, container_name, "stream=1&stdout=1")
    assert b" 101 " in head
    stack.docker("start", container_name)
    assert connection.makefile("rb").read().endswith(b"again\n")


def events(stack, since, *kinds):
    lines = stack.docker("events", "--since", since, "--until", f"{time.time():.9f}", "--format", "{{json .}}").splitlines()
    return [(event["Type"], event["Action"]) for event in map(json.loads, lines) if event["Type"] in kinds]


def test_volumes_come_and_go_with_a_container(stack, container_name):
    since = f"{time.time():.9f}"
    stack.docker("create", "--name", container_name, "-v", "/data", "busybox")
    stack.docker("rm", "-v", container_name)
    assert events(stack, since, "volume", "container") == [
        ("volume", "create"), ("container", "create"), ("volume", "destroy"), ("container", "destroy")]


def test_events_of_what_fails(stack, box, container_name):
    since = f"{time.time():.9f}"
    assert stack.docker("exec", box, "nosuch", check=False).code == 126
    assert events(stack, since, "container") == [
        ("container", "exec_create: nosuch "), ("container", "exec_start: nosuch ")]
    since = f"{time.time():.9f}"
    stack.docker("run", "--rm", "busybox", "nosuch", check=False)
    assert events(stack, since, "network") == [("network", "connect"), ("network", "disconnect")]


def test_times_beyond_all_clocks(stack, box):
    assert run("curl", "-s", "--unix-socket", stack.socket, f"http://d/containers/{box}/logs?stdout=1&since=99999999999") == ""
