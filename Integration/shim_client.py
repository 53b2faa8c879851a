# SPDX-License-Identifier: Apache-2.0
"""A small client of shims: ttrpc frames and protobuf by hand, the Task service, and the attach socket."""
import json
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import threading
import time

SERVICE = "containerd.task.v2.Task"
MAXIMUM = 4 << 20


def varint(value):
    out = bytearray()
    value &= (1 << 64) - 1
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def encode(fields):
    """A message from (number, value) pairs; a list of pairs is a message, a str or bytes a string, an int a varint."""
    out = b""
    for number, value in fields:
        if isinstance(value, (list, tuple)):
            value = encode(value)
        if isinstance(value, str):
            value = value.encode()
        if isinstance(value, bytes):
            out += varint(number << 3 | 2) + varint(len(value)) + value
        elif value:
            out += varint(number << 3) + varint(int(value))
    return out


def decode(data):
    """The fields of a message as {number: [values]}; nested messages stay bytes."""
    fields, at = {}, 0

    def read():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        tag = read()
        if tag & 7 == 0:
            value = read()
        else:
            assert tag & 7 == 2, tag
            length = read()
            value, at = data[at:at + length], at + length
        fields.setdefault(tag >> 3, []).append(value)
    return fields


def receive(sock, count):
    data = b""
    while len(data) < count:
        piece = sock.recv(count - len(data))
        if not piece:
            raise EOFError("connection closed")
        data += piece
    return data


def connect(path):
    """Connects to a unix socket of any path length."""
    sock = socket.socket(socket.AF_UNIX)
    directory = os.open(os.path.dirname(path), os.O_PATH)
    try:
        sock.connect(f"/proc/self/fd/{directory}/{os.path.basename(path)}")
    finally:
        os.close(directory)
    return sock


class RPCError(Exception):
    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


class Connection:
    """One ttrpc connection; calls may be made from several threads."""

    def __init__(self, path):
        self.sock = connect(path)
        self.lock = threading.Lock()
        self.stream = 1
        self.answers = {}
        self.closed = False
        self.arrived = threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        try:
            while True:
                length, stream, kind, _ = struct.unpack(">IIBB", receive(self.sock, 10))
                payload = receive(self.sock, length)
                with self.arrived:
                    self.answers[stream] = payload
                    self.arrived.notify_all()
        except (EOFError, OSError):
            with self.arrived:
                self.closed = True
                self.arrived.notify_all()

    def begin(self, method, fields=(), service=SERVICE, payload=None, namespace=None):
        body = encode(fields) if payload is None else payload
        request = encode([(1, service), (2, method), (3, body)])
        if namespace:
            request += encode([(5, [(1, "containerd-namespace-ttrpc"), (2, namespace)])])
        with self.lock:
            stream, self.stream = self.stream, self.stream + 2
            self.sock.sendall(struct.pack(">IIBB", len(request), stream, 1, 0) + request)
        return stream

    def finish(self, stream, timeout=20):
        deadline = time.monotonic() + timeout
        with self.arrived:
            while not self.closed and stream not in self.answers:
                if not self.arrived.wait(deadline - time.monotonic()):
                    raise TimeoutError(f"no answer on stream {stream}")
            if stream not in self.answers:
                raise EOFError("connection closed")
            response = decode(self.answers.pop(stream))
        if 1 in response:
            status = decode(response[1][0])
            raise RPCError(status.get(1, [0])[0], status.get(2, [b""])[0].decode())
        return decode(response.get(2, [b""])[0])

    def call(self, method, fields=(), timeout=20, **options):
        return self.finish(self.begin(method, fields, **options), timeout)

    def close(self):
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()


class EventSink:
    """The supervisor's end of the events: collects (topic, fields)."""

    def __init__(self, path):
        self.path = path
        self.events = []
        self.arrived = threading.Condition()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        self.connections = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(sock)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        try:
            while True:
                length, stream, _, _ = struct.unpack(">IIBB", receive(sock, 10))
                request = decode(receive(sock, length))
                envelope = decode(decode(request[3][0])[1][0])
                event = decode(envelope[4][0])
                with self.arrived:
                    self.events.append((envelope[3][0].decode(), event[1][0].decode(), decode(event[2][0])))
                    self.arrived.notify_all()
                sock.sendall(struct.pack(">IIBB", 0, stream, 2, 0))
        except (EOFError, OSError):
            sock.close()

    def wait_for(self, topic, timeout=10):
        deadline = time.monotonic() + timeout
        with self.arrived:
            while True:
                for event in self.events:
                    if event[0] == topic:
                        return event
                assert self.arrived.wait(deadline - time.monotonic()), f"no {topic} in {self.topics()}"

    def topics(self):
        return [event[0] for event in self.events]

    def close(self):
        for sock in [self.listener, *self.connections]:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            sock.close()


def make_rootfs(path):
    """A root file system with busybox and its applets."""
    for directory in ("bin", "proc", "sys", "dev", "tmp", "etc"):
        (path / directory).mkdir(parents=True)
    shutil.copy("/bin/busybox", path / "bin" / "busybox")
    for applet in ("sh", "cat", "echo", "sleep", "head", "yes", "wc", "stty", "ps", "true", "seq", "kill", "dd", "trap"):
        (path / "bin" / applet).symlink_to("busybox")
    (path / "etc" / "passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")


class Shim:
    """One shim with one container below `scratch`, which holds the sockets too."""

    def __init__(self, scratch, binaries, runtime="swrunc", ident="c1"):
        self.scratch, self.binaries, self.id = pathlib.Path(scratch), pathlib.Path(binaries), ident
        self.bundle = self.scratch / "bundles" / ident
        self.bundle.mkdir(parents=True)
        (self.bundle / "rootfs").mkdir()
        self.lower = self.scratch / "lower"
        if not self.lower.exists():
            make_rootfs(self.lower)
        runtime = shutil.which(runtime) or str(self.binaries / runtime)
        self.options = [(6, runtime), (7, str(self.scratch / "runc"))]
        self.address = self.scratch / "supervisor.sock"
        self.attach_path = self.bundle / "attach.sock"
        self.log_path = self.scratch / f"{ident}-json.log"
        self.connection = None

    def write_spec(self, args, terminal=False, edit=None):
        subprocess.run([str(self.binaries / "swrunc"), "spec"], cwd=self.bundle, check=True)
        path = self.bundle / "config.json"
        spec = json.loads(path.read_text())
        spec["process"]["args"] = args
        spec["process"]["terminal"] = terminal
        spec["root"]["readonly"] = False
        spec["linux"]["cgroupsPath"] = f"/swrun-shim-test-{os.getpid()}-{self.id}"
        if edit:
            edit(spec)
        path.write_text(json.dumps(spec))
        self.process = spec["process"]

    def command(self, action):
        return [str(self.binaries / "swrun-shim"), "-namespace", "test", "-address", str(self.address),
                "-publish-binary", "/bin/true", "-id", self.id, "-bundle", str(self.bundle), action]

    def environment(self):
        return dict(os.environ, TTRPC_ADDRESS=str(self.address) + ".ttrpc")

    def start_shim(self):
        done = subprocess.run(self.command("start"), cwd=self.bundle, env=self.environment(), check=True,
                              capture_output=True, timeout=10)
        address = done.stdout.decode()
        assert address.startswith("unix://"), address
        self.socket = address[len("unix://"):]
        self.connection = Connection(self.socket)
        return self

    def delete_command(self):
        done = subprocess.run(self.command("delete"), cwd=self.bundle, env=self.environment(), check=True,
                              capture_output=True, timeout=10)
        return decode(done.stdout)

    @property
    def pid(self):
        return self.call("Connect")[1][0]

    def call(self, method, *fields, **options):
        return self.connection.call(method, [(1, self.id), *fields], **options)

    def begin(self, method, *fields):
        return self.connection.begin(method, [(1, self.id), *fields])

    def log_uri(self, **options):
        query = "&".join([f"attach={self.attach_path}"] + [f"{k.replace('_', '-')}={v}" for k, v in options.items()])
        return f"json-file://{self.log_path}?{query}"

    def create(self, terminal=False, stdin="", stdout=None, stderr="", rootfs=None):
        mounts = rootfs or [[(1, "bind"), (2, str(self.lower)), (4, "rbind"), (4, "rw")]]
        stdout = self.log_uri() if stdout is None else stdout
        options = [(1, "containerd.runc.v1.Options"), (2, encode(self.options))]
        return self.call("Create", (2, str(self.bundle)), *[(3, mount) for mount in mounts], (4, terminal),
                         (5, stdin), (6, stdout), (7, stderr), (10, options))[1][0]

    def run(self, args, terminal=False, edit=None, **streams):
        """Everything up to a running process; its pid."""
        self.write_spec(args, terminal, edit)
        self.start_shim()
        pid = self.create(terminal=terminal, **streams)
        self.call("Start")
        return pid

    def exec(self, ident, args, terminal=False, stdin="", stdout="", spec=None):
        process = dict(self.process, args=args, terminal=terminal) | (spec or {})
        spec = [(1, "types.containerd.io/opencontainers/runtime-spec/1/Process"), (2, json.dumps(process))]
        self.call("Exec", (2, ident), (3, terminal), (4, stdin), (5, stdout), (7, spec))

    def wait(self, exec_id="", timeout=20):
        return self.connection.finish(self.begin("Wait", (2, exec_id)), timeout).get(1, [0])[0]

    def log(self):
        return [json.loads(line) for line in self.log_path.read_text().splitlines()]

    def output(self, stream="stdout"):
        return "".join(entry["log"] for entry in self.log() if entry["stream"] == stream)

    def destroy(self):
        """Removes everything, whatever state it is in."""
        try:
            if self.connection is None:
                return
            for step in (lambda: self.call("Kill", (3, 9), (4, True)), self.wait, lambda: self.call("Delete")):
                try:
                    step()
                except (RPCError, EOFError, OSError):
                    pass
            try:
                self.call("Shutdown")
            except (RPCError, EOFError, OSError):
                pass
        finally:
            self.delete_command()


class Attachment:
    """A client of an attach socket."""

    STDIN, STDOUT, STDERR, CLOSES = 1, 2, 4, 8

    def __init__(self, path, flags=STDOUT | STDERR):
        self.sock = connect(str(path))
        self.sock.settimeout(20)
        self.sock.sendall(bytes([flags]))
        assert receive(self.sock, 1) == b"A"

    def frame(self):
        """The next (stream, payload), or None at the end."""
        try:
            header = receive(self.sock, 8)
        except (EOFError, ConnectionResetError):
            return None
        stream, length = header[0], struct.unpack(">I", header[4:])[0]
        assert stream in (1, 2) and header[1:4] == b"\0\0\0" and length <= MAXIMUM
        return stream, receive(self.sock, length)

    def read_all(self):
        """All output until the shim closes the connection, by stream."""
        output = {1: b"", 2: b""}
        while (frame := self.frame()) is not None:
            output[frame[0]] += frame[1]
        return output

    def read_until(self, text, stream=1):
        data = b""
        while text not in data:
            frame = self.frame()
            assert frame is not None, f"ended before {text!r}: {data!r}"
            if frame[0] == stream:
                data += frame[1]
        return data

    def send(self, data):
        self.sock.sendall(data)

    def half_close(self):
        self.sock.shutdown(socket.SHUT_WR)

    def close(self):
        self.sock.close()
