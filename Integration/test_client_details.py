# SPDX-License-Identifier: Apache-2.0
"""Corners of the command line where docker's daemon has an opinion of its own."""
import io
import json
import os
import tarfile

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


SHOW = "stat -c %i /var/run/docker.sock; echo $DOCKER_CONFIG; cd /run/secrets/docker && stat -c '%a %u' config.json && cat config.json"


def test_a_container_gets_the_daemons_socket_and_the_users_credentials(stack, cli, tmp_path, monkeypatch):
    helper = tmp_path / "docker-credential-some"
    helper.write_text("""#!/bin/sh
        case $1 in
            list) echo '{"kept.example":"me"}' ;;
            get) echo '{"ServerURL":"kept.example","Username":"me","Secret":"mine"}' ;;
        esac""")
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    auths = {"auths": {"one.example": {"auth": "dTpw"}, "https://two.example/v1/": {"auth": "djpx"}}}

    def shown(config, *options):
        (tmp_path / "config.json").write_text(json.dumps(config))
        inode, *rest = cli("--config", tmp_path, "run", "--rm", "--use-api-socket", *options, "busybox", "sh", "-c", SHOW, check=False).splitlines()
        assert int(inode) == os.stat(stack.socket).st_ino
        return rest

    variable, mode, *text = shown({**auths, "psFormat": "x"})
    assert (variable, mode, json.loads("".join(text))) == ("/run/secrets/docker", "600 0", auths)
    assert json.loads("".join(shown({"credsStore": "some"})[2:])) == {"auths": {"kept.example": {"auth": "bWU6bWluZQ=="}}}
    kept = json.loads("".join(shown({**auths, "credHelpers": {"kept.example": "some"}})[2:]))["auths"]
    assert kept == {**auths["auths"], "kept.example": {"auth": "bWU6bWluZQ=="}}
    assert shown(auths, "-e", "DOCKER_CONFIG=/own") == ["/own"]
    assert shown({}) == []
    refused = cli("-H", "tcp://127.0.0.1:1", "run", "--use-api-socket", "busybox", check=False)
    assert refused.code == 125 and "--use-api-socket can only be used with unix sockets: docker endpoint tcp://127.0.0.1:1" in refused.err
