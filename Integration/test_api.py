# SPDX-License-Identifier: Apache-2.0
"""The Engine API request by request: docker's statuses and texts, web sockets, and every operation with nonsense."""
import base64
import hashlib
import http.client
import json
import os
import pathlib
import random
import socket
import string
import struct
import time

import pytest

from harness import PROJECT, UnixConnection

DESCRIPTION = pathlib.Path(os.environ.get(
    "SWRUN_TEST_API_DESCRIPTION", PROJECT.parent / "shared" / "reference" / "docker-api-swagger.yaml"))


def request(stack, method, path, body=None, headers=None, timeout=20):
    """Status, header fields and body of an answer."""
    connection = UnixConnection(stack.socket, timeout)
    headers = dict(headers or {})
    if body is not None and not isinstance(body, (bytes, str)):
        body = json.dumps(body)
    if body is not None:
        headers.setdefault("Content-Type", "application/json")
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def message(stack, method, path, body=None, headers=None):
    status, _, data = request(stack, method, path, body, headers)
    return status, json.loads(data)["message"]


@pytest.fixture
def running(stack, container_name):
    stack.docker("run", "-d", "-i", "--name", container_name, "busybox", "sleep", "600")
    return container_name


def test_texts_of_a_container(stack, running):
    path = f"/containers/{running}"
    number = stack.inspect(running)["Id"]
    for method, rest, body, expected in [
        ("POST", "/kill?signal=NOSUCH", None, (400, f"cannot kill container: {running}: invalid signal: NOSUCH")),
        ("POST", "/kill?signal=0", None, (400, f"cannot kill container: {running}: invalid signal: 0")),
        ("POST", "/kill?signal=99", None,
         (400, f"cannot kill container: {running}: the linux daemon does not support signal 99")),
        ("POST", "/rename?name=a%2Fb", None,
         (400, "Error when allocating new name: Invalid container name (/a/b), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed")),
        ("POST", "/exec", {"Cmd": "x"},
         (400, "invalid JSON: json: cannot unmarshal string into Go struct field ExecConfig.Cmd of type []string")),
        ("POST", "/exec", {"Cmd": ["true"], "DetachKeys": "nonsense"}, (400, "Invalid escape keys (nonsense) provided")),
        ("POST", "/update", {"Memory": 1}, (400, "Minimum memory limit allowed is 6MB")),
        ("GET", "/logs", None, (400, "Bad parameters: you must choose at least one stream")),
        ("GET", "/logs?stdout=1&since=x", None, (400, 'strconv.ParseInt: parsing "x": invalid syntax')),
        ("POST", "/attach?detachKeys=no", None, (400, "Invalid escape keys (no) provided")),
    ]:
        assert message(stack, method, path + rest, body) == expected, rest
    stack.docker("pause", running)
    assert message(stack, "POST", path + "/pause") == (409, f"Container {number} is already paused")
    assert message(stack, "POST", path + "/exec", {"Cmd": ["true"]}) == (
        409, f"Container {running} is paused, unpause the container before exec")


@pytest.mark.parametrize("body, text", [
    ({}, "config cannot be empty in order to create a container"),
    ("null", "config cannot be empty in order to create a container"),
    ({"Image": ""}, "no command specified"),
    ("{", "invalid JSON: unexpected EOF"),
    ('{"Image": "x"} x', "unexpected content after JSON"),
    ([], "invalid JSON: json: cannot unmarshal array into Go value of type runconfig.ContainerConfigWrapper"),
    ({"Image": 5},
     "invalid JSON: json: cannot unmarshal number into Go struct field ContainerConfigWrapper.Config.Image of type string"),
    ({"Labels": {"a": 5}},
     "invalid JSON: json: cannot unmarshal number into Go struct field ContainerConfigWrapper.Config.Labels of type string"),
    ({"HostConfig": 5},
     "invalid JSON: json: cannot unmarshal number into Go struct field ContainerConfigWrapper.HostConfig of type "
     "container.HostConfig"),
    ({"HostConfig": {"CapAdd": ["x"]}}, 'invalid CapAdd: unknown capability: "CAP_X"'),
    ({"HostConfig": {"SecurityOpt": ["x"]}}, 'invalid --security-opt 1: "x"'),
    ({"HostConfig": {"ExtraHosts": ["x"]}}, 'bad format for add-host: "x"'),
    ({"HostConfig": {"PortBindings": {"80/tcp": [{"HostPort": "x"}]}}}, 'invalid port specification: "x"'),
    ({"HostConfig": {"LogConfig": {"Type": "x"}}}, 'error looking up logging plugin x: plugin "x" not found'),
    ({"HostConfig": {"Mounts": [{"Type": "x", "Target": "/a"}]}}, 'invalid mount config for type "x": mount type unknown'),
    ({"HostConfig": {"Mounts": [{"Type": "bind", "Source": "/absent", "Target": "/a"}]}},
     'invalid mount config for type "bind": bind source path does not exist: /absent'),
    ({"HostConfig": {"CpusetCpus": "x"}}, "Invalid value x for cpuset cpus: invalid format: x"),
])
def test_texts_of_create(stack, body, text):
    if isinstance(body, dict) and body and "Image" not in body:
        body["Image"] = "busybox"
    assert message(stack, "POST", "/containers/create", body) == (400, text)


def test_letters_of_members_match_whatever_their_case(stack):
    """Go's decoder takes them so, and some clients rely on it."""
    status, _, data = request(stack, "POST", "/containers/create",
                              {"image": "busybox", "CMD": ["echo", "x"], "hostconfig": {"autoREMOVE": True}})
    found = stack.inspect(json.loads(data)["Id"])
    assert (status, found["Config"]["Cmd"], found["HostConfig"]["AutoRemove"]) == (201, ["echo", "x"], True)
    stack.docker("rm", found["Id"])


def test_other_texts(stack):
    assert message(stack, "POST", "/commit") == (400, 'invalid name or ID supplied: ""')
    assert message(stack, "PUT", "/volumes/x?version=1", {}) == (
        503, "volume update only valid for cluster volumes, but swarm is unavailable")
    assert message(stack, "GET", "/events?since=2&until=1") == (400, "`since` time (2) cannot be after `until` time (1)")
    assert message(stack, "POST", "/volumes/create", {"Name": 5}) == (
        400, "invalid JSON: json: cannot unmarshal number into Go struct field CreateOptions.Name of type string")


def test_paths_are_cleaned_as_by_go(stack):
    for path, clean in (("//info", "/info"), ("/v1.44/../info?a=b", "/info?a=b"), ("/containers//json", "/containers/json")):
        status, headers, _ = request(stack, "GET", path)
        assert (status, headers["Location"]) == (301, clean)


# --- Web sockets


class WebSocket:
    """A client of RFC 6455, as small as can be."""

    def __init__(self, stack, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(str(stack.socket))
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((f"GET {path} HTTP/1.1\r\nHost: d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
        self.rest = b""
        while b"\r\n\r\n" not in self.rest:
            self.rest += self.socket.recv(4096)
        self.head, self.rest = self.rest.split(b"\r\n\r\n", 1)
        accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
        assert self.head.startswith(b"HTTP/1.1 101 Switching Protocols\r\n") and accept in self.head

    def send(self, payload, opcode=2, final=True):
        mask = os.urandom(4)
        size = len(payload)
        head = bytes([(0x80 if final else 0) | opcode])
        head += bytes([0x80 | size]) if size < 126 else bytes([0x80 | 126]) + struct.pack(">H", size)
        self.socket.sendall(head + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload)))

    def take(self, count):
        while len(self.rest) < count:
            piece = self.socket.recv(4096)
            assert piece, "the connection ended"
            self.rest += piece
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken

    def receive(self):
        """The opcode and the payload of the next frame."""
        first, second = self.take(2)
        assert second & 0x80 == 0
        size = second if second < 126 else struct.unpack(">H", self.take(2))[0]
        return first & 15, self.take(size)


def test_attach_by_a_web_socket(stack, container_name):
    stack.docker("run", "-d", "-i", "--name", container_name, "busybox", "cat")
    client = WebSocket(stack, f"/v1.44/containers/{container_name}/attach/ws?stream=1&stdin=1&stdout=1&stderr=1")
    client.send(b"one ")
    client.send(b"in ", opcode=2, final=False)
    client.send(b"parts\n", opcode=0)
    received = b""
    while len(received) < 13:
        opcode, payload = client.receive()
        assert opcode == 2
        received += payload
    assert received == b"one in parts\n"  # plain, without docker's frames
    client.send(b"are you there", opcode=9)
    assert client.receive() == (10, b"are you there")
    stack.docker("exec", container_name, "sh", "-c", "echo more >/proc/1/fd/2")
    assert client.receive() == (2, b"more\n")
    client.send(struct.pack(">H", 1000), opcode=8)
    assert client.receive() == (8, struct.pack(">H", 1000))
    assert stack.inspect(container_name)["State"]["Running"]


def test_web_sockets_that_are_none(stack, running):
    assert request(stack, "GET", f"/containers/{running}/attach/ws")[0] == 400
    assert message(stack, "GET", "/containers/absent/attach/ws") == (404, "No such container: absent")
    client = WebSocket(stack, f"/containers/{running}/attach/ws?stream=1&stdout=1")
    client.socket.sendall(b"\xff\xff\xff\xff")  # nothing that the protocol knows
    assert client.receive()[0] == 8
    assert stack.docker("version")


# --- Every operation with nonsense


class Nonsense:
    """Requests for the operations of the API's description: mostly of the right shape, with values that are not."""

    TEXTS = ["", "x", "busybox", "busybox:latest", "0", "-1", "99999999999999999999", "true", "bridge", "none", "no", "*",
             "%00", "a b", "../..", "ünï", "\x01", "x" * 300, "{}", "[]", "null", "host", "container:x", "1s", "kill"]
    SKIPPED = ("/build", "/session", "/grpc", "/plugins", "/swarm", "/images/create")

    def __init__(self, description, chance, names, directory):
        self.definitions = description["definitions"]
        self.chance, self.names, self.directory = chance, names, directory
        self.operations = [
            (method.upper(), path, operation) for path, methods in description["paths"].items()
            for method, operation in methods.items()
            if method in ("get", "post", "put", "delete", "head") and not path.startswith(self.SKIPPED)]

    def text(self):
        return self.chance.choice(self.TEXTS + self.names + [str(self.directory), "".join(
            self.chance.choices(string.printable, k=self.chance.randrange(12)))])

    def value(self, schema, depth=0):
        """A value for a schema; now and then of another shape."""
        if "$ref" in schema:
            schema = self.definitions[schema["$ref"].rpartition("/")[2]]
        if self.chance.random() < 0.08:
            return self.chance.choice([None, "", 0, -1, 1 << 63, 1.5, True, [], {}, [[]], {"": ""}, "x", [None]])
        for part in schema.get("allOf", []):
            schema = {**schema, **self.definitions[part["$ref"].rpartition("/")[2]]} if "$ref" in part else {**schema, **part}
        kind = schema.get("type")
        if "enum" in schema and self.chance.random() < 0.7:
            return self.chance.choice(schema["enum"])
        if kind == "string":
            return self.text()
        if kind == "integer":
            return self.chance.choice([0, 1, -1, 2, 100, 65536, 1 << 31, (1 << 63) - 1, -(1 << 63)])
        if kind == "boolean":
            return self.chance.random() < 0.5
        if kind == "array":
            return [] if depth > 4 else [self.value(schema.get("items", {}), depth + 1) for _ in range(self.chance.randrange(3))]
        if depth > 4:
            return {}
        found = {name: self.value(part, depth + 1) for name, part in schema.get("properties", {}).items()
                 if self.chance.random() < 0.15}
        if isinstance(schema.get("additionalProperties"), dict):
            found[self.text()] = self.value(schema["additionalProperties"], depth + 1)
        return found

    def request(self):
        from urllib.parse import quote
        method, path, operation = self.chance.choice(self.operations)
        query, headers, body = [], {}, None
        for parameter in operation.get("parameters", []):
            place = parameter.get("in")
            if place == "path":
                name = self.chance.choice(self.names) if self.chance.random() < 0.7 else self.text() or "x"
                path = path.replace("{" + parameter["name"] + "}", quote(name, safe=""))
            elif place == "query" and self.chance.random() < 0.5:
                value = self.chance.choice(['{"label":["x"]}', '{"a":{"b":true}}', self.text()])
                query.append(parameter["name"] + "=" + quote(value, safe=""))
            elif place == "header" and self.chance.random() < 0.3:
                headers[parameter["name"]] = self.chance.choice(["", "e30=", "!!!", "eyJhIjoxfQ=="])
            elif place == "body":
                schema = parameter.get("schema", {})
                body = self.value(schema) if schema.get("type") != "string" else os.urandom(40)
        if path == "/containers/create" and isinstance(body, dict):
            body.setdefault("Image", "busybox")
            if self.chance.random() < 0.7:
                body["Image"] = "busybox"
        version = self.chance.choice(["", "/v1.24", "/v1.40", "/v1.44", "/v1.50"])
        return method, version + path + ("?" + "&".join(query) if query else ""), body, headers


def test_every_operation_with_nonsense(own_stack):
    yaml = pytest.importorskip("yaml")
    if not DESCRIPTION.exists():
        pytest.skip("the description of the API is not here: set SWRUN_TEST_API_DESCRIPTION")
    seconds = float(os.environ.get("SWRUN_TEST_API_SECONDS", "10"))
    seed = int(os.environ.get("SWRUN_TEST_API_SEED", time.time_ns()))
    names = [own_stack.docker("run", "-d", "-i", "busybox", "cat"), own_stack.docker("create", "busybox", "true"), "busybox"]
    own_stack.docker("volume", "create", "names")
    own_stack.docker("network", "create", "names")
    nonsense = Nonsense(yaml.safe_load(DESCRIPTION.read_text()), random.Random(seed), names + ["names", "bridge"],
                        own_stack.directory)
    process, failures, count = own_stack.process.pid, [], 0
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        method, path, body, headers = nonsense.request()
        try:
            status, _, data = request(own_stack, method, path, body, headers, timeout=0.5)
        except TimeoutError:
            continue  # a stream, or a command that works on it
        except (http.client.HTTPException, ConnectionError) as error:
            if "/attach" not in path and "/exec/" not in path:
                failures.append((method, path, body, repr(error)))
            continue
        count += 1
        if status == 500 and not fault_of_others(data):
            failures.append((method, path, body, data[:300]))
    assert own_stack.process.poll() is None and own_stack.process.pid == process, own_stack.log()[-3000:]
    assert own_stack.docker("version")
    assert not failures, f"seed {seed}, {count} requests, {len(failures)} failures: {failures[:8]}"


def fault_of_others(data):
    """What docker answers with 500, too: the kernel, the runtime, ps(1) or a registry refused."""
    texts = (b"OCI runtime", b"dial tcp", b"lookup ", b"ps: ", b'"message":"error: ', b"PID field", b"no such file or directory")
    return any(text in data for text in texts)
