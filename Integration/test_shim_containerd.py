# SPDX-License-Identifier: Apache-2.0
"""swrun-shim below Debian's containerd, driven by ctr: the contract's other user."""
import hashlib
import io
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tarfile
import tempfile
import time

import pexpect
import pytest

from harness import BIN, remove_empty_trees
from shim_client import make_rootfs

pytestmark = pytest.mark.skipif(not (shutil.which("containerd") and shutil.which("ctr")), reason="no containerd here")
RUNTIME = "io.containerd.swrun.v2"
CONFIG = """version = 2
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper"]
"""


def write_image(path, scratch):
    """An OCI layout with one busybox layer, as a tar."""
    root = scratch / "image-root"
    make_rootfs(root)
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        tar.add(root, arcname=".")
    blobs = {}

    def blob(data):
        digest = hashlib.sha256(data).hexdigest()
        blobs[digest] = data
        return {"digest": f"sha256:{digest}", "size": len(data)}

    layer_descriptor = blob(layer.getvalue())
    config = {"architecture": "amd64", "os": "linux", "config": {"Env": ["PATH=/bin"]},
              "rootfs": {"type": "layers", "diff_ids": [layer_descriptor["digest"]]}}
    kind = "application/vnd.oci.image."
    manifest = {"schemaVersion": 2, "mediaType": kind + "manifest.v1+json",
                "config": {"mediaType": kind + "config.v1+json", **blob(json.dumps(config).encode())},
                "layers": [{"mediaType": kind + "layer.v1.tar", **layer_descriptor}]}
    index = {"schemaVersion": 2, "manifests": [
        {"mediaType": kind + "manifest.v1+json", **blob(json.dumps(manifest).encode()),
         "annotations": {"org.opencontainers.image.ref.name": "latest"}}]}
    files = {f"blobs/sha256/{digest}": data for digest, data in blobs.items()}
    files["oci-layout"] = b'{"imageLayoutVersion":"1.0.0"}'
    files["index.json"] = json.dumps(index).encode()
    with tarfile.open(path, "w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


class Containerd:
    """Debian's containerd; `prefix` is what the daemon is started through."""

    def __init__(self, place, prefix=()):
        self.place, self.prefix = place, list(prefix)
        self.address = place / "c.sock"
        binaries = place / "bin"
        binaries.mkdir()
        shutil.copy(BIN / "swrun-shim", binaries / "containerd-shim-swrun-v2")
        shutil.copy(BIN / "swrunc", binaries / "swrunc")
        (place / "config.toml").write_text(CONFIG)
        self.start()

    def start(self):
        environment = dict(os.environ, PATH=f"{self.place}/bin:{os.environ['PATH']}")
        log = open(self.place / "containerd.log", "ab")
        self.process = subprocess.Popen(
            [*self.prefix, "containerd", "-c", self.place / "config.toml", "--root", self.place / "root", "--state",
             self.place / "state", "--address", self.address], env=environment, stdout=log, stderr=log)
        deadline = time.monotonic() + 20
        while subprocess.run(self.words("version"), capture_output=True).returncode != 0:
            assert time.monotonic() < deadline, (self.place / "containerd.log").read_text()
            time.sleep(0.1)

    def words(self, *arguments):
        return ["ctr", "-a", str(self.address), *map(str, arguments)]

    def ctr(self, *arguments, stdin=b"", timeout=30):
        return subprocess.run(self.words(*arguments), input=stdin, capture_output=True, timeout=timeout)

    def run(self, ident, *arguments, options=("--rm",), **more):
        return self.ctr("run", "--runtime", RUNTIME, *options, "bb:latest", ident, *arguments, **more)

    def kill_daemon(self):
        self.process.kill()
        self.process.wait()

    def destroy(self):
        for name in self.ctr("tasks", "ls", "-q").stdout.decode().split():
            self.ctr("tasks", "kill", "-s", "KILL", name)
            time.sleep(0.3)
            self.ctr("tasks", "rm", name)
        self.process.terminate()
        self.process.wait(10)
        remove_empty_trees("default")


@pytest.fixture(scope="module")
def containerd():
    place = pathlib.Path(tempfile.mkdtemp(prefix="ctd-", dir="/tmp"))
    daemon = Containerd(place)
    write_image(place / "image.tar", place)
    assert daemon.ctr("images", "import", "--base-name", "bb", place / "image.tar").returncode == 0
    yield daemon
    daemon.destroy()
    shutil.rmtree(place)


def test_run(containerd):
    done = containerd.run("r1", "sh", "-c", "echo out; echo err >&2; exit 3")
    assert (done.returncode, done.stdout, done.stderr) == (3, b"out\n", b"err\n")


@pytest.mark.parametrize("round", range(5))
def test_stdin_reaches_its_end(containerd, round):
    assert containerd.run(f"s{round}", "cat", stdin=b"hello\n").stdout == b"hello\n"


def test_much_data(containerd):
    assert len(containerd.run("m1", "sh", "-c", "yes | head -c 10000000").stdout) == 10000000
    assert containerd.run("m2", "busybox", "wc", "-c", stdin=b"x" * 3000000).stdout.strip() == b"3000000"


def test_command_that_is_not_there(containerd):
    done = containerd.run("n1", "nosuch")
    assert done.returncode == 1
    assert b"failed to create shim task: OCI runtime create failed: " in done.stderr
    assert b'exec: "nosuch": executable file not found in $PATH: unknown' in done.stderr


def test_exec_pause_and_kill(containerd):
    assert containerd.run("e1", "sleep", "100", options=("-d",)).returncode == 0
    assert b"sleep 100" in containerd.ctr("tasks", "exec", "--exec-id", "x1", "e1", "ps").stdout
    assert containerd.ctr("tasks", "exec", "--exec-id", "x2", "e1", "cat", stdin=b"abc").stdout == b"abc"
    assert containerd.ctr("tasks", "exec", "--exec-id", "x3", "e1", "sh", "-c", "exit 5").returncode == 5
    missing = containerd.ctr("tasks", "exec", "--exec-id", "x4", "e1", "nosuch")
    assert missing.returncode == 1 and b"OCI runtime exec failed: exec failed: " in missing.stderr
    containerd.ctr("tasks", "pause", "e1")
    assert b"PAUSED" in containerd.ctr("tasks", "ls").stdout
    containerd.ctr("tasks", "resume", "e1")
    assert b"RUNNING" in containerd.ctr("tasks", "ls").stdout
    assert containerd.ctr("tasks", "ps", "e1").returncode == 0
    containerd.ctr("tasks", "kill", "-s", "KILL", "e1")
    time.sleep(0.5)
    assert b"STOPPED" in containerd.ctr("tasks", "ls").stdout
    containerd.ctr("tasks", "rm", "e1")
    containerd.ctr("containers", "rm", "e1")


def test_terminal(containerd):
    child = pexpect.spawn(
        "ctr", containerd.words("run", "--runtime", RUNTIME, "--rm", "-t", "bb:latest", "t1", "sh")[1:], timeout=15,
        dimensions=(33, 101))
    child.expect("# ")
    child.sendline("stty size")
    child.expect("33 101")
    child.setwinsize(40, 120)
    time.sleep(0.3)
    child.sendline("stty size")
    child.expect("40 120")
    child.sendline("exit 4")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 4


def test_containerd_may_be_killed(containerd):
    for ident, command in (("k1", "sleep 2; exit 9"), ("k2", "sleep 100")):
        assert containerd.run(ident, "sh", "-c", command, options=("-d",)).returncode == 0
    before = containerd.ctr("tasks", "ls").stdout.decode().split()
    containerd.kill_daemon()
    time.sleep(2.5)
    containerd.start()
    listed = containerd.ctr("tasks", "ls").stdout.decode().split()
    pid = before[before.index("k2") + 1]
    assert listed[listed.index("k1") + 2] == "STOPPED"
    assert listed[listed.index("k2") + 1:listed.index("k2") + 3] == [pid, "RUNNING"]
    assert b"exit code 9" in containerd.ctr("tasks", "rm", "k1").stderr
    assert containerd.ctr("tasks", "exec", "--exec-id", "x", "k2", "echo", "alive").stdout == b"alive\n"
    containerd.ctr("containers", "rm", "k1")


def test_containerd_clears_up_after_a_killed_shim(containerd):
    assert containerd.run("d1", "sleep", "100", options=("-d",)).returncode == 0
    found = subprocess.run(["pgrep", "-f", f"containerd-shim-swrun-v2.*-id d1.*{containerd.place}"],
                           capture_output=True, check=True)
    os.kill(int(found.stdout.split()[0]), signal.SIGKILL)
    deadline = time.monotonic() + 10
    while b"d1" in containerd.ctr("tasks", "ls").stdout:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    containerd.ctr("containers", "rm", "d1")
    assert str(containerd.place / "state") + "/io.containerd.runtime.v2.task/default/d1" not in open("/proc/mounts").read()


def metrics(containerd, ident):
    """The table of `ctr tasks metrics` as {name: value}."""
    done = containerd.ctr("tasks", "metrics", ident)
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.decode().splitlines()]
    return {row[0]: row[1] for row in rows if len(row) == 2}


def test_metrics(containerd):
    """The same names as with containerd's own shim, and figures of the same size."""
    found = []
    for ident, runtime in (("m1", RUNTIME), ("m2", "io.containerd.runc.v2")):
        done = containerd.ctr("run", "-d", "--runtime", runtime, "--pid-file", containerd.place / ident, "bb:latest",
                              ident, "sleep", "100")
        assert done.returncode == 0, done.stderr
        found.append(metrics(containerd, ident))
        containerd.ctr("tasks", "kill", "-s", "KILL", ident)
        time.sleep(0.3)
        containerd.ctr("tasks", "rm", ident)
        containerd.ctr("containers", "rm", ident)
    ours, theirs = found
    assert list(ours) == list(theirs)
    numbers = [name for name in ours if name.startswith(("memory", "pids", "cpu"))]
    assert numbers and ours["pids.current"] == theirs["pids.current"] == "1"
