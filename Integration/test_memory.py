# SPDX-License-Identifier: Apache-2.0
"""Memory of both daemons while images move: however large a layer, they hold a few pieces of it at a time. And of swrund
while clients send large requests, slowly."""
import json
import pathlib
import select
import socket
import tarfile
import threading
import time

import pytest

REGISTRY = "127.0.0.1:5100"
LAYER = 256 << 20
# Ours hold about 15 MB, a release build less; a daemon that held the layer, or that lost its pieces, would hold far more.
BOUND = 48 << 20


class AnonymousMemory:
    """The largest growth of each process's own memory (not of mapped files) while the block runs."""

    def __init__(self, *pids):
        self.pids = pids

    @staticmethod
    def of(pid):
        lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("RssAnon"))

    def __enter__(self):
        self.before = [self.of(pid) for pid in self.pids]
        self.growth = [0] * len(self.pids)
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def watch(self):
        while not self.stop.is_set():
            for number, pid in enumerate(self.pids):
                self.growth[number] = max(self.growth[number], self.of(pid) - self.before[number])
            time.sleep(0.02)

    def __exit__(self, *reason):
        self.stop.set()
        self.thread.join()


@pytest.fixture
def root_archive(tmp_path):
    """A root file system of one large file, which takes no room on disk."""
    path = tmp_path / "root.tar"
    info = tarfile.TarInfo("large")
    info.size = LAYER
    with open(path, "wb") as file:
        file.write(info.tobuf(tarfile.GNU_FORMAT))
        file.truncate(512 + LAYER + 1024)
    return path


def test_a_large_layer_is_never_in_memory(own_stack, registry, root_archive, tmp_path):
    name = f"{REGISTRY}/large/image:latest"
    pids = own_stack.process.pid, own_stack.supervisor_pid()
    growth = {}

    def watched(*command):
        with AnonymousMemory(*pids) as memory:
            own_stack.swrun(*command)
        growth[command[0]] = memory.growth

    watched("import", root_archive, name)
    assert own_stack.inspect(name)["Size"] == LAYER
    watched("run", "-d", "--name", "changed", "-v", f"{tmp_path}:/host:ro", "busybox", "sleep", "1000")
    own_stack.swrun("exec", "changed", "cp", "/host/root.tar", "/copy")
    watched("commit", "changed", "committed")
    watched("push", "-q", name)
    own_stack.swrun("rmi", name)
    watched("pull", "-q", name)
    watched("save", "-o", tmp_path / "saved.tar", name)
    own_stack.swrun("rmi", name)
    watched("load", "-q", "-i", tmp_path / "saved.tar")
    assert own_stack.inspect(name)["Size"] == LAYER
    watched("export", "-o", tmp_path / "root", "changed")
    too_much = {command: found for command, found in growth.items() if max(found) > BOUND}
    assert not too_much, f"bytes of swrund and supervisor: {json.dumps(growth)}"


def test_large_bodies_that_never_end(own_stack):
    """40 clients at 7 MB each would be 280 MB: some are told to come back, and everybody else is served."""
    clients = []
    piece = b"100000\r\n" + b"a" * (1 << 20) + b"\r\n"

    def send(client):
        try:
            client.sendall(b"POST /containers/create HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\n"
                           b"Transfer-Encoding: chunked\r\n\r\n")
            for _ in range(7):
                client.sendall(piece)
        except OSError:
            pass  # refused before all of it was sent
    with AnonymousMemory(own_stack.process.pid) as memory:
        for _ in range(40):
            clients.append(socket.socket(socket.AF_UNIX))
            clients[-1].settimeout(20)
            clients[-1].connect(str(own_stack.socket))
        senders = [threading.Thread(target=send, args=[client]) for client in clients]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        assert own_stack.docker("create", "busybox")
    assert memory.growth[0] < 192 << 20
    answered = select.select(clients, [], [], 10)[0]
    assert answered and all(client.recv(12) == b"HTTP/1.1 503" for client in answered)
    for client in clients:
        client.close()
