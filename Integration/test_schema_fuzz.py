# SPDX-License-Identifier: Apache-2.0
"""docker's own description of its API, from Debian's package, and requests made from it: none is answered with 5xx.

SWRUN_FUZZ_EXAMPLES says how many requests are made for each operation that are valid, and as many that are not.
"""
import json
import os

import pytest

from harness import run
from test_clients import CLIENTS, outside, virtual_environment

PACKAGE = "golang-github-docker-docker-dev"
DESCRIPTION = "usr/share/gocode/src/github.com/docker/docker/api/swagger.yaml"
EXAMPLES = os.environ.get("SWRUN_FUZZ_EXAMPLES", "5")


@pytest.fixture(scope="module")
def description(scratch):
    """The package alone, without what it depends on."""
    directory = scratch / "description"
    directory.mkdir()
    done = run(*outside(), "sh", "-c", 'cd "$0" && apt-get download -qq $1 && dpkg-deb -x $1_*.deb .', directory, PACKAGE,
               check=False)
    if done.code:
        pytest.skip(f"{PACKAGE} cannot be had: {done.err.strip()[-200:]}")
    return directory / DESCRIPTION


@pytest.fixture(scope="module")
def python(scratch):
    return virtual_environment(scratch / "schemathesis", "schemathesis")


def test_no_request_makes_the_daemon_fail(own_stack, description, python):
    own_stack.docker("run", "-d", "--name", "target", "--init", "busybox", "sleep", "100000")
    own_stack.docker("volume", "create", "vol")
    execution = json.loads(own_stack.curl("/containers/target/exec", "-d", '{"Cmd": ["true"]}', "-H", "Content-Type: application/json"))
    names = {"containers": "target", "exec": execution["Id"], "images": "busybox", "networks": "bridge", "volumes": "vol"}
    before = own_stack.process.pid
    done = run(python, CLIENTS / "schema_fuzz.py", description, own_stack.socket, EXAMPLES, json.dumps(names), check=False, timeout=1800)
    assert done.code == 0, done.out + done.err
    assert own_stack.process.pid == before and own_stack.process.poll() is None
    assert "Server Version" in own_stack.docker("info")
    own_stack.docker("rm", "-f", *own_stack.docker("ps", "-aq").split(), check=False)
