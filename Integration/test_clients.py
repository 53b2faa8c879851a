# SPDX-License-Identifier: Apache-2.0
"""Other people's clients from PyPI against our daemon, each in a virtual environment; skipped where PyPI does not answer."""
import os
import pathlib
import subprocess
import venv

import pytest

from harness import run

CLIENTS = pathlib.Path(__file__).parent / "clients"
PACKAGES = ["docker", "aiodocker", "python-on-whales", "testcontainers"]


def outside():
    """What makes a command run in the network namespace that the suite was started from; its own leads nowhere."""
    pid = os.getpid()
    while pid > 1:
        pid = int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        try:
            if os.readlink(f"/proc/{pid}/ns/net") != os.readlink("/proc/self/ns/net"):
                return ["nsenter", "-t", str(pid), "-n"]
        except OSError:
            break
    return []


def virtual_environment(directory, *packages):
    """A Python that has packages of PyPI; skips the test if they cannot be had."""
    venv.create(directory, with_pip=True)
    install = [*outside(), directory / "bin/pip", "install", "-q", "--disable-pip-version-check", "--retries", "1", "--timeout", "10", *packages]
    try:
        done = subprocess.run(install, capture_output=True, timeout=200, text=True)
    except subprocess.TimeoutExpired:
        pytest.skip("PyPI is too slow")
    if done.returncode:
        pytest.skip("PyPI does not answer: " + (done.stderr.strip().splitlines() or ["no reason given"])[-1])
    return directory / "bin/python"


@pytest.fixture(scope="module")
def python(scratch):
    return virtual_environment(scratch / "clients", *PACKAGES)


def run_client(python, stack, script):
    environment = {**stack.environment(), "PYTHONDONTWRITEBYTECODE": "1"}
    done = run(python, CLIENTS / script, env=environment, timeout=300, check=False)
    assert done.code == 0, done.err[-6000:]


def test_docker_py(python, stack):
    run_client(python, stack, "docker_py.py")
    assert stack.docker("ps", "-aq") == ""


def test_aiodocker(python, stack):
    run_client(python, stack, "aiodocker_smoke.py")


def test_python_on_whales(python, stack):
    run_client(python, stack, "whales_smoke.py")


def test_testcontainers(python, stack):
    run_client(python, stack, "testcontainers_smoke.py")
