# SPDX-License-Identifier: Apache-2.0
"""Unpacking: what `ctr images import` and `docker load` leave on disk is what another unpacker (umoci) made of the same
image: modes, owners, devices, links, whiteouts, sparse files, long and odd names."""
import json
import subprocess
import uuid

import pytest

FORMAT = r"( -type d -printf %p\t%y\t%m\t%U:%G\n ) -o -printf %p\t%y\t%m\t%U:%G\t%s\t%l\n"


def listing(directory):
    found = subprocess.check_output(["find", ".", *FORMAT.split(" ")], cwd=directory)
    return sorted(found.splitlines())


def expected(images, name):
    return sorted((images / "expected" / f"{name}.txt").read_bytes().splitlines())


def snapshots(stack, namespace):
    rows = [line.split() for line in stack.ctr("-n", namespace, "snapshots", "ls").splitlines()[1:]]
    return {row[0]: (row[1] if len(row) == 3 else None) for row in rows}


def top_snapshot(stack, namespace):
    known = snapshots(stack, namespace)
    return next(name for name in known if name not in known.values())


@pytest.fixture
def namespace(stack):
    name = "u" + uuid.uuid4().hex[:8]
    yield name
    for image in stack.ctr("-n", name, "images", "ls").splitlines()[1:]:
        reference, _, digest = image.split()[:3]
        stack.ctr("-n", name, "images", "rm", "--sync", reference)
        assert digest not in stack.ctr("-n", name, "content", "ls", "-q").split()
    assert snapshots(stack, name) == {}


@pytest.fixture
def mounted(stack, namespace, tmp_path):
    """Mounts the newest image of the namespace, read-only."""
    def mount():
        stack.ctr("-n", namespace, "snapshots", "view", "look", top_snapshot(stack, namespace))
        script = stack.ctr("-n", namespace, "snapshots", "mounts", tmp_path, "look")
        subprocess.run(["sh", "-ec", str(script)], check=True)
        return tmp_path
    yield mount
    subprocess.run(["umount", tmp_path], check=True)
    stack.ctr("-n", namespace, "snapshots", "rm", "look")


@pytest.mark.parametrize("image", ["busybox", "tricky", "zstd"])
def test_oci_layout(stack, images, namespace, mounted, scratch, image):
    archive = scratch / f"{image}-layout.tar"
    subprocess.run(["tar", "-C", images / "oci" / image, "-cf", archive, "."], check=True)
    stack.ctr("-n", namespace, "images", "import", "--base-name", f"example.com/{image}", archive)
    assert listing(mounted()) == expected(images, image)


def test_docker_archive(stack, images, namespace, mounted):
    stack.ctr("-n", namespace, "images", "import", images / "archive" / "tricky.tar")
    root = mounted()
    assert listing(root) == expected(images, "tricky")
    assert (root / "data/hard1").stat().st_ino == (root / "data/hard2").stat().st_ino
    assert (root / "data/sparse").stat().st_blocks < 1000
    assert "cap_net_bind_service=ep" in subprocess.check_output(["getcap", root / "xattr/capability"], text=True)


def test_a_layer_that_leads_outside_is_refused(stack, images, namespace, tmp_path):
    """The image is whole and its digests are right: only its layer is hostile."""
    layout = tmp_path / "layout"
    subprocess.run(["umoci", "init", "--layout", layout], check=True)
    subprocess.run(["umoci", "new", "--image", f"{layout}:latest"], check=True)
    (tmp_path / "escaped").write_text("x")
    layer = tmp_path / "layer.tar"
    subprocess.run(["tar", "-P", "-cf", layer, "--transform", "s,.*,../../../../../../escaped,", tmp_path / "escaped"],
                   check=True)
    subprocess.run(["umoci", "raw", "add-layer", "--image", f"{layout}:latest", layer], check=True)
    archive = tmp_path / "layout.tar"
    subprocess.run(["tar", "-C", layout, "-cf", archive, "."], check=True)
    result = stack.ctr("-n", namespace, "images", "import", "--base-name", "example.com/bad", archive, check=False)
    assert result.code != 0 and "leads outside of the root directory" in result.err
    assert snapshots(stack, namespace) == {}


def test_load_is_idempotent_and_remove_frees_everything(own_stack, images):
    blobs = own_stack.root / "supervisor" / "content" / "blobs" / "sha256"
    before = sorted(path.name for path in blobs.iterdir())
    for _ in range(2):
        own_stack.docker("load", "-q", "-i", images / "archive" / "tricky.tar")
    assert len(json.loads(own_stack.curl("/images/json"))) == 2
    own_stack.docker("rmi", "tricky")
    assert sorted(path.name for path in blobs.iterdir()) == before
