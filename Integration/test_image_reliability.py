# SPDX-License-Identifier: Apache-2.0
"""Daemons are killed while images come and go, and disks are full: no image is lost, none is half there, nothing stays.

`SWRUN_TEST_ROUNDS` sets how often (15).
"""
import contextlib
import hashlib
import json
import os
import pathlib
import random
import sqlite3
import tempfile
import time

import pytest
from archives import random_archive
from harness import Stack, run, wait_until
from small_registry import SmallRegistry

REGISTRY = "127.0.0.1:5100"
ROUNDS = int(os.environ.get("SWRUN_TEST_ROUNDS", "15"))
PULLED = [f"{REGISTRY}/library/layers60:latest", f"{REGISTRY}/library/zstd:latest"]
LOADED = ["tricky", "config"]


class Store:
    """What lies in a stack's data root, read past the daemons."""

    def __init__(self, stack):
        self.root = stack.root / "supervisor"

    def query(self, text):
        with contextlib.closing(sqlite3.connect(self.root / "meta.db", timeout=10)) as database, database:
            return database.execute(text).fetchall()

    def blobs(self):
        return {path.name for path in (self.root / "content" / "blobs" / "sha256").iterdir()}

    def read(self, digest):
        return json.loads((self.root / "content" / "blobs" / "sha256" / digest.removeprefix("sha256:")).read_bytes())

    def directories(self):
        return {path.name for path in (self.root / "snapshots" / "overlayfs").iterdir()}

    def ingests(self):
        return list((self.root / "content" / "ingest").iterdir())

    def needed(self):
        """The blobs and the layers' snapshots that the images' names lead to."""
        blobs, chains, queue = set(), set(), [row[0] for row in self.query("SELECT digest FROM images")]
        while queue:
            digest = queue.pop()
            if digest.removeprefix("sha256:") not in self.blobs():
                continue  # another platform's manifest
            blobs.add(digest.removeprefix("sha256:"))
            document = self.read(digest)
            queue += [entry["digest"] for entry in document.get("manifests", [])]
            if "config" not in document:
                continue
            blobs |= {entry["digest"].removeprefix("sha256:") for entry in [document["config"], *document["layers"]]}
            chain = ""
            for diff in self.read(document["config"]["digest"])["rootfs"]["diff_ids"]:
                chain = diff if not chain else "sha256:" + hashlib.sha256(f"{chain} {diff}".encode()).hexdigest()
                chains.add(chain)
        return blobs, chains

    def age(self):
        """Lets a day pass for everything that lies here; no daemon may run."""
        for table in ("content", "snapshots"):
            self.query(f"UPDATE {table} SET updated_at = updated_at - 90000000000000")
        for ingest in self.ingests():
            for path in ingest.iterdir():
                os.utime(path, (time.time() - 90000,) * 2)

    def assert_nothing_superfluous(self):
        blobs, chains = self.needed()
        assert self.blobs() == blobs
        assert {row[0].removeprefix("sha256:") for row in self.query("SELECT digest FROM content")} == blobs
        snapshots = self.query("SELECT id, name FROM snapshots")
        assert {name for _, name in snapshots} == chains
        assert self.directories() == {str(number) for number, _ in snapshots}
        assert self.ingests() == []


def collect_garbage(stack):
    """As `image prune` does it, when all that interrupted transfers left is a day old."""
    stack.stop()
    stack.end_supervisor()
    Store(stack).age()
    stack.start()
    stack.docker("image", "prune", "-f")


def names(stack):
    return set(stack.docker("images", "--format", "{{.Repository}}:{{.Tag}}").split())


@pytest.fixture
def quick_stack(images):
    """A stack for kills, with busybox as the one image that nobody touches."""
    with tempfile.TemporaryDirectory(prefix="swrun-it-") as directory:
        stack = Stack(pathlib.Path(directory), name="own")
        stack.start()
        stack.docker("load", "-q", "-i", images / "archive" / "busybox.tar")
        yield stack
        stack.destroy()


def test_killed_at_any_moment(quick_stack, images, registry):
    stack, present, chance = quick_stack, {"busybox:latest"}, random.Random(os.environ.get("SWRUN_TEST_SEED", "1"))
    for number in range(ROUNDS):
        image = chance.choice(PULLED + [name + ":latest" for name in LOADED])
        if image in present:
            action, words = "rmi", ["rmi", image]
        elif image in PULLED:
            action, words = "pull", ["pull", "-q", image]
        else:
            action, words = "load", ["load", "-q", "-i", str(images / "archive" / (image.partition(":")[0] + ".tar"))]
        client = stack.background(*words)
        time.sleep(chance.uniform(0, 0.6) ** 2)
        victims = chance.choice([["daemon"], ["supervisor"], ["daemon", "supervisor"]])
        if "daemon" in victims:
            stack.kill_daemon()
        if "supervisor" in victims:
            stack.kill_supervisor()
        if "daemon" in victims:
            stack.start()
        acknowledged = client.wait(30) == 0
        wait_until(lambda: stack.docker("version", check=False).code == 0, 20, "an answer")
        now = names(stack)
        context = f"round {number}: {action} {image}, {victims} killed, acknowledged: {acknowledged}"
        assert present - {image} <= now, context
        if acknowledged:
            assert (image in now) == (action != "rmi"), context
        assert now <= present | {image}, context
        if image in now:
            assert stack.docker("run", "--rm", "--network", "none", image, "echo", "runs").endswith("runs"), context
        present = now
    collect_garbage(stack)
    Store(stack).assert_nothing_superfluous()
    for image in sorted(present):
        assert stack.docker("run", "--rm", "--network", "none", image, "echo", "runs").endswith("runs")
    stack.docker("rmi", *sorted(present))
    collect_garbage(stack)
    store = Store(stack)
    assert (store.blobs(), store.directories(), store.ingests()) == (set(), set(), [])


# --- a full disk

NO_SPACE = "no space left on device"


@pytest.fixture
def small_disk(images):
    """A stack whose data root is a file system of 24 MB."""
    with tempfile.TemporaryDirectory(prefix="swrun-it-") as directory:
        stack = Stack(pathlib.Path(directory), name="own")
        run("mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", stack.root)
        try:
            stack.start()
            stack.docker("load", "-q", "-i", images / "archive" / "busybox.tar")
            try:
                yield stack
            finally:
                stack.destroy()
        finally:
            run("umount", stack.root)


def fails_for_space(stack, *words, **options):
    result = stack.docker(*words, check=False, **options)
    assert result.code == 1 and NO_SPACE in (result.err + result.out), result.out + result.err


def assert_usable(stack, expected):
    assert names(stack) == expected
    assert stack.docker("run", "--rm", "--network", "none", "busybox", "echo", "runs") == "runs"


@pytest.mark.parametrize("size", [12, 19, 30], ids=["unpacking", "nearly", "storing"])
def test_load_onto_a_full_disk(small_disk, size):
    fails_for_space(small_disk, "load", "-q", input=random_archive("big:1", size << 20))
    assert_usable(small_disk, {"busybox:latest"})
    collect_garbage(small_disk)
    Store(small_disk).assert_nothing_superfluous()
    small_disk.docker("load", "-q", input=random_archive("fits:1", 6 << 20))
    assert_usable(small_disk, {"busybox:latest", "fits:1"})


@pytest.mark.parametrize("size", [12, 30], ids=["unpacking", "downloading"])
def test_pull_onto_a_full_disk(small_disk, stack, size):
    with SmallRegistry() as registry:
        repository = f"{registry.address}/image"
        for tag, megabytes in [("big", size), ("fits", 5)]:
            stack.docker("load", "-q", input=random_archive(f"{repository}:{tag}", megabytes << 20))
            stack.docker("push", "-q", f"{repository}:{tag}")
            stack.docker("rmi", f"{repository}:{tag}")
        fails_for_space(small_disk, "pull", "-q", f"{repository}:big")
        assert_usable(small_disk, {"busybox:latest"})
        collect_garbage(small_disk)
        Store(small_disk).assert_nothing_superfluous()
        small_disk.docker("pull", "-q", f"{repository}:fits")
        assert_usable(small_disk, {"busybox:latest", f"{repository}:fits"})


def test_commit_onto_a_full_disk(small_disk):
    small_disk.docker("run", "--name", "fat", "--network", "none", "busybox", "dd", "if=/dev/urandom", "of=/f", "bs=1M",
                      "count=10")
    fails_for_space(small_disk, "commit", "fat", "fat:1")
    assert_usable(small_disk, {"busybox:latest"})
    small_disk.docker("rm", "fat")
    small_disk.docker("run", "--name", "thin", "--network", "none", "busybox", "dd", "if=/dev/urandom", "of=/f", "bs=1M",
                      "count=3")
    small_disk.docker("commit", "thin", "thin:1")
    small_disk.docker("rm", "thin")
    assert_usable(small_disk, {"busybox:latest", "thin:1"})
    collect_garbage(small_disk)
    Store(small_disk).assert_nothing_superfluous()
