# SPDX-License-Identifier: Apache-2.0
"""What every end-to-end test stands on: a stack of its own, images, a registry, and a check that nothing is left.

The suite runs as root in a network and mount namespace of its own (scripts/test makes them), so that bridges, firewall
tables and mounts of the tests never meet the host's.
"""
import os
import pathlib
import shutil
import sys
import tempfile
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from harness import (  # noqa: E402
    BIN, CGROUP_ROOT, PROJECT, REMOTE_ADDRESS, TOOLS, Stack, fresh_stack, remove_empty_cgroups, run, snapshot_of_host)
from own_registry import OwnRegistry  # noqa: E402
from other_engines import docker_engine, layout, podman_engine  # noqa: E402,F401
from registry_setup import (  # noqa: E402,F401
    cleaned, configured, configured_stack, logged_out, registries, repository, unique)


def pytest_configure(config):
    if os.geteuid() != 0:
        raise pytest.UsageError("the integration tests need root: run scripts/test")
    if not os.environ.get("SWRUN_TEST_NAMESPACE"):
        raise pytest.UsageError("the integration tests need a network namespace of their own: run scripts/test")
    for program in ("swrun", "swrund", "swrun-supervisor", "swrun-registry", "swrun-shim", "swrunc"):
        if not (BIN / program).exists():
            raise pytest.UsageError(f"{BIN / program} is missing: run scripts/build --debug")


HOST_BEFORE = pytest.StashKey()


def pytest_sessionstart(session):
    session.stash[HOST_BEFORE] = snapshot_of_host()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    """Compares mounts, network namespaces, links, firewall tables, cgroups, processes and temporary directories.

    After the last fixture has ended: a fixture that did this would end before those that the last test does not use.
    """
    before = session.stash[HOST_BEFORE]
    deadline = time.monotonic() + 10
    while True:
        tidy_after_podman(before["cgroups"])
        left = {kind: sorted(found - before[kind]) for kind, found in snapshot_of_host().items() if found - before[kind]}
        if not left or time.monotonic() > deadline:
            break
        time.sleep(0.2)
    if left:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        session.config.get_terminal_writer().line(f"\nFAILED: left behind: {left}", red=True)


def tidy_after_podman(before):
    """podman keeps the cgroup of its conmon, whatever else it is told to use and to remove."""
    for place in [CGROUP_ROOT / "libpod_parent", *CGROUP_ROOT.glob("*/libpod_parent")]:
        if str(place) not in before:
            remove_empty_cgroups(place)


@pytest.fixture(scope="session")
def scratch():
    """A directory for the session's own files, on the disk that /tmp is on."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="swrun-it-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def images(scratch):
    """OCI layouts and docker archives of small images, made from Debian's packages."""
    cache = os.environ.get("SWRUN_TEST_IMAGES")
    path = pathlib.Path(cache) if cache else scratch / "images"
    if not (path / "archive" / "busybox.tar").exists():
        run(PROJECT / "scripts" / "make-images", "--only", "busybox,tricky,zstd,schema2,config,layers60", path)
    return path


@pytest.fixture(scope="session")
def registry(scratch, images):
    """Debian's docker-registry: plain http on 127.0.0.1:5100 and https with a CA of its own on 5101."""
    path = scratch / "registry"
    run(TOOLS / "registry-up", "--dir", path, "--images", images, "start", "http", "https")
    yield path
    run(TOOLS / "registry-up", "--dir", path, "stop")


@pytest.fixture(scope="module")
def own_registry():
    """swrun-registry on loopback, which lets everybody do everything."""
    with OwnRegistry("--delete") as registry:
        yield registry


@pytest.fixture(scope="session")
def remote_registry(scratch, images):
    """The same at an address that is not loopback, where certificates count; `certs.d` is its own in this namespace."""
    path = scratch / "remote-registry"
    run("ip", "address", "add", REMOTE_ADDRESS + "/32", "dev", "lo")
    pathlib.Path("/etc/docker/certs.d").mkdir(parents=True, exist_ok=True)  # where docker looks; empty afterwards, too
    run("mount", "-t", "tmpfs", "tmpfs", "/etc/docker/certs.d")
    run(TOOLS / "registry-up", "--dir", path, "--address", REMOTE_ADDRESS, "--images", images, "start", "http", "https")
    yield path
    run(TOOLS / "registry-up", "--dir", path, "--address", REMOTE_ADDRESS, "stop")
    run("umount", "/etc/docker/certs.d")
    run("ip", "address", "del", REMOTE_ADDRESS + "/32", "dev", "lo")


@pytest.fixture(scope="session")
def stack(scratch, images):
    """A running stack with the image busybox:latest loaded."""
    stack = Stack(scratch / "stack", name="it")
    stack.start()
    stack.docker("load", "-q", "-i", images / "archive" / "busybox.tar")
    yield stack
    stack.destroy()


@pytest.fixture(scope="session")
def criu():
    """A criu that works on this kernel: `$SWRUN_TEST_CRIU`, or the machine's own if it does."""
    program = os.environ.get("SWRUN_TEST_CRIU") or shutil.which("criu")
    if not program or run(program, "check", check=False).code != 0:
        pytest.skip("no criu that works on this kernel")
    return program


@pytest.fixture
def own_stack(images, request):
    """A fresh stack for tests that kill its programs or need it empty; busybox is loaded."""
    with fresh_stack(images) as stack:
        yield stack


@pytest.fixture(params=["docker", "swrun"])
def cli(request, stack):
    """Either command line client against the same daemon: docker's unchanged one and ours."""
    if request.param == "docker" and not shutil.which("docker"):
        pytest.skip("no docker client on this machine")
    return stack.docker if request.param == "docker" else stack.swrun


@pytest.fixture
def container_name(request, stack):
    """A name that no other test uses; the container is removed afterwards."""
    name = "t" + os.urandom(4).hex()
    yield name
    stack.docker("rm", "-f", name, check=False)
