# SPDX-License-Identifier: Apache-2.0
"""Content, images and snapshots of swrun-supervisor, by containerd's own client."""
import gzip
import hashlib
import io
import json
import os
import subprocess
import tarfile

import pytest

from harness import CGROUP_ROOT, remove_empty_cgroups, run
from test_supervisor import IMAGE, Supervisor

REGISTRY = "127.0.0.1:5100"


@pytest.fixture(scope="module")
def supervisor(images, tmp_path_factory):
    supervisor = Supervisor(tmp_path_factory.mktemp("supervisor-images"))
    supervisor.start()
    supervisor.ctr("images", "import", images / "archive" / "busybox.tar")
    yield supervisor
    assert supervisor.stop() == 0
    for controller in CGROUP_ROOT.iterdir():
        remove_empty_cgroups(controller / supervisor.namespace)


@pytest.fixture
def ctr(supervisor):
    return supervisor.ctr


@pytest.fixture
def parent(ctr):
    """The snapshot of busybox's only layer."""
    return next(line.split()[0] for line in ctr("snapshots", "ls").splitlines() if line.split()[0].startswith("sha256:"))


@pytest.fixture
def key(ctr):
    name = "s" + os.urandom(4).hex()
    yield name
    for snapshot in (name, name + "-view", name + "-committed"):
        ctr("snapshots", "rm", snapshot, check=False)


class Mounted:
    """The mount that `ctr snapshots mounts` tells to make, made."""

    def __init__(self, ctr, key, directory):
        self.directory = directory
        directory.mkdir(exist_ok=True)
        command = ctr("snapshots", "mounts", directory, key)
        run("sh", "-ec", command)

    def __enter__(self):
        return self.directory

    def __exit__(self, *_):
        run("umount", self.directory)


def change(root):
    """All that a layer can say."""
    (root / "added").write_text("new")
    os.link(root / "added", root / "linked")
    os.utime(root / "added", ns=(1, 1_700_000_000_123_456_789))
    (root / "etc" / "passwd").write_text("changed")
    (root / "bin" / "true").unlink()
    run("rm", "-r", root / "home")
    (root / "home").mkdir()
    (root / "home" / "fresh").symlink_to("/outside")
    os.mkfifo(root / "pipe")
    os.mknod(root / "device", 0o20600, os.makedev(1, 3))
    os.chown(root / "pipe", 3_000_000, 2_999_999)
    run("setcap", "cap_net_bind_service=ep", root / "added")
    os.setxattr(root / "added", "user.note", b"kept")
    with open(root / "sparse", "wb") as file:
        file.truncate(1 << 20)


def members(data):
    """{name: TarInfo} of a layer, whatever its compression."""
    if data[:4] == b"\x28\xb5\x2f\xfd":
        data = subprocess.run(["zstd", "-dc"], input=data, capture_output=True, check=True).stdout
    archive = tarfile.open(fileobj=io.BytesIO(data))
    return {member.name: member for member in archive.getmembers()}


class TestSnapshots:
    def test_life(self, ctr, parent, key, tmp_path):
        ctr("snapshots", "prepare", key, parent)
        ctr("snapshots", "view", key + "-view", parent)
        assert "upperdir=" in ctr("snapshots", "mounts", tmp_path / "m", key)
        assert "ro" in ctr("snapshots", "mounts", tmp_path / "m", key + "-view")
        info = json.loads(ctr("snapshots", "info", key))
        assert (info["Kind"], info["Parent"]) == ("Active", parent)
        with Mounted(ctr, key, tmp_path / "m") as root:
            (root / "file").write_text("x" * 100_000)
        usage = {line.split()[0]: line for line in ctr("snapshots", "usage").splitlines()}
        assert "KiB" in usage[key]
        ctr("snapshots", "label", key, "color=blue")
        assert json.loads(ctr("snapshots", "info", key))["Labels"]["color"] == "blue"
        ctr("snapshots", "commit", key + "-committed", key)
        assert json.loads(ctr("snapshots", "info", key + "-committed"))["Kind"] == "Committed"
        assert key + "-committed" in ctr("snapshots", "tree")
        refused = ctr("snapshots", "rm", parent, check=False)
        assert refused.code == 1 and "with child" in refused.err

    @pytest.mark.parametrize("kind, magic", [
        ("application/vnd.oci.image.layer.v1.tar+gzip", b"\x1f\x8b"),
        ("application/vnd.oci.image.layer.v1.tar+zstd", b"\x28\xb5"), ("application/vnd.oci.image.layer.v1.tar", b"")])
    def test_diff(self, ctr, parent, key, tmp_path, kind, magic):
        ctr("snapshots", "prepare", key, parent)
        with Mounted(ctr, key, tmp_path / "m") as root:
            change(root)
        layer = ctr("snapshots", "diff", "--media-type", kind, key).raw
        assert layer.startswith(magic)
        found = members(layer)
        assert {"added", "linked", "etc/passwd", "bin/.wh.true", "home/.wh..wh..opq", "home/fresh", "pipe", "device",
                "sparse"} <= set(found)
        assert not any(name.startswith(("usr", "sbin")) for name in found)
        assert found["linked"].islnk() and found["linked"].linkname == "added"
        assert found["added"].pax_headers["mtime"] == "1700000000.123456789"
        assert found["added"].pax_headers["SCHILY.xattr.user.note"] == "kept"
        assert "SCHILY.xattr.security.capability" in found["added"].pax_headers
        assert not any("overlay" in header for member in found.values() for header in member.pax_headers)
        assert (found["pipe"].uid, found["pipe"].gid) == (3_000_000, 2_999_999)
        assert (found["device"].devmajor, found["device"].devminor) == (1, 3)
        assert found["sparse"].size == 1 << 20

    def test_diff_is_the_same_each_time_and_in_the_store(self, ctr, parent, key, tmp_path):
        ctr("snapshots", "prepare", key, parent)
        with Mounted(ctr, key, tmp_path / "m") as root:
            change(root)
        layer = ctr("snapshots", "diff", key).raw
        assert ctr("snapshots", "diff", key).raw == layer
        digest = "sha256:" + hashlib.sha256(layer).hexdigest()
        assert digest in ctr("content", "ls", "-q").split()
        diff_id = "sha256:" + hashlib.sha256(gzip.decompress(layer)).hexdigest()
        assert f"containerd.io/uncompressed={diff_id}" in ctr("content", "ls")

    def test_diff_of_two_snapshots_that_are_not_parent_and_child(self, ctr, parent, key, tmp_path):
        ctr("snapshots", "prepare", key, parent)
        ctr("snapshots", "prepare", key + "-view", parent)
        with Mounted(ctr, key, tmp_path / "m") as root:
            (root / "one").write_text("1")
            (root / "both").write_text("same")
            os.utime(root / "both", (7, 7))
        with Mounted(ctr, key + "-view", tmp_path / "n") as root:
            (root / "two").write_text("2")
            (root / "both").write_text("same")
            os.utime(root / "both", (7, 7))
        found = members(ctr("snapshots", "diff", key, key + "-view").raw)
        assert set(found) - {".", ""} == {"two", ".wh.one"}

    def test_lists_are_in_the_order_of_names(self, ctr, parent, key):
        for name in (key, key + "-view"):
            ctr("snapshots", "view", name, parent)
        names = [line.split()[0] for line in ctr("snapshots", "ls").splitlines()[1:]]
        assert names == sorted(names)

    @pytest.mark.parametrize("words, text", [
        (["prepare", "{key}", "{parent}"], 'snapshot "{key}": already exists'),
        (["prepare", "{key}-view", "{key}"], "is not committed snapshot: invalid argument"),
        (["prepare", "{key}-view", "nothing"], "nothing does not exist: not found"),
        (["mounts", "/m", "{parent}"], "not active or view: failed precondition"),
        (["commit", "{key}-committed", "{parent}"], "is not active: failed precondition"),
        (["rm", "{parent}"], "cannot remove snapshot with child: failed precondition"),
    ])
    def test_refusals_have_containerds_texts(self, ctr, parent, key, words, text):
        ctr("snapshots", "prepare", key, parent)
        result = ctr("snapshots", *[word.format(key=key, parent=parent) for word in words], check=False)
        assert result.code == 1 and text.format(key=key) in result.err

    def test_diff_of_what_is_missing(self, ctr):
        result = ctr("snapshots", "diff", "nothing", check=False)
        assert result.code == 1 and "not found" in result.err


class TestImages:
    def test_check(self, ctr):
        row = next(line for line in ctr("images", "check").splitlines() if line.startswith(IMAGE))
        assert "complete" in row and row.split()[-1] == "true"  # unpacked

    def test_export_and_import(self, ctr, tmp_path):
        archive = tmp_path / "busybox.tar"
        ctr("images", "export", archive, IMAGE)
        names = tarfile.open(archive).getnames()
        assert {"oci-layout", "index.json", "manifest.json"} <= set(names)
        target = json.loads(tarfile.open(archive).extractfile("index.json").read())["manifests"][0]["digest"]
        ctr("images", "rm", "--sync", IMAGE)
        assert target not in ctr("content", "ls", "-q")
        ctr("images", "import", archive)
        assert target in ctr("images", "ls")

    def test_mount(self, ctr, tmp_path):
        target = tmp_path / "mounted"
        target.mkdir()
        ctr("images", "mount", IMAGE, target)
        try:
            assert (target / "bin" / "busybox").exists()
        finally:
            ctr("images", "unmount", "--rm", target)
        assert list(target.iterdir()) == []

    def test_tag_and_label(self, ctr):
        ctr("images", "tag", IMAGE, "example.org/other:1")
        ctr("images", "label", "example.org/other:1", "a=b")
        assert "a=b" in next(line for line in ctr("images", "ls").splitlines() if line.startswith("example.org/other:1"))
        ctr("images", "rm", "example.org/other:1")


class TestContent:
    def test_ingest_get_label_remove(self, ctr):
        data = os.urandom(3 << 20)
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        ctr("content", "ingest", "--expected-digest", digest, "--expected-size", str(len(data)), "mine", input=data)
        assert ctr("content", "get", digest).raw == data
        row = next(line for line in ctr("content", "ls").splitlines() if line.startswith(digest))
        assert "3.1" in row and "MB" in row
        ctr("content", "label", digest, "kind=test")
        assert "kind=test" in ctr("content", "ls")
        assert ctr("content", "active").splitlines()[1:] == []
        ctr("content", "rm", digest)
        assert digest not in ctr("content", "ls", "-q")

    def test_a_wrong_digest_is_refused(self, ctr):
        wrong = "sha256:" + "0" * 64
        result = ctr("content", "ingest", "--expected-digest", wrong, "wrong", input=b"data", check=False)
        assert result.code == 1 and "digest" in result.err
        assert wrong not in ctr("content", "ls", "-q")

    def test_fetch(self, ctr, registry):
        name = f"{REGISTRY}/library/busybox:latest"
        ctr("content", "fetch", "--plain-http", name)
        manifest = json.loads(ctr("content", "fetch-object", "--plain-http", name, ctr("images", "ls").split(name)[1].split()[1]))
        assert manifest["config"]["digest"] in ctr("content", "ls", "-q")
        ctr("images", "rm", name)


class TestNamespaces:
    def test_labels_make_one(self, ctr):
        ctr("namespaces", "label", "labelled", "a=b")
        assert ["labelled", "a=b"] in [line.split() for line in ctr("namespaces", "ls").splitlines()]
        ctr("namespaces", "rm", "labelled")
        assert "labelled" not in ctr("namespaces", "ls", "-q").split()

    def test_one_with_something_in_it_stays(self, ctr, supervisor):
        result = ctr("namespaces", "rm", supervisor.namespace, check=False)
        assert result.code == 1
        assert 'must be empty, but it still has images, blobs, snapshots on "overlayfs" snapshotter' in result.err


class TestTransferService:
    """By a ctr of containerd 1.7 or later (SWRUN_TEST_CTR names it), which leaves transfers to the supervisor."""

    @pytest.fixture
    def new(self, supervisor):
        program = os.environ.get("SWRUN_TEST_CTR")
        if not program:
            pytest.skip("SWRUN_TEST_CTR names no ctr of containerd 1.7 or later")
        is_first = " 1.7." in run(program, "--version")

        def call(verb, *arguments, **options):
            mode = ["--local=false"] if is_first and verb in ("pull", "push", "import", "export", "tag") else []
            return run(program, "-a", supervisor.address, "-n", supervisor.namespace, "images", verb, *mode, *arguments,
                       **options)

        call.run = lambda *arguments: run(program, "-a", supervisor.address, "-n", supervisor.namespace, "run", *arguments)
        return call

    def test_pull_push_and_progress(self, new, ctr, registry):
        name = f"{REGISTRY}/library/config:latest"
        pulled = new("pull", "--plain-http", name)
        assert "fetching image content" in pulled and "from OCI Registry" in pulled
        pushed = new("push", "--plain-http", f"{REGISTRY}/transfer/config:1", name)
        assert "pushing content" in pushed and "to OCI Registry" in pushed
        again = f"{REGISTRY}/transfer/config:1"
        new("pull", "--plain-http", again)
        digests = {line.split()[0]: line.split()[2] for line in ctr("images", "ls").splitlines()}
        assert digests[name] == digests[again]
        ctr("images", "rm", name, again)

    def test_export_and_import(self, new, ctr, tmp_path):
        archive = tmp_path / "o.tar"
        new("export", archive, IMAGE)
        with tarfile.open(archive) as tar:
            names = tar.getnames()
            assert {"oci-layout", "index.json", "manifest.json"} <= set(names)
            entry = json.load(tar.extractfile("index.json"))["manifests"][0]
            assert entry["annotations"]["io.containerd.image.name"] == IMAGE
            assert json.load(tar.extractfile("manifest.json"))[0]["RepoTags"] == [IMAGE]
        new("import", "--base-name", "example.org/imported", "--digests", archive)
        assert f"example.org/imported@{entry['digest']}" in ctr("images", "ls", "-q").split()
        new("import", "--index-name", "example.org/index:1", archive)
        row = next(line for line in ctr("images", "ls").splitlines() if line.startswith("example.org/index:1"))
        assert "application/vnd.oci.image.index.v1+json" in row
        ctr("images", "rm", f"example.org/imported@{entry['digest']}", "example.org/index:1")
        refused = new("export", tmp_path / "none.tar", "example.org/none:1", check=False)
        assert refused.code == 1 and 'image "example.org/none:1": not found' in refused.err

    def test_tag(self, new, ctr):
        new("tag", IMAGE, "example.org/tagged:1", "example.org/tagged:2")
        assert {"example.org/tagged:1", "example.org/tagged:2"} <= set(ctr("images", "ls", "-q").split())
        ctr("images", "rm", "example.org/tagged:1", "example.org/tagged:2")

    def test_run(self, new, ctr):
        assert new.run("--rm", IMAGE, "c" + os.urandom(4).hex(), "echo", "hi") == "hi"
