# SPDX-License-Identifier: Apache-2.0
"""Images for several platforms: what of them save, load, inspect, history and rmi take with `--platform`."""
import gzip
import json
import tarfile

import pytest
from archives import Layout, tar_of
from harness import run

REGISTRY = "127.0.0.1:5100"
PLATFORMS = ["linux/amd64", "linux/arm64/v8", "linux/riscv64"]


def write_archive(path):
    """An archive of `many:1`, whose images have one file that tells their platform; the digests of index and manifests."""
    layout, manifests = Layout(), []
    for platform in PLATFORMS:
        described = dict(zip(("os", "architecture", "variant"), platform.split("/")))
        config = {**described, "config": {"Cmd": ["/platform"]}, "history": [{"created_by": f"made for {platform}"}]}
        manifests.append(layout.image(tar_of({"platform": platform.encode()}), config, platform=described))
    index = layout.index(manifests)
    layout.write(path, (index, {"io.containerd.image.name": "docker.io/library/many:1"}))
    return index["digest"], [manifest["digest"] for manifest in manifests]


@pytest.fixture
def client(cli, stack):
    yield cli
    stack.docker("rmi", "-f", "many:1", check=False)


@pytest.fixture
def many(tmp_path):
    """An archive of `many:1` for three platforms; the digests of its index and its manifests."""
    path = tmp_path / "many.tar"
    return path, *write_archive(path)


def architecture(client, *options):
    result = client("image", "inspect", "-f", "{{.Architecture}}", *options, "many:1", check=False)
    return result if result.code == 0 else None


def members(path):
    with tarfile.open(path) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar if member.isfile()}


def saved_platforms(path):
    """The platforms whose layers an archive has."""
    layers = set()
    for name, data in members(path).items():
        data = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
        if name.startswith("blobs/") and data.startswith(b"platform\0"):
            layers.add(data[512:1024].rstrip(b"\0").decode())
    return layers


def test_all_of_an_image_is_saved_and_loaded(client, many, tmp_path):
    path, index, _ = many
    client("load", "-qi", path)
    for platform, short in zip(PLATFORMS, ("amd64", "arm64", "riscv64")):
        assert architecture(client, "--platform", platform) == short
        assert f"made for {platform}" in client("history", "--no-trunc", "--platform", platform, "many:1")
    assert architecture(client) == "amd64"
    client("save", "-o", tmp_path / "saved.tar", "many:1")
    assert saved_platforms(tmp_path / "saved.tar") == set(PLATFORMS)
    assert f"blobs/{index.replace(':', '/')}" in members(tmp_path / "saved.tar")  # the same index
    client("rmi", "many:1")
    assert architecture(client) is None
    client("load", "-qi", tmp_path / "saved.tar")
    assert all(architecture(client, "--platform", platform) for platform in PLATFORMS)


def test_one_platform_of_an_image(client, many, tmp_path):
    client("load", "-qi", many[0])
    client("save", "--platform", "linux/arm64", "-o", tmp_path / "one.tar", "many:1")
    files = members(tmp_path / "one.tar")
    assert saved_platforms(tmp_path / "one.tar") == {"linux/arm64/v8"}
    assert [entry["platform"]["architecture"] for entry in json.loads(files["index.json"])["manifests"]] == ["arm64"]
    config, = (entry["Config"] for entry in json.loads(files["manifest.json"]))
    assert json.loads(files[config])["architecture"] == "arm64"
    refused = client("save", "--platform", "linux/s390x", "-o", tmp_path / "none.tar", "many:1", check=False)
    assert refused.code == 1 and "does not match the specified platform (linux/s390x)" in refused.err


def test_load_takes_one_platform(client, many):
    client("load", "-qi", many[0], "--platform", "linux/riscv64")
    assert architecture(client) == "riscv64" and architecture(client, "--platform", "linux/amd64") is None
    client("rmi", "many:1")
    refused = client("load", "-qi", many[0], "--platform", "linux/s390x", check=False)
    assert refused.code == 1 and "linux/s390x" in refused.err and architecture(client) is None


def test_what_is_here_for_another_platform_is_told(client, many):
    client("load", "-qi", many[0], "--platform", "linux/arm64")
    text = ("image with reference many:1 was found but its platform (linux/arm64/v8) does not match the specified "
            "platform (linux/amd64)")
    for command in (["image", "inspect"], ["history"]):
        refused = client(*command, "--platform", "linux/amd64", "many:1", check=False)
        assert refused.code == 1 and text in refused.err, command
    refused = client("create", "--pull", "never", "--platform", "linux/amd64", "many:1", check=False)
    assert refused.code == 1 and text in refused.err


def test_one_platform_is_removed(client, many):
    path, _, manifests = many
    client("load", "-qi", path)
    client("create", "--name", "user", "--platform", "linux/arm64", "many:1")
    refused = client("rmi", "--platform", "linux/arm64", "many:1", check=False)
    assert refused.code == 1 and "(must be forced) - image is being used by stopped container" in refused.err
    client("rm", "user")
    assert client("rmi", "--platform", "linux/arm64", "many:1") == f"Deleted: {manifests[1]}"
    assert [architecture(client, "--platform", platform) for platform in PLATFORMS] == ["amd64", None, "riscv64"]
    client("rmi", "--platform", "linux/amd64", "many:1")
    assert architecture(client) == "riscv64"
    assert client("rmi", "--platform", "linux/riscv64", "many:1").startswith("Untagged: many:1\nDeleted: sha256:")
    assert architecture(client) is None


def test_a_second_platform_is_pulled(stack, registry, tmp_path):
    """What is here already is for another platform, which the first pull must not hide."""
    write_archive(tmp_path / "many.tar")
    run("skopeo", "--insecure-policy", "copy", "-q", "--all", "--dest-tls-verify=false",
        f"oci-archive:{tmp_path}/many.tar", f"docker://{REGISTRY}/platforms/many:1")
    name = f"{REGISTRY}/platforms/many:1"
    for platform in reversed(PLATFORMS):
        stack.docker("pull", "-q", "--platform", platform, name)
        stack.docker("image", "inspect", "--platform", platform, name)
    assert stack.docker("image", "inspect", "-f", "{{.Architecture}}", name) == "amd64"
    stack.docker("save", "-o", tmp_path / "saved.tar", name)
    assert saved_platforms(tmp_path / "saved.tar") == set(PLATFORMS)
    stack.docker("rmi", name)
