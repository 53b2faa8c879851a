# SPDX-License-Identifier: Apache-2.0
"""Images that go back and forth between swrun and the other programs that people have: podman, skopeo and docker 20.10.

Whichever way an image takes - an archive, a registry, the daemon's socket - its configuration (and with it the image ID)
and the digests of its uncompressed layers are the same at the other end, and it runs there.
"""
import gzip
import hashlib
import json
import os
import shutil
import struct

import pytest
from harness import Stack, run

REGISTRY = "127.0.0.1:5100"
KINDS = ["oci", "zstd", "schema2"]
# A docker archive has no zstd, say skopeo and podman.
ARCHIVES = [("oci", "docker-archive"), ("oci", "oci-archive"), ("zstd", "oci-archive"), ("schema2", "docker-archive"),
            ("schema2", "oci-archive")]
pytestmark = pytest.mark.skipif(not (shutil.which("podman") and shutil.which("skopeo")), reason="needs podman and skopeo")


def copy(*arguments):
    run("skopeo", "--insecure-policy", "copy", "-q", *arguments)


def copy_to_registry(image, name, *options):
    copy("--dest-tls-verify=false", *options, image, f"docker://{name}")


def skopeo_identity(reference, *options):
    """The image ID and diffIDs of what skopeo reads."""
    configuration = run("skopeo", "inspect", "--config", "--raw", *options, reference).raw
    digest = "sha256:" + hashlib.sha256(configuration).hexdigest()
    return digest, json.loads(configuration)["rootfs"]["diff_ids"]


def registry_identity(name):
    return skopeo_identity(f"docker://{name}", "--tls-verify=false")


def registry_digest(name):
    return "sha256:" + hashlib.sha256(
        run("skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{name}").raw).hexdigest()


def identity(client, name):
    """The image ID and diffIDs that a client's `inspect` tells; podman leaves the algorithm out."""
    image = json.loads(client("image", "inspect", name))[0]
    return "sha256:" + image["Id"].removeprefix("sha256:"), image["RootFS"]["Layers"]


@pytest.fixture(scope="module")
def interop_stack(scratch):
    stack = Stack(scratch / "interop", "own")
    stack.start()
    yield stack
    stack.destroy()


@pytest.fixture
def ours(interop_stack):
    """swrun's client and a daemon without any image."""
    yield interop_stack.swrun
    found = interop_stack.swrun("images", "-aq").split()
    if found:
        interop_stack.swrun("rmi", "-f", *set(found))


@pytest.fixture(scope="module")
def sources(scratch, images):
    """Images as skopeo calls them, in each form."""
    copy("--dest-compress", "--dest-compress-format", "zstd", f"oci:{images}/oci/busybox:latest", f"oci:{scratch}/zstd:1")
    return {"oci": f"oci:{images}/oci/busybox:latest", "zstd": f"oci:{scratch}/zstd:1", "schema2": f"dir:{images}/dir/schema2"}


@pytest.fixture(params=["podman", "docker"])
def theirs(request):
    """The client of another engine without any image."""
    call = request.getfixturevalue(f"{request.param}_engine")
    if call is None:
        pytest.skip("no dockerd on this machine")
    yield call
    found = call("images", "-aq").split()
    if found:
        call("rmi", "-f", *set(found))


@pytest.fixture
def name():
    """A repository of the registry that no other test uses."""
    return f"{REGISTRY}/interop/t{os.urandom(4).hex()}"


def blob(layout, digest):
    return (layout / "blobs" / "sha256" / digest.removeprefix("sha256:")).read_bytes()


def store(layout, data):
    digest = hashlib.sha256(data).hexdigest()
    (layout / "blobs" / "sha256" / digest).write_bytes(data)
    return {"digest": f"sha256:{digest}", "size": len(data)}


def runs(client, name):
    return client("run", "--rm", "--network", "none", "--entrypoint", "/bin/busybox", name, "echo", "runs") == "runs"


class TestArchives:
    @pytest.mark.parametrize("kind, transport", ARCHIVES)
    def test_skopeo_writes_and_we_read(self, ours, sources, tmp_path, kind, transport):
        copy(sources[kind], f"{transport}:{tmp_path}/image.tar:interop/one:1")
        ours("load", "-i", tmp_path / "image.tar")
        assert identity(ours, "interop/one:1") == skopeo_identity(f"{transport}:{tmp_path}/image.tar")
        assert runs(ours, "interop/one:1")

    @pytest.mark.parametrize("count", [1, 2])
    @pytest.mark.parametrize("kind", KINDS)
    def test_we_write_and_skopeo_reads(self, ours, images, sources, tmp_path, kind, count):
        copy(sources[kind], f"oci-archive:{tmp_path}/in.tar:interop/one:1")
        ours("load", "-i", tmp_path / "in.tar")
        if count == 2:
            ours("load", "-i", images / "archive" / "tricky.tar")
        names = ["interop/one:1", "tricky:latest"][:count]
        ours("save", "-o", tmp_path / "image.tar", *names)
        for name in names:
            full = name if "/" in name else f"library/{name}"
            for reference in (f"docker-archive:{tmp_path}/image.tar:docker.io/{full}",
                              f"oci-archive:{tmp_path}/image.tar" + (f":{name.partition(':')[2]}" if count == 2 else "")):
                assert skopeo_identity(reference) == identity(ours, name)

    @pytest.mark.parametrize("kind, form", ARCHIVES)
    def test_podman_saves_and_we_load(self, ours, podman_engine, registry, sources, name, tmp_path, kind, form):
        copy_to_registry(sources[kind], f"{name}:1")
        podman_engine("pull", "-q", f"{name}:1")
        podman_engine("save", "-q", "--format", form, "-o", tmp_path / "image.tar", f"{name}:1")
        ours("load", "-i", tmp_path / "image.tar")
        assert identity(ours, f"{name}:1") == skopeo_identity(f"{form}:{tmp_path}/image.tar")
        assert identity(ours, f"{name}:1")[1] == identity(podman_engine, f"{name}:1")[1]
        assert runs(ours, f"{name}:1")

    def test_what_we_save_is_loaded(self, ours, theirs, images, tmp_path):
        """One image, then two in one archive."""
        for image in ("busybox", "tricky"):
            ours("load", "-i", images / "archive" / f"{image}.tar")
        for names in (["busybox:latest"], ["busybox:latest", "tricky:latest"]):
            ours("save", "-o", tmp_path / "image.tar", *names)
            printed = theirs("load", "-i", tmp_path / "image.tar")
            for name in names:
                assert f"{name}" in printed and identity(theirs, name) == identity(ours, name)

    def test_what_they_save_is_loaded(self, ours, theirs, images, tmp_path):
        """Two images in one archive."""
        for image in ("busybox", "config"):
            theirs("load", "-i", images / "archive" / f"{image}.tar")
        several = ["-m"] if theirs("--version").startswith("podman") else []
        theirs("save", *several, "-o", tmp_path / "image.tar", "busybox", "config")
        ours("load", "-i", tmp_path / "image.tar")
        for image in ("busybox", "config"):
            full = f"localhost/{image}" if ours("images", "-q", f"localhost/{image}") else image
            assert identity(ours, full) == identity(theirs, image)
        assert runs(ours, full)

    def test_an_index(self, ours, podman_engine, layout, tmp_path):
        """Of the platforms ours goes into the archive."""
        run("tar", "-C", layout, "-cf", tmp_path / "in.tar", "blobs", "index.json", "oci-layout")
        ours("load", "-i", tmp_path / "in.tar")
        assert runs(ours, "interop/index:1")
        ours("save", "-o", tmp_path / "out.tar", "interop/index:1")
        for reference in (f"oci:{layout}", f"oci-archive:{tmp_path}/out.tar", f"docker-archive:{tmp_path}/out.tar"):
            assert skopeo_identity(reference) == identity(ours, "interop/index:1")
        podman_engine("load", "-q", "-i", tmp_path / "out.tar")
        assert identity(podman_engine, "interop/index:1") == identity(ours, "interop/index:1")
        podman_engine("rmi", "-f", "interop/index:1")


class TestRegistry:
    @pytest.mark.parametrize("kind", [*KINDS, "index"])
    def test_skopeo_pushes_and_we_pull(self, ours, registry, sources, layout, name, kind):
        if kind == "index":
            copy_to_registry(f"oci:{layout}", f"{name}:1", "--all")
        else:
            copy_to_registry(sources[kind], f"{name}:1")
        digest = registry_digest(f"{name}:1")
        assert f"Digest: {digest}" in ours("pull", f"{name}:1").splitlines()
        assert identity(ours, f"{name}:1") == registry_identity(f"{name}:1")
        assert json.loads(ours("image", "inspect", f"{name}:1"))[0]["RepoDigests"] == [f"{name}@{digest}"]
        assert runs(ours, f"{name}:1")

    @pytest.mark.parametrize("kind", KINDS)
    def test_we_push_and_they_pull(self, ours, theirs, registry, sources, tmp_path, name, kind):
        copy(sources[kind], f"oci-archive:{tmp_path}/in.tar:{name}:1")
        ours("load", "-i", tmp_path / "in.tar")
        printed = ours("push", f"{name}:1").splitlines()[-1].split()
        assert printed[:2] == ["1:", "digest:"] and printed[2] == registry_digest(f"{name}:1")
        assert registry_identity(f"{name}:1") == identity(ours, f"{name}:1")
        if kind == "zstd" and not theirs("--version").startswith("podman"):
            return  # docker learned zstd later
        theirs("pull", f"{name}:1")
        assert identity(theirs, f"{name}:1") == identity(ours, f"{name}:1")

    @pytest.mark.parametrize("form", ["oci", "v2s2", ""])
    def test_they_push_and_we_pull(self, ours, theirs, registry, images, name, form):
        podman = theirs("--version").startswith("podman")
        if form and not podman:
            pytest.skip("docker has but one form")
        theirs("load", "-i", images / "archive" / "busybox.tar")
        theirs("tag", "busybox", f"{name}:1")
        theirs("push", *(["--format", form] if form else []), f"{name}:1")
        assert f"Digest: {registry_digest(f'{name}:1')}" in ours("pull", f"{name}:1").splitlines()
        assert identity(ours, f"{name}:1") == registry_identity(f"{name}:1")
        assert identity(ours, f"{name}:1")[1] == identity(theirs, f"{name}:1")[1]
        assert runs(ours, f"{name}:1")

    def test_layers_for_lazy_pulls(self, ours, registry, images, name, tmp_path):
        """eStargz has a gzip member for each file, one for the table of contents and a footer without content."""
        layout = tmp_path / "layout"
        shutil.copytree(images / "oci" / "busybox", layout)
        manifest = json.loads(blob(layout, json.loads((layout / "index.json").read_text())["manifests"][0]["digest"]))
        tar = gzip.decompress(blob(layout, manifest["layers"][0]["digest"]))
        parts = [tar[start:start + 100_000] for start in range(0, len(tar), 100_000)]
        contents = b"".join(gzip.compress(part) for part in parts)
        footer = bytes.fromhex("1f8b0804000000000000") + struct.pack("<H", 26) + b"SG" + struct.pack("<H", 22) + (
            f"{len(contents):016x}STARGZ".encode()) + bytes.fromhex("010000ffff0000000000000000")
        manifest["layers"][0].update(store(layout, contents + footer))
        manifest["layers"][0]["annotations"] = {"containerd.io/snapshot/stargz/toc.digest": "sha256:" + "0" * 64}
        index = {"schemaVersion": 2, "manifests": [
            {"mediaType": "application/vnd.oci.image.manifest.v1+json", **store(layout, json.dumps(manifest).encode())}]}
        (layout / "index.json").write_text(json.dumps(index))
        copy_to_registry(f"oci:{layout}", f"{name}:1")
        ours("pull", "-q", f"{name}:1")
        assert identity(ours, f"{name}:1") == registry_identity(f"{name}:1") and runs(ours, f"{name}:1")


class TestSocket:
    """skopeo's docker-daemon transport, which saves and loads through docker's HTTP API."""

    @pytest.mark.parametrize("kind", ["oci", "schema2"])
    def test_both_ways(self, ours, interop_stack, sources, tmp_path, kind):
        host = f"unix://{interop_stack.socket}"
        copy("--dest-daemon-host", host, sources[kind], "docker-daemon:interop/daemon:1")
        assert runs(ours, "interop/daemon:1")
        copy("--src-daemon-host", host, "docker-daemon:interop/daemon:1", f"dir:{tmp_path}/out")
        assert skopeo_identity(f"dir:{tmp_path}/out") == identity(ours, "interop/daemon:1")
