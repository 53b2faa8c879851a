# SPDX-License-Identifier: Apache-2.0
"""Images: load, pull with docker's progress lines, list with filters, inspect, tag, remove with docker's rules."""
import json
import pathlib
import shutil
import subprocess

import pytest
from harness import REMOTE_ADDRESS

REGISTRY = "127.0.0.1:5100"


@pytest.fixture
def fresh(own_stack):
    """A stack of its own whose only image is busybox:latest."""
    return own_stack


def lines(text):
    return [json.loads(line) for line in text.splitlines() if line]


def create(stack, reference, *options):
    image, _, tag = reference.rpartition(":")
    return stack.curl(f"/images/create?fromImage={image}&tag={tag}", "-X", "POST", *options)


def test_load_and_inspect(stack, images):
    assert "Loaded image: busybox:latest" in stack.docker("load", "-i", images / "archive" / "busybox.tar")
    image = stack.inspect("busybox")
    manifest = json.loads(subprocess.check_output(["tar", "-xOf", images / "archive" / "busybox.tar", "manifest.json"]))
    assert image["Id"] == "sha256:" + pathlib.Path(manifest[0]["Config"]).stem
    assert image["RepoTags"] == ["busybox:latest"] and image["RepoDigests"] == []
    assert image["Architecture"] and image["Os"] == "linux" and image["Size"] > 500_000
    assert image["RootFS"]["Type"] == "layers" and len(image["RootFS"]["Layers"]) == 1
    assert image["Config"]["Cmd"] == ["sh"]
    history = json.loads(stack.curl("/images/busybox/history"))
    assert history[0]["Id"] == image["Id"] and history[0]["Tags"] == ["busybox:latest"]
    assert sum(entry["Size"] for entry in history) == image["Size"]


@pytest.fixture
def packed(images, request):
    """An image's archive, compressed."""
    return subprocess.check_output([*request.param.split(), "-c", images / "archive" / "busybox.tar"])


every_program = pytest.mark.parametrize("packed", ["gzip -1", "zstd -q", "bzip2 -1", "xz -1", "xz -9"], indirect=True)


@every_program
def test_load_from_standard_input_and_compressed(fresh, packed):
    fresh.docker("rmi", "busybox")
    assert fresh.docker("load", "-q", input=packed) == "Loaded image: busybox:latest"
    assert fresh.docker("run", "--rm", "--network", "none", "busybox", "echo", "runs") == "runs"


@every_program
def test_load_refuses_what_is_cut(fresh, packed):
    fresh.docker("rmi", "busybox")
    result = fresh.docker("load", "-q", input=packed[:-20], check=False)
    assert result.code == 1 and "unexpected end of data" in result.err
    assert fresh.docker("images", "-aq") == ""


@pytest.mark.parametrize("content", [b"", b"not a tar", b"\0" * 10240, b"\x1f\x8b\x08\0broken", b"BZh9broken", b"\xfd7zXZ\0broken"])
def test_load_refuses_what_is_no_archive(fresh, content):
    before = fresh.docker("images", "-aq")
    result = fresh.docker("load", "-q", input=content, check=False)
    assert result.code == 1 and result.err
    assert fresh.docker("images", "-aq") == before


def test_pull_prints_dockers_lines(fresh, registry):
    name = f"{REGISTRY}/library/busybox"
    answer = lines(create(fresh, f"{name}:latest"))
    assert answer[0] == {"status": "Pulling from library/busybox", "id": "latest"}
    states = [line["status"] for line in answer if "progressDetail" in line]
    assert states[0] == "Pulling fs layer" and states[-1] == "Pull complete" and "Download complete" in states
    assert answer[-2]["status"].startswith("Digest: sha256:")
    assert answer[-1]["status"] == f"Status: Downloaded newer image for {name}:latest"
    again = lines(create(fresh, f"{name}:latest"))
    assert [line["status"] for line in again] == [
        "Pulling from library/busybox", answer[-2]["status"], f"Status: Image is up to date for {name}:latest"]
    image = fresh.inspect(f"{name}:latest")
    assert image["RepoDigests"] == [f"{name}@{answer[-2]['status'].removeprefix('Digest: ')}"]


def test_pull_through_the_cli(cli, stack, registry):
    name = f"{REGISTRY}/library/busybox:latest"
    assert cli("pull", name).splitlines()[-1] == name
    assert cli("pull", "-q", name) == name
    stack.docker("rmi", name)


def test_pull_by_digest(fresh, registry):
    name = f"{REGISTRY}/library/busybox"
    fresh.docker("pull", "-q", f"{name}:latest")
    digest = fresh.inspect(f"{name}:latest")["RepoDigests"][0]
    fresh.docker("rmi", f"{name}:latest")
    fresh.docker("pull", digest)
    assert fresh.inspect(digest)["RepoTags"] == ["busybox:latest"]


@pytest.mark.parametrize("reference, status, text", [
    (f"{REGISTRY}/library/none:1", 404, f"manifest for {REGISTRY}/library/none:1 not found: manifest unknown"),
    (f"{REGISTRY}/library/busybox:none", 404, f"manifest for {REGISTRY}/library/busybox:none not found: manifest unknown"),
    ("127.0.0.1:1/x:1", 500, "connection refused"),
    ("UPPER:1", 400, "repository name (library/UPPER) must be lowercase"),
])
def test_pull_failures_have_a_status(stack, registry, reference, status, text):
    answer = create(stack, reference, "-w", "\n%{http_code}")
    body, _, code = answer.rpartition("\n")
    assert int(code) == status
    assert text in json.loads(body)["message"]


class TestCertificates:
    """https with a CA of its own, at an address that does not count as insecure."""

    host = f"{REMOTE_ADDRESS}:5101"

    @pytest.fixture
    def trusted(self, remote_registry):
        directory = pathlib.Path("/etc/docker/certs.d") / self.host
        shutil.copytree(remote_registry / "certs.d", directory)
        yield
        shutil.rmtree(directory)

    def test_a_stranger_is_refused(self, cli, remote_registry):
        result = cli("pull", f"{self.host}/library/busybox:latest", check=False)
        assert result.code == 1 and "x509: certificate signed by unknown authority" in result.err

    def test_plain_http_is_refused(self, cli, remote_registry):
        result = cli("pull", f"{REMOTE_ADDRESS}:5100/library/busybox:latest", check=False)
        assert result.code == 1 and "server gave HTTP response to HTTPS client" in result.err

    def test_with_its_ca(self, cli, stack, remote_registry, trusted):
        name = f"{self.host}/library/busybox:latest"
        assert cli("pull", name).splitlines()[-1] == name
        assert cli("run", "--rm", "--network", "none", name, "echo", "hi") == "hi"
        stack.docker("rmi", name)


def test_a_client_that_leaves_cancels_the_pull(fresh, registry):
    process = subprocess.Popen(["curl", "-s", "-N", "--unix-socket", str(fresh.socket), "-X", "POST",
                                f"http://d/images/create?fromImage={REGISTRY}/library/busybox&tag=latest"],
                               stdout=subprocess.PIPE)
    process.stdout.read(10)
    process.kill()
    process.wait()
    process.stdout.close()
    assert fresh.docker("pull", "-q", f"{REGISTRY}/library/busybox:latest")


def test_tag_and_list(fresh):
    fresh.docker("tag", "busybox", "registry.example:5000/team/tool:1.2")
    fresh.docker("tag", "busybox", "other")
    image = fresh.inspect("other")
    assert image["RepoTags"] == ["busybox:latest", "other:latest", "registry.example:5000/team/tool:1.2"]
    listed = json.loads(fresh.curl("/images/json"))
    assert len(listed) == 1 and listed[0]["Id"] == image["Id"] and listed[0]["Containers"] == -1
    assert fresh.docker("images", "--format", "{{.Repository}}:{{.Tag}}", "other") == "other:latest"

    def tags(filters):
        return sorted(tag for entry in json.loads(fresh.curl(f"/images/json?filters={filters}", "-g")) for tag in entry["RepoTags"])

    assert tags('{"reference":["oth*"]}') == ["other:latest"]
    assert tags('{"reference":["*/*/*"]}') == ["registry.example:5000/team/tool:1.2"]
    assert tags('{"dangling":["true"]}') == []
    assert tags('{"before":["other"]}') == []
    assert fresh.docker("tag", "busybox", "UPPER", check=False).code == 1
    old = json.loads(fresh.curl("/v1.24/images/json"))[0]
    assert old["VirtualSize"] == old["Size"]


def test_remove_by_name_and_id(fresh):
    image = fresh.inspect("busybox")
    short = image["Id"].removeprefix("sha256:")[:12]
    fresh.docker("tag", "busybox", "b:1")
    assert fresh.docker("rmi", "b:1") == "Untagged: b:1"
    fresh.docker("tag", "busybox", "b:1")
    refused = fresh.docker("rmi", short, check=False)
    assert f"conflict: unable to delete {short} (must be forced) - image is referenced in multiple repositories" in refused.err
    removed = fresh.docker("rmi", "-f", short).splitlines()
    assert removed[:3] == ["Untagged: b:1", "Untagged: busybox:latest", f"Deleted: {image['Id']}"]
    assert removed[3] == f"Deleted: {image['RootFS']['Layers'][0]}"
    assert fresh.docker("images", "-aq") == ""
    assert not any((fresh.root / "supervisor" / "content" / "blobs" / "sha256").iterdir())


def test_remove_an_image_in_use(fresh):
    image = fresh.inspect("busybox")["Id"].removeprefix("sha256:")[:12]
    container = fresh.docker("create", "--network", "none", "busybox", "sleep", "100")
    result = fresh.docker("rmi", "busybox", check=False)
    assert (f'conflict: unable to remove repository reference "busybox" (must force) - container {container[:12]} '
            f"is using its referenced image {image}") in result.err
    result = fresh.docker("rmi", image, check=False)
    assert (f"conflict: unable to delete {image} (must be forced) - image is being used by stopped container "
            f"{container[:12]}") in result.err
    fresh.docker("start", container)
    result = fresh.docker("rmi", "-f", image, check=False)
    assert (f"conflict: unable to delete {image} (cannot be forced) - image is being used by running container "
            f"{container[:12]}") in result.err
    fresh.docker("rm", "-f", container)
    assert "Untagged: busybox:latest" in fresh.docker("rmi", "busybox")


def test_replaced_image_dangles_until_pruned(fresh, images, registry):
    first = fresh.inspect("busybox")["Id"]
    fresh.docker("pull", "-q", f"{REGISTRY}/library/config:latest")
    second = fresh.inspect(f"{REGISTRY}/library/config:latest")["Id"]
    assert first != second
    fresh.docker("tag", f"{REGISTRY}/library/config:latest", "busybox:latest")
    assert fresh.inspect("busybox")["Id"] == second
    assert fresh.docker("images", "-q", "--no-trunc", "-f", "dangling=true") == first
    assert f"deleted: {first}" in fresh.docker("image", "prune", "-f")
    assert fresh.docker("images", "-q", "-f", "dangling=true") == ""


def test_events(fresh):
    fresh.docker("tag", "busybox", "e:1")
    fresh.docker("rmi", "e:1")
    found = lines(fresh.curl("/events?since=1&until=4000000000.0", "--max-time", "1", check=False).out)
    found = [event for event in found if event.get("Type") == "image"]
    assert [(event["Type"], event["Action"]) for event in found] == [
        ("image", "load"), ("image", "tag"), ("image", "untag")]
    for event in found:
        assert event["status"] == event["Action"] and event["id"] == event["Actor"]["ID"]
