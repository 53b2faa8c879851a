# SPDX-License-Identifier: Apache-2.0
"""--storage-opt size: needs a file system that counts by project. The machine of `scripts/test-cgroup2` has one."""
import re

import pytest
from harness import run


def counts(stack):
    return re.search(r"\b(prjquota|pquota)\b", run("findmnt", "-no", "OPTIONS", "-T", stack.root))


@pytest.fixture
def counting(stack):
    if not counts(stack):
        pytest.skip("the file system below keeps no quotas of projects")


def test_what_a_container_writes_is_limited(counting, stack, cli, container_name):
    cli("create", "--network", "none", "--name", container_name, "--storage-opt", "size=8m", "busybox", "sh", "-c",
        "df -P / | tail -1; head -c 4000000 /dev/zero >/a && echo fits; head -c 9000000 /dev/zero >/b || echo full; rm /b; mkdir -p /d && mv /a /d && echo moved")
    lines = cli("start", "-a", container_name).splitlines()
    assert lines[0].split()[1] == "8192" and lines[1:] == ["fits", "full", "moved"]
    assert stack.inspect(container_name)["HostConfig"]["StorageOpt"] == {"size": "8m"}
    # It belongs to the container, not to one run of it, and to nobody else.
    assert cli("start", "-a", container_name).splitlines()[0].split()[1] == "8192"
    free = stack.docker("run", "--rm", "--network", "none", "busybox", "sh", "-c", "head -c 12000000 /dev/zero >/b && echo fits; df -P / | tail -1")
    assert free.startswith("fits") and int(free.splitlines()[1].split()[1]) > 1 << 20
    stack.docker("rm", container_name)


def test_limits_of_many_containers_are_their_own(counting, stack):
    sizes = {f"limited{number}": 4 + number for number in range(8)}
    try:
        for name, size in sizes.items():
            stack.docker("create", "--network", "none", "--name", name, "--storage-opt", f"size={size}M", "busybox", "df", "-P", "/")
        shown = {name: int(stack.docker("start", "-a", name).splitlines()[1].split()[1]) for name in sizes}
        assert shown == {name: size << 10 for name, size in sizes.items()}
    finally:
        stack.docker("rm", "-f", *sizes)


def test_where_nothing_counts(stack, cli):
    if counts(stack):
        pytest.skip("the file system below keeps quotas of projects")
    before = stack.docker("ps", "-aq")
    refused = cli("run", "--rm", "--storage-opt", "size=1g", "busybox", "true", check=False)
    assert refused.code == 125 and "--storage-opt is supported only for overlay over xfs with 'pquota' mount option" in refused.err
    assert stack.docker("ps", "-aq") == before


@pytest.mark.parametrize("option, text", [("size=much", "invalid size: 'much'"), ("color=red", "Unknown option color")])
def test_options_that_are_none(stack, option, text):
    refused = stack.docker("create", "--storage-opt", option, "busybox", check=False)
    assert refused.code == 1 and text in refused.err
