# SPDX-License-Identifier: Apache-2.0
"""`manifest create`, `annotate`, `push`, `rm`: what docker's client does, with the same files, so that each client works
on the other's lists; skopeo judges what is pushed."""
import json
import os
import pathlib
import shutil

import pytest
from archives import random_archive
from harness import TOOLS, run
from small_registry import SmallRegistry

PLAIN, TOKEN = "127.0.0.1:5100", "127.0.0.1:5103"
needs_docker = pytest.mark.skipif(not shutil.which("docker"), reason="no docker client on this machine")


@pytest.fixture
def name():
    """A repository name that no other test uses."""
    return f"{PLAIN}/lists/t{os.urandom(4).hex()}"


@pytest.fixture(autouse=True)
def no_lists(stack, registry):
    yield
    shutil.rmtree(stack.home / ".docker" / "manifests", ignore_errors=True)


def image(name):
    return f"{PLAIN}/library/{name}:latest"


def raw(reference, *options):
    """The text of a manifest or list in the registry."""
    return run("skopeo", "inspect", "--raw", "--tls-verify=false", *options, f"docker://{reference}").out


def create(cli, name, *images):
    return cli("manifest", "create", "--insecure", name, *images)


def files(stack):
    root = stack.home / ".docker" / "manifests"
    return {str(path.relative_to(root)): json.loads(path.read_text()) for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("members", [["busybox", "config", "zstd"], ["schema2", "zstd"]], ids=["oci", "docker"])
def test_a_list_is_made_annotated_and_pushed(cli, stack, name, members):
    assert create(cli, f"{name}:1", *map(image, members)) == f"Created manifest list {name}:1"
    cli("manifest", "annotate", f"{name}:1", image(members[1]), "--os", "linux", "--arch", "arm64", "--variant", "v8",
        "--os-features", "a,b", "--os-features", "b,c", "--os-version", "10.1")
    shown = cli("manifest", "inspect", f"{name}:1").out
    printed = cli("manifest", "push", "--insecure", f"{name}:1").splitlines()
    assert raw(f"{name}:1") == shown.rstrip("\n")
    document = json.loads(shown)
    assert document["manifests"][1]["platform"] == {
        "architecture": "arm64", "os": "linux", "os.version": "10.1", "os.features": ["a", "b", "c"], "variant": "v8"}
    digests = [entry["digest"] for entry in document["manifests"]]
    assert printed[:-1] == [f"Pushed ref {name}@{digest} with digest: {digest}" for digest in digests]
    assert printed[-1] == "sha256:" + run("sha256sum", input=raw(f"{name}:1")).split()[0]
    # All of it is in the repository now.
    run("skopeo", "--insecure-policy", "copy", "-q", "--all", "--src-tls-verify=false", f"docker://{name}:1",
        f"dir:{stack.directory}/copied-{name.rpartition('/')[2]}")


@needs_docker
def test_both_clients_make_the_same_of_the_same(stack, name):
    made = {}
    for client in (stack.docker, stack.swrun):
        create(client, f"{name}:1", *map(image, ("zstd", "config", "busybox")))
        client("manifest", "annotate", f"{name}:1", image("config"), "--arch", "arm", "--variant", "v7")
        made[client] = [files(stack), client("manifest", "inspect", f"{name}:1"),
                        client("manifest", "inspect", "-v", f"{name}:1"),
                        client("manifest", "inspect", f"{name}:1", image("config")),
                        client("manifest", "push", "-p", "--insecure", f"{name}:1")]
        assert files(stack) == {}
    assert made[stack.docker] == made[stack.swrun]


@needs_docker
@pytest.mark.parametrize("order", ["docker first", "swrun first"])
def test_each_client_works_on_the_others_list(stack, name, order):
    first, second = (stack.docker, stack.swrun)[::1 if order == "docker first" else -1]
    create(first, f"{name}:1", image("busybox"))
    second("manifest", "create", "--insecure", "--amend", f"{name}:1", image("config"))
    first("manifest", "annotate", f"{name}:1", image("config"), "--arch", "riscv64")
    assert first("manifest", "inspect", f"{name}:1") == second("manifest", "inspect", f"{name}:1")
    pushed = second("manifest", "push", "--insecure", f"{name}:1").splitlines()
    assert pushed[-1] == first("manifest", "push", "--insecure", f"{name}:1").splitlines()[-1]
    assert second("manifest", "rm", f"{name}:1") == "" and files(stack) == {}


def test_images_of_the_lists_own_repository_are_there_already(cli, name):
    list_name = f"{PLAIN}/library/schema2:{name[-4:]}"
    create(cli, list_name, image("schema2"))
    assert cli("manifest", "push", "--insecure", list_name).startswith("sha256:")
    assert len(json.loads(raw(list_name))["manifests"]) == 1


def test_a_variant_stays_as_the_image_has_it(cli, stack, name, tmp_path):
    """arm64/v8 is what arm64 means, and yet not the same bytes."""
    (tmp_path / "image.tar").write_bytes(random_archive("x:1", 100))
    run("skopeo", "--insecure-policy", "--override-arch", "arm64", "copy", "-q", f"docker-archive:{tmp_path}/image.tar",
        f"dir:{tmp_path}/image")
    manifest = json.loads((tmp_path / "image" / "manifest.json").read_text())
    config = tmp_path / "image" / manifest["config"]["digest"].partition(":")[2]
    document = json.loads(config.read_text()) | {"architecture": "arm64", "variant": "v8"}
    changed = json.dumps(document).encode()
    digest = run("sha256sum", input=changed).split()[0]
    (tmp_path / "image" / digest).write_bytes(changed)
    manifest["config"] |= {"digest": f"sha256:{digest}", "size": len(changed)}
    (tmp_path / "image" / "manifest.json").write_text(json.dumps(manifest))
    run("skopeo", "--insecure-policy", "copy", "-q", "--dest-tls-verify=false", f"dir:{tmp_path}/image", f"docker://{name}:arm")
    create(cli, f"{name}:1", f"{name}:arm")
    platform = json.loads(cli("manifest", "inspect", f"{name}:1"))["manifests"][0]["platform"]
    assert platform == {"architecture": "arm64", "os": "linux", "variant": "v8"}


@pytest.mark.parametrize("words, text", [
    (["create", "BAD", "x"], "error parsing name for manifest list BAD: invalid reference format: repository name (library/BAD) must be lowercase"),
    (["create", "good", "BAD"], "invalid reference format: repository name (library/BAD) must be lowercase"),
    (["create", "good"], "requires at least 2 arguments"),
    (["create", "--insecure", "good", image("nothing")], f"no such manifest: {image('nothing')}"),
    (["annotate", "BAD", "x"], "annotate: error parsing name for manifest list BAD: invalid reference format"),
    (["annotate", "good", "BAD"], "annotate: error parsing name for manifest BAD: invalid reference format"),
    (["annotate", "good", "x"], "manifest for image x does not exist in good"),
    (["push", "good"], "No such manifest: docker.io/library/good:latest"),
    (["rm", "good", "BAD"], "No such manifest: docker.io/library/good:latest\ninvalid reference format"),
    (["inspect", "good", "x"], "No such manifest: docker.io/library/x:latest"),
])
def test_refusals(cli, words, text):
    result = cli("manifest", *words, check=False)
    assert result.code == 1 and text in result.err


@pytest.mark.parametrize("options, text", [
    (["--arch", "foo"], "/foo"), (["--os", "foo"], "foo/"), (["--os", "linux", "--arch", "loong64"], "linux/loong64"),
])
def test_platforms_that_nobody_has(cli, stack, name, options, text):
    create(cli, f"{name}:1", image("busybox"))
    before = files(stack)
    result = cli("manifest", "annotate", f"{name}:1", image("busybox"), *options, check=False)
    assert result.code == 1 and f"manifest entry for image has unsupported os/arch combination: {text}" in result.err
    assert files(stack) == before


def test_a_list_is_not_replaced_by_mistake(cli, stack, name):
    create(cli, f"{name}:1", image("busybox"))
    again = cli("manifest", "create", "--insecure", f"{name}:1", image("config"), check=False)
    assert again.code == 1 and "refusing to amend an existing manifest list with no --amend flag" in again.err
    assert len(files(stack)) == 1


def test_lists_of_lists_and_other_registries_images(cli, name):
    create(cli, f"{name}:1", image("busybox"))
    cli("manifest", "push", "--insecure", f"{name}:1")
    nested = cli("manifest", "create", "--insecure", f"{name}:2", f"{name}:1", check=False)
    assert nested.code == 1 and f"{name}:1 is a manifest list" in nested.err
    create(cli, "127.0.0.1:5109/x:1", image("busybox"))
    pushed = cli("manifest", "push", "--insecure", "127.0.0.1:5109/x:1", check=False)
    assert "cannot use source images from a different registry than the target image: 127.0.0.1:5100 != 127.0.0.1:5109" in pushed.err


def test_a_failure_leaves_no_half_of_a_list(stack, name):
    result = stack.swrun("manifest", "create", f"{name}:1", image("busybox"), image("nothing"), check=False)
    assert result.code == 1 and files(stack) == {}


def test_with_a_login(stack, name, registry):
    """Tokens for both repositories: the list's to write to, the image's to mount from."""
    run(TOOLS / "registry-up", "--dir", registry, "start", "token")
    stack.swrun("login", "-u", "user", "--password-stdin", TOKEN, input="secret")
    list_name = f"{TOKEN}/{name.partition('/')[2]}:1"
    stack.swrun("manifest", "create", list_name, f"{TOKEN}/library/busybox:latest", f"{TOKEN}/library/config:latest")
    assert stack.swrun("manifest", "push", list_name).splitlines()[-1].startswith("sha256:")
    assert len(json.loads(raw(list_name, "--creds", "user:secret"))["manifests"]) == 2
    stack.swrun("logout", TOKEN)
    refused = stack.swrun("manifest", "push", list_name, check=False)
    assert refused.code == 1 and "denied" in refused.err


def test_a_registry_that_does_not_mount(stack, name):
    with SmallRegistry() as small:
        source = f"{small.address}/x:1"
        stack.docker("load", "-q", input=random_archive(source, 1000))
        stack.docker("push", "-q", source)
        stack.docker("rmi", source)
        stack.swrun("manifest", "create", f"{small.address}/y:1", source)
        small.empty_repository = "y"
        result = stack.swrun("manifest", "push", f"{small.address}/y:1", check=False)
        assert result.code == 1 and "failed to mount blob x@sha256:" in result.err
        # Once the blobs are there by another way, nothing is asked of the registry that it cannot do.
        small.empty_repository = None
        assert stack.swrun("manifest", "push", f"{small.address}/y:1").splitlines()[-1] in small.manifests


def test_damaged_files_are_named(stack, name):
    create(stack.swrun, f"{name}:1", image("busybox"))
    path = next(path for path in (stack.home / ".docker" / "manifests").rglob("*") if path.is_file())
    path.write_text("x")
    result = stack.swrun("manifest", "push", f"{name}:1", check=False)
    assert result.code == 1 and f"damaged manifest list: {path}" in result.err
    stack.swrun("manifest", "rm", f"{name}:1")
    assert not pathlib.Path(path).parent.exists()
