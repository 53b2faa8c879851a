# SPDX-License-Identifier: Apache-2.0
"""Log drivers that send lines away: what their receivers get, and that `logs` works all the same."""
import contextlib
import gzip
import json
import pathlib
import socket
import ssl
import struct
import subprocess
import zlib

import pytest
from harness import wait_until

PRINT = ["sh", "-c", "echo one; sleep 0.05; echo two >&2; sleep 0.05; printf three"]


@contextlib.contextmanager
def receiver(kind, address=("127.0.0.1", 0)):
    with socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET, kind) as sock:
        sock.bind(address)
        sock.settimeout(20)
        if kind == socket.SOCK_STREAM:
            sock.listen()
        yield sock


def run(stack, name, driver, *options, command=PRINT):
    words = [word for option in options for word in ("--log-opt", option)]
    return stack.docker("run", "--name", name, "--log-driver", driver, *words, "busybox", *command)


def stream_of(sock, enough):
    """What comes over the first connection until `enough` says so."""
    connection, _ = sock.accept()
    connection.settimeout(20)
    data = b""
    with connection:
        while not enough(data):
            more = connection.recv(65536)
            assert more, data
            data += more
    return data


@pytest.mark.parametrize("form, pattern", [("", "<{0}>"), ("rfc3164", "<{0}>"), ("rfc5424", "<{0}>1 "), ("rfc5424micro", "<{0}>1 ")])
def test_syslog_datagrams(stack, container_name, form, pattern):
    with receiver(socket.SOCK_DGRAM) as sock:
        options = [f"syslog-address=udp://127.0.0.1:{sock.getsockname()[1]}", "syslog-facility=local3", "tag=mine/{{.Name}}"]
        run(stack, container_name, "syslog", *options, *([f"syslog-format={form}"] if form else []))
        first, second, third = (sock.recv(2000).decode() for _ in range(3))
    for text, severity, end in [(first, 6, "one\n"), (second, 3, "two\n"), (third, 6, "three\n")]:
        assert text.startswith(pattern.format(19 * 8 + severity)) and text.endswith(end)
        assert f"mine/{container_name}" in text
    result = stack.docker("logs", container_name)
    assert (result.out, result.err) == ("one\nthree", "two\n")


def test_syslog_over_tls(stack, container_name, tmp_path):
    def certificate(name, *options):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-subj", f"/CN={name}", "-keyout", tmp_path / f"{name}.key", "-out", tmp_path / f"{name}.pem", *options],
                       check=True, capture_output=True)
        return str(tmp_path / f"{name}.pem"), str(tmp_path / f"{name}.key")

    theirs = certificate("localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    ours = certificate("client")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*theirs)
    context.load_verify_locations(ours[0])
    context.verify_mode = ssl.CERT_REQUIRED
    with receiver(socket.SOCK_STREAM) as sock:
        address = f"syslog-address=tcp+tls://localhost:{sock.getsockname()[1]}"
        client = stack.background("run", "--name", container_name, "--log-driver", "syslog", "--log-opt", address, "--log-opt",
                                  f"syslog-tls-ca-cert={theirs[0]}", "--log-opt", f"syslog-tls-cert={ours[0]}", "--log-opt",
                                  f"syslog-tls-key={ours[1]}", "busybox", *PRINT)
        connection, _ = sock.accept()
        connection.settimeout(20)
        with context.wrap_socket(connection, server_side=True) as secure:
            data = b""
            while data.count(b"\n") < 3:
                data += secure.recv(65536)
            assert secure.getpeercert()["subject"] == ((("commonName", "client"),),)
        assert data.decode().splitlines()[1].endswith(": two") and client.wait(20) == 0
        stack.docker("rm", container_name)
        client = stack.background("run", "--name", container_name, "--log-driver", "syslog", "--log-opt", address, "busybox", "true")
        connection, _ = sock.accept()
        with connection, pytest.raises(ssl.SSLError):  # nobody vouches for it
            context.wrap_socket(connection, server_side=True)
        assert client.wait(20) == 125


def test_syslog_over_a_stream_and_a_receiver_that_is_not_there(stack, container_name):
    with receiver(socket.SOCK_STREAM) as sock:
        address = f"syslog-address=tcp://127.0.0.1:{sock.getsockname()[1]}"
        run(stack, container_name, "syslog", address)
        assert stream_of(sock, lambda data: data.count(b"\n") == 3).decode().splitlines()[1].endswith(": two")
    stack.docker("rm", container_name)
    refused = stack.docker("run", "--name", container_name, "--log-driver", "syslog", "--log-opt", address, "busybox", "true", check=False)
    assert refused.code == 125
    assert f"failed to initialize logging driver: dial tcp {address[21:]}: connect: connection refused" in refused.err


@pytest.mark.parametrize("packing", ["gzip", "zlib", "none"])
def test_gelf_datagrams(stack, container_name, packing):
    unpack = {"gzip": gzip.decompress, "zlib": zlib.decompress, "none": bytes}[packing]
    with receiver(socket.SOCK_DGRAM) as sock:
        run(stack, container_name, "gelf", f"gelf-address=udp://127.0.0.1:{sock.getsockname()[1]}", f"gelf-compression-type={packing}", "env=HOME_MADE",
            command=["sh", "-c", "echo short; head -c 5000 /dev/urandom | hexdump -v -e '1/1 \"%02x\"'; echo"])
        first = json.loads(unpack(sock.recv(9000)))
        chunks = [sock.recv(9000)]
        while len(chunks) < chunks[0][11]:
            chunks.append(sock.recv(9000))
    assert first["version"] == "1.1" and first["short_message"] == "short" and first["level"] == 6
    assert first["_container_name"] == container_name and len(first["_container_id"]) == 64 and first["_image_name"] == "busybox"
    assert isinstance(first["timestamp"], float) and first["_command"].startswith("sh -c echo short")
    assert all(chunk[:2] == b"\x1e\x0f" and chunk[2:10] == chunks[0][2:10] for chunk in chunks)
    assert len(json.loads(unpack(b"".join(chunk[12:] for chunk in sorted(chunks, key=lambda chunk: chunk[10]))))["short_message"]) == 10000


def test_gelf_stream(stack, container_name):
    with receiver(socket.SOCK_STREAM) as sock:
        run(stack, container_name, "gelf", f"gelf-address=tcp://127.0.0.1:{sock.getsockname()[1]}")
        data = stream_of(sock, lambda data: data.count(b"\0") == 3)
    assert [(message["short_message"], message["level"]) for message in map(json.loads, data.split(b"\0")[:3])] == [("one", 6), ("two", 3), ("three", 6)]


def unpacked(data):
    """The msgpack values in `data`, as far as fluentd's messages need."""
    def take(position):
        kind = data[position]
        if kind & 0xE0 == 0xA0:
            return data[position + 1:position + 1 + (kind & 31)].decode(), position + 1 + (kind & 31)
        if kind == 0xD9:
            return data[position + 2:position + 2 + data[position + 1]].decode(), position + 2 + data[position + 1]
        if kind == 0xD7:
            return struct.unpack(">II", data[position + 2:position + 10]), position + 10
        if kind == 0xD2:
            return struct.unpack(">I", data[position + 1:position + 5])[0], position + 5
        assert kind & 0xF0 in (0x80, 0x90), hex(kind)
        values, position = [], position + 1
        for _ in range((kind & 15) * (2 if kind & 0xF0 == 0x80 else 1)):
            value, position = take(position)
            values.append(value)
        return dict(zip(values[::2], values[1::2])) if kind & 0xF0 == 0x80 else values, position

    position, result = 0, []
    while position < len(data):
        value, position = take(position)
        result.append(value)
    return result


def test_fluentd(stack, container_name):
    with receiver(socket.SOCK_STREAM) as sock:
        run(stack, container_name, "fluentd", f"fluentd-address=127.0.0.1:{sock.getsockname()[1]}", "fluentd-sub-second-precision=true", "tag=t.{{.Name}}")
        messages = unpacked(stream_of(sock, lambda data: b"three" in data and data.endswith(b"\x80")))
    identifier = stack.inspect(container_name)["Id"]
    assert [message[0] for message in messages] == [f"t.{container_name}"] * 3
    assert [message[2] for message in messages] == [
        {"container_id": identifier, "container_name": f"/{container_name}", "source": "stdout", "log": "one"},
        {"container_id": identifier, "container_name": f"/{container_name}", "source": "stderr", "log": "two"},
        {"container_id": identifier, "container_name": f"/{container_name}", "source": "stdout", "log": "three", "partial_message": "true"}]


def test_fluentd_that_confirms(stack, container_name):
    with receiver(socket.SOCK_STREAM) as sock:
        client = stack.background("run", "--name", container_name, "--log-driver", "fluentd", "--log-opt",
                                  f"fluentd-address=127.0.0.1:{sock.getsockname()[1]}", "--log-opt", "fluentd-request-ack=true",
                                  "busybox", *PRINT)
        seen = []
        for attempt in ("refuse", "confirm"):
            connection, _ = sock.accept()
            connection.settimeout(20)
            with connection:
                while len({message[2]["log"] for message in seen}) < 3:
                    message, = unpacked(connection.recv(65536))
                    seen.append(message)
                    if attempt == "refuse":  # it is sent again over another connection
                        break
                    connection.sendall(b"\x81\xa3ack\xb8" + message[3]["chunk"].encode())
        assert client.wait(20) == 0
    assert [message[2]["log"] for message in seen] == ["one", "one", "two", "three"]
    assert len({message[3]["chunk"] for message in seen}) == 4 and {len(message[3]["chunk"]) for message in seen} == {24}


def test_journald(stack, container_name):
    path = pathlib.Path("/run/systemd/journal/socket")
    if path.exists():
        pytest.skip("this machine has a journal of its own")
    refused = stack.docker("run", "--rm", "--log-driver", "journald", "busybox", "true", check=False)
    assert refused.code == 125 and "failed to initialize logging driver: journald is not enabled on this host" in refused.err
    made = [parent for parent in (path.parent, path.parent.parent) if not parent.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with receiver(socket.SOCK_DGRAM, str(path)) as sock:
            run(stack, container_name, "journald", "tag=mine", "labels=x")
            first, second = (dict(line.split("=", 1) for line in sock.recv(9000).decode().splitlines()) for _ in range(2))
    finally:
        path.unlink()
        for parent in made:
            parent.rmdir()
    assert (first["MESSAGE"], first["PRIORITY"], second["MESSAGE"], second["PRIORITY"]) == ("one", "6", "two", "3")
    assert (first["CONTAINER_NAME"], first["CONTAINER_TAG"], first["SYSLOG_IDENTIFIER"]) == (container_name, "mine", "mine")
    assert stack.docker("logs", container_name).out == "one\nthree"


def test_without_a_cache(stack, container_name):
    with receiver(socket.SOCK_DGRAM) as sock:
        run(stack, container_name, "syslog", f"syslog-address=udp://127.0.0.1:{sock.getsockname()[1]}", "cache-disabled=true")
        assert sock.recv(2000).endswith(b": one\n")
    result = stack.docker("logs", container_name, check=False)
    assert result.code == 1 and "configured logging driver does not support reading" in result.err


def test_sending_goes_on_after_a_restart_of_the_daemon(own_stack):
    with receiver(socket.SOCK_DGRAM) as sock:
        own_stack.docker("run", "-d", "--name", "sent", "--log-driver", "syslog", "--log-opt", f"syslog-address=udp://127.0.0.1:{sock.getsockname()[1]}",
                         "busybox", "sh", "-c", "i=0; while [ $i -lt 60 ]; do echo line $i; i=$((i+1)); sleep 0.05; done")
        received = [sock.recv(2000)]
        own_stack.kill_daemon()
        own_stack.start()
        while not received[-1].endswith(b": line 59\n"):
            received.append(sock.recv(2000))
    numbers = [int(text.split()[-1]) for text in received]
    assert sorted(set(numbers)) == list(range(60)) and len(numbers) <= 61
    wait_until(lambda: not own_stack.inspect("sent")["State"]["Running"])
    assert own_stack.docker("info", "-f", "{{.Plugins.Log}}") == "[fluentd gelf journald json-file local syslog]"


@pytest.mark.parametrize("driver, options, text", [
    ("syslog", ["syslog-address=foo"], "unsupported scheme: ''"), ("syslog", ["syslog-facility=q"], "invalid syslog facility"),
    ("gelf", [], "gelf-address is a required parameter"), ("gelf", ["gelf-address=foo"], "gelf: endpoint needs to be TCP or UDP"),
    ("gelf", ["gelf-address=udp://127.0.0.1:1", "gelf-compression-type=q"], 'unknown value "q" for log opt "gelf-compression-type" for gelf log driver'),
    ("gelf", ["gelf-address=tcp://127.0.0.1:1"], "gelf: cannot connect to GELF endpoint: 127.0.0.1:1 dial tcp 127.0.0.1:1: connect: connection refused"),
    ("fluentd", ["fluentd-address=127.0.0.1:1"], "failed to initialize logging driver: dial tcp 127.0.0.1:1: connect: connection refused"),
    ("fluentd", ["nosuch=1"], "unknown log opt 'nosuch' for fluentd log driver"), ("local", ["tag=x"], "unknown log opt 'tag' for log driver local")])
def test_refusals(stack, driver, options, text):
    words = [word for option in options for word in ("--log-opt", option)]
    result = stack.docker("run", "--rm", "--log-driver", driver, *words, "busybox", "true", check=False)
    assert result.code == 125 and text in result.err
