# SPDX-License-Identifier: Apache-2.0
"""Registries of every kind on loopback, what the tests of them share, and the fixtures (conftest.py hands them on).

`registries` has every mode of tools/registry-up with one set of images; what is pushed is judged by skopeo.
"""
import json
import os

import pytest
from archives import random_archive
from harness import TOOLS, Stack, run

HTTP, HTTPS, BASIC, TOKEN, FAULT = (f"127.0.0.1:{port}" for port in (5110, 5111, 5112, 5113, 5115))
CREDENTIALS = "user:secret"


@pytest.fixture(scope="module")
def registries(scratch, images):
    """http, https, basic, token and fault on 5110 and the ports after it."""
    path = scratch / "registries"
    up = [TOOLS / "registry-up", "--dir", path, "--port", "5110"]
    run(*up, "start", "http", "https", "basic", "token", "fault")
    for name in ("busybox", "layers60"):
        run("skopeo", "--insecure-policy", "copy", "-q", "--dest-tls-verify=false", f"oci:{images}/oci/{name}:latest",
            f"docker://{HTTP}/library/{name}:latest")
    yield path
    run(*up, "stop")


@pytest.fixture
def repository():
    """A repository name that no other test uses."""
    return "t" + os.urandom(4).hex()


@pytest.fixture
def unique(cleaned):
    """Loads an image under a name, as big as asked for."""
    def load(name, size=1000):
        cleaned.docker("load", "-q", input=random_archive(name, size))
        return cleaned.inspect(name)
    return load


@pytest.fixture
def cleaned(stack):
    """Removes the names of the registries from the shared stack afterwards."""
    yield stack
    names = [line for line in stack.docker("images", "--format", "{{.Repository}}:{{.Tag}}").split() if "127.0.0.1:" in line]
    if names:
        stack.docker("rmi", "-f", *names)


def inspect(reference, *options):
    """What skopeo says of an image in a registry."""
    return json.loads(run("skopeo", "inspect", "--tls-verify=false", *options, f"docker://{reference}"))


def blobs(reference):
    manifest = json.loads(run("skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{reference}"))
    return [layer["digest"] for layer in manifest["layers"]]


def lines(text):
    return [json.loads(line) for line in text.splitlines() if line]


def push(stack, name, tag, *options):
    return lines(stack.curl(f"/images/{name}/push?tag={tag}", "-X", "POST", *options))


def faults(*rules):
    run("curl", "-s", "-X", "DELETE", f"http://{FAULT}/_fault")
    run("curl", "-s", "-X", "POST", "--data", json.dumps(rules), f"http://{FAULT}/_fault")


def requests():
    return json.loads(run("curl", "-s", f"http://{FAULT}/_fault"))["requests"]


@pytest.fixture
def logged_out(stack):
    """No configuration of the client before and after."""
    config = stack.home / ".docker" / "config.json"
    config.unlink(missing_ok=True)
    yield config
    config.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def configured_stack(scratch, registries, remote_registry):
    """A stack of its own with mirrors and an insecure network."""
    stack = Stack(scratch / "configured", "own", [
        "--registry-mirror", "http://127.0.0.1:1", "--registry-mirror", f"http://{HTTP}",
        "--insecure-registry", "192.0.2.0/24", "--registry-timeout", "3"])
    stack.start()
    yield stack
    stack.destroy()


@pytest.fixture
def configured(configured_stack):
    """The same, without any image."""
    yield configured_stack
    found = configured_stack.docker("images", "-aq").split()
    if found:
        configured_stack.docker("rmi", "-f", *set(found))
