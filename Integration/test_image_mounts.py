# SPDX-License-Identifier: Apache-2.0
"""Images as mounts of containers (`--mount type=image`, API 1.48)."""
import json

import pytest

from harness import run, wait_until


def make_image(stack, tmp_path, name):
    """An image with /foo, /sub/inner and a link that leads out of it."""
    tree = tmp_path / "tree"
    (tree / "sub").mkdir(parents=True)
    (tree / "foo").write_text("bar\n")
    (tree / "sub" / "inner").write_text("deep\n")
    (tree / "out").symlink_to("../../../../etc")
    archive = run("tar", "-C", tree, "-c", ".").raw
    return stack.docker("import", "-", name, input=archive)


@pytest.fixture
def image(stack, tmp_path, request):
    name = f"mounted:{abs(hash(request.node.name)) % 100000}"
    make_image(stack, tmp_path, name)
    yield name
    stack.docker("rmi", "-f", name, check=False)


def test_an_image_is_mounted_read_only(stack, cli, image):
    mount = ["--mount", f"type=image,src={image},dst=/image"]
    assert cli("run", "--rm", *mount, "busybox", "cat", "/image/foo") == "bar"
    refused = cli("run", "--rm", *mount, "busybox", "touch", "/image/new", check=False)
    assert refused.code == 1 and "Read-only file system" in refused.err
    part = ["--mount", f"type=image,src={image},dst=/image,image-subpath=sub"]
    assert cli("run", "--rm", *part, "busybox", "ls", "/image") == "inner"


def test_an_image_of_several_layers(stack, image, container_name):
    stack.docker("run", "--name", container_name, "busybox", "sh", "-c", "echo two > /second; rm /bin/vi")
    stack.docker("commit", container_name, image)
    mount = ["--mount", f"type=image,src={image},dst=/image"]
    assert stack.docker("run", "--rm", *mount, "busybox", "sh", "-c", "cat /image/second; ls /image/bin/vi; /image/bin/echo ran",
                        check=False).splitlines() == ["two", "ran"]


def test_inspect_and_the_use_of_the_image(stack, cli, image, container_name):
    stack.docker("create", "--name", container_name, "--mount", f"type=image,src={image},dst=/image", "busybox", "cat",
                 "/image/foo")
    mount, = stack.inspect(container_name)["Mounts"]
    assert mount.pop("Source").startswith("/")
    assert mount == {"Type": "image", "Name": image, "Destination": "/image", "Mode": "", "RW": False,
                     "Propagation": "rprivate"}
    refused = cli("rmi", image, check=False)
    assert refused.code == 1 and "is using its referenced image" in refused.err
    assert stack.docker("ps", "-aq", "--filter", f"name={container_name}")
    cli("rmi", "-f", image)
    for _ in range(2):  # the layers stay for as long as the container does
        assert stack.docker("start", "-a", container_name) == "bar"
    stack.docker("rm", container_name)
    snapshots = stack.ctr("-n", "swrun", "snapshots", "--snapshotter", "overlayfs", "ls")
    assert "-image-" not in snapshots


def test_mounts_of_images_survive_the_daemon(own_stack, tmp_path):
    make_image(own_stack, tmp_path, "mounted:own")
    own_stack.docker("run", "-d", "--name", "holder", "--mount", "type=image,src=mounted:own,dst=/image", "busybox", "sleep", "1000")
    own_stack.kill_daemon()
    own_stack.start()
    assert own_stack.docker("exec", "holder", "cat", "/image/foo") == "bar"
    own_stack.docker("restart", "-t", "0", "holder")
    assert own_stack.docker("exec", "holder", "cat", "/image/foo") == "bar"
    own_stack.docker("rm", "-f", "holder")
    mounts = "/proc/self/mounts"
    wait_until(lambda: str(own_stack.state / "containers") not in open(mounts).read(), 10, "the end of the mounts")


@pytest.mark.parametrize("mount, text", [
    ("type=image,src=nosuch,dst=/x", "No such image: nosuch:latest"),
    ("type=image,dst=/x", 'invalid mount config for type "image": field Source must not be empty'),
    ("type=image,src=busybox,dst=/x,image-subpath=../y", "subpath must be a relative path within the volume"),
    ("type=image,src=busybox,dst=/x,image-subpath=nosuch", "no such file or directory"),
])
def test_what_cannot_be_mounted(cli, mount, text):
    result = cli("run", "--rm", "--pull", "never", "--mount", mount, "busybox", "true", check=False)
    assert result.code in (125, 127) and text in result.err


def test_a_link_out_of_the_image_is_refused(cli, image):
    result = cli("run", "--rm", "--mount", f"type=image,src={image},dst=/x,image-subpath=out", "busybox", "true", check=False)
    assert result.code == 125 and "path concatenation escapes the base directory" in result.err


def test_older_versions_of_the_api_have_no_such_mount(stack):
    body = {"Image": "busybox", "HostConfig": {"Mounts": [{"Type": "image", "Source": "busybox", "Target": "/x"}]}}
    answer = stack.curl("/v1.47/containers/create", "-H", "Content-Type: application/json", "-d", json.dumps(body))
    assert json.loads(answer)["message"] == 'Mount type "Image" needs API v1.48 or newer'
