# SPDX-License-Identifier: Apache-2.0
"""Corners of the command line where docker's daemon has an opinion of its own."""
import tarfile
import io

import pytest

from harness import CGROUP_ROOT, run


def test_a_working_directory_is_there_before_the_first_start(stack, container_name):
    stack.docker("create", "--name", container_name, "-w", "/srv/new/place", "busybox", "pwd")
    archive = run("docker", "cp", f"{container_name}:/srv/new", "-", env=stack.environment()).raw
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        assert {entry.name.rstrip("/") for entry in tar} == {"new", "new/place"}
    assert stack.docker("start", "-a", container_name) == "/srv/new/place"
    refused = stack.docker("create", "-w", "/etc/passwd", "busybox", check=False)
    assert refused.code == 1 and "Cannot mkdir: /etc/passwd is not a directory" in refused.err


@pytest.mark.parametrize("shares, text", [
    ("1", "the minimum allowed cpu-shares is 2"), ("99999999", "the maximum allowed cpu-shares is 262144"),
])
def test_shares_that_the_kernel_would_change(stack, cli, container_name, shares, text):
    if (CGROUP_ROOT / "cgroup.controllers").exists():
        pytest.skip("cgroup v1's limits")
    refused = cli("run", "--rm", "--cpu-shares", shares, "busybox", "true", check=False)
    assert refused.code == 125 and text in refused.err
    stack.docker("run", "-d", "--name", container_name, "--cpu-shares", "512", "busybox", "sleep", "1000")
    refused = cli("update", "--cpu-shares", shares, container_name, check=False)
    assert refused.code == 1 and text in refused.err
    assert stack.inspect(container_name)["HostConfig"]["CpuShares"] == 512


def test_blank_names_and_filters_that_nobody_knows(stack, cli):
    refused = cli("rmi", " ", check=False)
    assert refused.code == 1 and "image name cannot be blank" in refused.err
    assert cli("events", "--filter", "nosuch=x", "--until", "0s").code == 0


def test_an_exec_of_a_directory(stack, cli, container_name):
    stack.docker("run", "-d", "--name", container_name, "busybox", "sleep", "1000")
    refused = cli("exec", container_name, "/etc", check=False)
    assert refused.code == 126 and 'exec: "/etc": is a directory: unknown: permission denied' in refused.out + refused.err
