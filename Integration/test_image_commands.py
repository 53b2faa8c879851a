# SPDX-License-Identifier: Apache-2.0
"""Image commands as users type them, with both clients: lists, removal of images with children, prune, df, manifests."""
import json
import pathlib
import shutil

import pytest
from harness import wait_until

REGISTRY = "127.0.0.1:5100"


@pytest.fixture(params=["docker", "swrun"])
def client(request, own_stack):
    """Either client against a stack of its own, whose only image is busybox."""
    if request.param == "docker" and not shutil.which("docker"):
        pytest.skip("no docker client on this machine")
    return own_stack.docker if request.param == "docker" else own_stack.swrun


def listed(client, *options):
    return client("images", "--format", "{{.Repository}}:{{.Tag}}", *options).splitlines()


def test_list_filters(client, own_stack):
    client("run", "--name", "step", "--network", "none", "busybox", "touch", "/x")
    client("commit", "-c", "LABEL stage=new", "step", "team/kid:1.0")
    client("tag", "team/kid:1.0", "registry.example:5000/kid:1.1")
    all_names = {"team/kid:1.0", "registry.example:5000/kid:1.1", "busybox:latest"}
    kids = all_names - {"busybox:latest"}
    assert set(listed(client)) == all_names and listed(client)[-1] == "busybox:latest"  # newest first
    for options, wanted in [
        (["-f", "label=stage"], kids), (["-f", "label=stage=new"], kids), (["-f", "label=stage=old"], set()),
        (["-f", "since=busybox"], kids), (["-f", "before=team/kid:1.0"], {"busybox:latest"}),
        (["-f", "until=1h"], {"busybox:latest"}), (["-f", "dangling=false"], all_names), (["-f", "dangling=true"], set()),
        (["-f", "reference=*/kid:1.*"], kids), (["-f", "reference=team/*"], {"team/kid:1.0"}),
        (["-f", "reference=team/*", "-f", "reference=busy*"], {"team/kid:1.0", "busybox:latest"}),
        (["team/kid"], {"team/kid:1.0"}), (["team/kid:1.0"], {"team/kid:1.0"}), (["kid"], set()),
        (["busyb?x:l*"], {"busybox:latest"}),
    ]:
        assert set(listed(client, *options)) == wanted, options
    for wrong in ["nosuch=1", "dangling=maybe"]:
        refused = client("images", "-f", wrong, check=False)
        assert refused.code == 1 and "Error response from daemon: invalid filter '" + wrong.partition("=")[0] in refused.err
    header, *rows = client("image", "ls", "--digests", "--no-trunc").splitlines()
    assert header.split() == ["REPOSITORY", "TAG", "DIGEST", "IMAGE", "ID", "CREATED", "SIZE"]
    assert len(rows) == 3 and all("sha256:" in row for row in rows)
    assert [row.split() for row in client("images", "--format", r"table {{.Repository}}\t{{.Tag}}").splitlines()][0] == [
        "REPOSITORY", "TAG"]
    tree = client("image", "ls", "--tree").out
    assert "team/kid:1.0" in tree and "registry.example:5000/kid:1.1" in tree and "DISK USAGE" in tree
    own = own_stack.swrun("images", "--tree").splitlines()
    assert [line.split()[-1] for line in own if "busybox:latest" in line] == ["U"]  # the container uses it


def test_history_of_a_commit(client, own_stack):
    client("run", "--name", "step", "--network", "none", "busybox", "sh", "-c",
           "echo a long command line that has to be cut > /x")
    client("commit", "-m", "why", "step", "kid")
    header, newest, oldest = client("history", "kid").splitlines()
    assert header.split() == ["IMAGE", "CREATED", "CREATED", "BY", "SIZE", "COMMENT"]
    assert newest.startswith(own_stack.inspect("kid")["Id"][7:19]) and newest.endswith("why") and "…" in newest
    assert oldest.startswith(own_stack.inspect("busybox")["Id"][7:19])  # the parent is here
    assert client("history", "-q", "--no-trunc", "kid").splitlines()[0] == own_stack.inspect("kid")["Id"]
    assert [int(size) > 0 for size in client("history", "-H=false", "--format", "{{.Size}}", "kid").split()] == [True, True]


def test_a_parent_stays_untagged_for_its_child(client, own_stack):
    client("run", "--name", "step", "--network", "none", "busybox", "touch", "/x")
    client("commit", "step", "kid:1")
    client("rm", "step")
    parent, child = own_stack.inspect("busybox"), own_stack.inspect("kid:1")
    refused = client("rmi", "-f", parent["Id"], check=False)
    assert refused.code == 1 and "(cannot be forced) - image has dependent child images" in refused.err
    assert client("rmi", "busybox") == "Untagged: busybox:latest"
    assert listed(client) == ["kid:1"]  # a mere step on the way to another image is not shown
    assert listed(client, "-a") == ["kid:1", "<none>:<none>"]
    assert listed(client, "-f", "dangling=true") == []
    assert client("image", "prune", "-f") == "Total reclaimed space: 0B"
    assert own_stack.inspect(parent["Id"])["RepoTags"] == [] and own_stack.inspect("kid:1")["Parent"] == parent["Id"]
    assert client("run", "--rm", "--network", "none", "kid:1", "ls", "/x") == "/x"
    removed = client("rmi", "kid:1").splitlines()
    assert removed[:2] == ["Untagged: kid:1", f"Deleted: {child['Id']}"]
    assert removed[-2:] == [f"Deleted: {parent['Id']}", f"Deleted: {parent['RootFS']['Layers'][0]}"]
    assert not any((own_stack.root / "supervisor" / "content" / "blobs" / "sha256").iterdir())


def test_no_prune_keeps_untagged_parents(client, own_stack):
    client("run", "--name", "step", "--network", "none", "busybox", "touch", "/x")
    client("commit", "step", "kid:1")
    client("rm", "step")
    client("rmi", "busybox")
    assert f"Deleted: {own_stack.inspect('kid:1')['Parent']}" not in client("rmi", "--no-prune", "kid:1")
    assert listed(client) == ["<none>:<none>"]


def test_remove_several(client, own_stack):
    short = own_stack.inspect("busybox")["Id"].removeprefix("sha256:")[:12]
    for name in ("a:1", "b:2"):
        client("tag", "busybox", name)
    result = client("rmi", "a:1", "nosuch", "b:2", check=False)
    assert result.code == 1 and result.splitlines() == ["Untagged: a:1", "Untagged: b:2"]
    assert "No such image: nosuch:latest" in result.err
    assert client("rmi", "-f", "nosuch", check=False).code == 0
    assert client("rmi", short[:5]).splitlines()[:1] == ["Untagged: busybox:latest"]
    assert client("images") == "REPOSITORY   TAG       IMAGE ID   CREATED   SIZE"


def test_names_are_shown_as_they_were_written(client):
    assert client("save", "nosuch", check=False).err == "Error response from daemon: No such image: nosuch\n"
    assert client("image", "prune", "-f", "--filter", "until=bad", check=False).err == (
        'Error response from daemon: failed to parse value as time or duration: "bad"\n')


def test_a_container_whose_image_lost_its_name(client, own_stack, images):
    image = own_stack.inspect("busybox")["Id"]
    client("create", "--network", "none", "busybox")
    assert client("ps", "-a", "--format", "{{.Image}}") == "busybox"
    client("rmi", "-f", "busybox")
    assert client("ps", "-a", "--format", "{{.Image}}") == image.removeprefix("sha256:")[:12]
    assert client("ps", "-a", "--no-trunc", "--format", "{{.Image}}") == image
    client("load", "-q", "-i", images / "archive" / "busybox.tar")
    assert client("ps", "-a", "--format", "{{.Image}}") == "busybox"


def test_layers_of_a_pull_in_dockers_order(client, own_stack, registry):
    client("pull", "-q", f"{REGISTRY}/library/busybox")
    _, _, *steps, _, _, _ = [line.partition(": ")[2] for line in client("pull", f"{REGISTRY}/library/tricky").splitlines()]
    assert steps[:8] == ["Already exists"] + ["Pulling fs layer"] * 5 + ["Waiting"] * 2
    assert sorted(steps[8:]) == (
        ["Download complete"] * 5 + ["Pull complete"] * 5 + ["Verifying Checksum"] * 5)


def test_remove_what_was_pulled_by_digest(client, own_stack, registry):
    client("pull", "-q", f"{REGISTRY}/library/config:latest")
    digest = own_stack.inspect(f"{REGISTRY}/library/config")["RepoDigests"][0]
    client("rmi", f"{REGISTRY}/library/config")
    client("pull", "-q", digest)
    assert f"Untagged: {digest}" in client("rmi", digest).splitlines()
    assert listed(client) == ["busybox:latest"]


def test_a_digest_goes_without_the_tag(client, own_stack, registry):
    """As docker 20.10 has it: names are removed one by one, and the image with the last of them."""
    repository = f"{REGISTRY}/library/config"
    client("pull", "-q", repository)
    digest = own_stack.inspect(repository)["RepoDigests"][0]
    up_to_date = client("pull", digest).splitlines()
    assert up_to_date[0] == f"{digest}: Pulling from library/config"
    assert up_to_date[1:3] == [f"Digest: {digest.partition('@')[2]}", f"Status: Image is up to date for {digest}"]
    assert client("rmi", digest).splitlines() == [f"Untagged: {digest}"]
    assert own_stack.inspect(repository)["RepoDigests"] == []
    assert f"{repository}:latest" in listed(client)
    assert client("rmi", digest, check=False).code == 1
    client("pull", "-q", repository)
    assert own_stack.inspect(repository)["RepoDigests"] == [digest]
    client("pull", "-q", digest)
    client("tag", digest, "other:1")
    assert client("rmi", repository).splitlines() == [f"Untagged: {repository}:latest", f"Untagged: {digest}"]
    assert set(listed(client)) == {"other:1", "busybox:latest"}
    removed = client("rmi", "other:1").splitlines()
    assert removed[0] == "Untagged: other:1" and removed[1].startswith("Deleted: ")


def test_an_id_of_two_repositories(client, own_stack, registry):
    client("pull", "-q", f"{REGISTRY}/library/config")
    image = own_stack.inspect(f"{REGISTRY}/library/config")
    client("tag", image["Id"], "other:1")
    refused = client("rmi", image["Id"], check=False)
    assert refused.code == 1 and refused.err.endswith("(must be forced) - image is referenced in multiple repositories\n")
    assert client("rmi", image["RepoDigests"][0]) == f"Untagged: {image['RepoDigests'][0]}"
    assert client("rmi", image["Id"], check=False).code == 1
    assert [line.partition(" ")[0] for line in client("rmi", "-f", image["Id"]).splitlines()][:3] == [
        "Untagged:", "Untagged:", "Deleted:"]


def test_prune(client, own_stack, images):
    client("run", "--name", "step", "--network", "none", "busybox", "touch", "/x")
    client("commit", "-c", "LABEL keep=yes", "step", "kid:1")
    client("load", "-q", "-i", images / "archive" / "tricky.tar")
    config = own_stack.inspect("tricky")
    asked = client("image", "prune", input="n\n")
    assert asked.out == "WARNING! This will remove all dangling images.\nAre you sure you want to continue? [y/N] "
    assert client("image", "prune", input="y\n").endswith("[y/N] Total reclaimed space: 0B")
    all_asked = client("image", "prune", "-a", "--filter", "label!=keep", input="y\n").splitlines()
    assert all_asked[0] == "WARNING! This will remove all images without at least one container associated to them."
    assert all_asked[1:4] == ["Are you sure you want to continue? [y/N] Deleted Images:", "untagged: tricky:latest",
                              f"deleted: {config['Id']}"]
    assert all_asked[-2] == "" and all_asked[-1].startswith("Total reclaimed space: ") and not all_asked[-1].endswith(" 0B")
    assert set(listed(client)) == {"busybox:latest", "kid:1"}  # a container uses the one, the label keeps the other
    assert "invalid filter 'nosuch'" in client("image", "prune", "-f", "--filter", "nosuch=1", check=False).err
    assert "deleted: " in client("image", "prune", "-a", "-f")
    assert listed(client) == ["busybox:latest"]


def test_disk_usage_counts_images_containers_and_volumes(client, own_stack):
    client("run", "--name", "step", "--network", "none", "-v", "data:/data", "busybox", "sh", "-c",
           "dd if=/dev/zero of=/data/f bs=1000 count=2000; dd if=/dev/zero of=/f bs=1000 count=1000")
    rows = {row["Type"]: row for row in map(json.loads, client("system", "df", "--format", "json").splitlines())}
    counts = {kind: (row["TotalCount"], row["Active"]) for kind, row in rows.items()}
    assert counts == {"Images": ("1", "1"), "Containers": ("1", "0"), "Local Volumes": ("1", "1"), "Build Cache": ("0", "0")}
    size = own_stack.inspect("busybox")["Size"]
    assert rows["Images"]["Size"] == f"{size / 1e6:.4g}MB" and rows["Images"]["Reclaimable"].startswith("0B")
    assert rows["Containers"]["Size"] == "1MB" and rows["Containers"]["Reclaimable"] == "1MB (100%)"
    assert rows["Local Volumes"]["Size"] == "2MB" and rows["Build Cache"]["Size"] == "0B"
    verbose = client("system", "df", "-v")
    for line in ["Images space usage:", "Containers space usage:", "Local Volumes space usage:", "Build cache usage: 0B"]:
        assert line in verbose.splitlines()


def test_the_storage_is_dockers_overlay2(client, own_stack):
    """What `info` says, and where the directories of images and containers are for those who look into them."""
    info = json.loads(client("info", "--format", "{{json .}}"))
    assert info["Driver"] == "overlay2" and ["Supports d_type", "true"] in info["DriverStatus"]
    assert "Storage Driver: overlay2\n  Backing Filesystem: " in client("info").out
    client("run", "-d", "--name", "dirs", "--network", "none", "busybox", "sh", "-c", "touch /new; exec sleep 100")
    image, container = (own_stack.inspect(name)["GraphDriver"] for name in ("busybox", "dirs"))
    assert image["Name"] == container["Name"] == "overlay2" and "LowerDir" not in image["Data"]
    upper, lower, merged = (pathlib.Path(container["Data"][key]) for key in ("UpperDir", "LowerDir", "MergedDir"))
    assert str(lower) == image["Data"]["UpperDir"] and (lower / "bin" / "busybox").exists()
    wait_until(lambda: (upper / "new").exists(), what="the container's file in its upper directory")
    assert (merged / "new").exists() and (merged / "bin").exists()
    client("rm", "-f", "dirs")


def test_index_server_is_told(own_stack):
    assert " Registry: https://index.docker.io/v1/" in own_stack.swrun("info").splitlines()
    assert own_stack.docker("info", "--format", "{{.IndexServerAddress}}") == "https://index.docker.io/v1/"


def test_prune_alone_is_no_command(own_stack):
    result = own_stack.swrun("prune", check=False)
    assert result.code == 1 and "unknown command: swrun prune" in result.err and "'swrun system prune'" in result.err


@pytest.mark.skipif(not shutil.which("docker"), reason="no docker client on this machine")
@pytest.mark.parametrize("options", [[], ["-v"]], ids=["plain", "verbose"])
@pytest.mark.parametrize("name", ["busybox", "schema2"])
def test_manifest_inspect_prints_what_dockers_client_prints(stack, registry, options, name):
    words = ["manifest", "inspect", "--insecure", *options, f"{REGISTRY}/library/{name}:latest"]
    assert stack.swrun(*words) == stack.docker(*words)


def test_manifest_of_a_stranger(stack, registry):
    result = stack.swrun("manifest", "inspect", f"{REGISTRY}/library/nosuch", check=False)
    assert result.code == 1 and f"no such manifest: {REGISTRY}/library/nosuch:latest" in result.err
