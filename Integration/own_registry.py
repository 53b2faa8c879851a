# SPDX-License-Identifier: Apache-2.0
"""swrun-registry as tests start, kill and ask it."""
import hashlib
import http.client
import json
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile

from harness import BIN, run, wait_until


class OwnRegistry:
    """A registry with a directory and a port of its own; `address` is what images are named by."""

    def __init__(self, *flags):
        self.flags = flags
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="swrun-it-registry-"))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self.process = None

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.stop()
        shutil.rmtree(self.directory)

    def start(self):
        with open(self.directory / "log", "ab") as log:
            command = [BIN / "swrun-registry", "--root", self.directory / "root", "--addr", self.address, *self.flags]
            self.process = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(self.listens, 20, f"an answer of the registry:\n{self.log()}")

    def listens(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the registry ended with {self.process.returncode}:\n{self.log()}")
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def log(self):
        return (self.directory / "log").read_text()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(20) == 0, self.log()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def collect_garbage(self, *flags, check=True):
        return run(BIN / "swrun-registry", "garbage-collect", "--root", self.directory / "root", *flags, check=check)

    def peak_memory(self):
        """The most memory that it has had at once, in bytes."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024

    # --- requests

    def ask(self, method, path, body=None, **headers):
        """Status, header fields and body of one request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            fields = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, fields)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def code(self, method, path, body=None, **headers):
        """Status and code of a refusal."""
        status, _, body = self.ask(method, path, body, **headers)
        return status, json.loads(body)["errors"][0]["code"]

    def push(self, repository, data):
        """Stores a blob; returns its digest."""
        digest = digest_of(data)
        status, _, _ = self.ask("POST", f"/v2/{repository}/blobs/uploads/?digest={digest}", data)
        assert status == 201
        return digest


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()
