# SPDX-License-Identifier: Apache-2.0
"""Bad input gets docker's status, text and exit code, through both clients, and leaves nothing half-made."""
import pytest


@pytest.mark.parametrize("arguments, code, text", [
    (["run", "--rm", "busybox", "nosuchcommand"], 127, "executable file not found in $PATH"),
    (["run", "--rm", "busybox", "/etc"], 126, "is a directory"),
    (["run", "--rm", "busybox", "/etc/passwd"], 126, "permission denied"),
    (["run", "--rm", "busybox", "/no/such"], 127, "no such file or directory"),
    (["run", "--rm", "UPPER"], 125, "repository name (library/UPPER) must be lowercase"),
    (["run", "--rm", "--pull", "never", "nosuchimage"], 125, "No such image: nosuchimage:latest"),
    (["run", "--rm", "127.0.0.1:1/absent/image"], 125, "connection refused"),
    (["run", "--rm", "--name", "bad/name", "busybox"], 125, "Invalid container name (bad/name)"),
    (["run", "--nosuchflag", "busybox"], 125, "unknown flag: --nosuchflag"),
    (["run", "-m", "12x", "busybox"], 125, "invalid"),
    (["run", "--rm", "-u", "nosuchuser", "busybox", "true"], 125, "unable to find user nosuchuser"),
    (["run", "--rm", "--network", "nosuchnet", "busybox", "true"], 125, "network nosuchnet not found"),
    (["nosuchcommand"], 1, "nosuchcommand"),
    (["start", "absent"], 1, "No such container: absent"),
    (["stop", "absent"], 1, "No such container: absent"),
    (["logs", "absent"], 1, "No such container: absent"),
    (["exec", "absent", "true"], 1, "No such container: absent"),
    (["rm", "absent"], 1, "No such container: absent"),
    (["inspect", "absent"], 1, "absent"),
    (["rmi", "absent"], 1, "No such image: absent"),
    (["tag", "absent", "b"], 1, "No such image: absent"),
    (["load", "-i", "/etc/hostname"], 1, ""),
])
def test_command(cli, stack, arguments, code, text):
    before = stack.docker("ps", "-aq")
    result = cli(*arguments, check=False)
    assert result.code == code, result.err
    assert text in result.err
    leftovers = set(stack.docker("ps", "-aq").split()) - set(before.split())
    if leftovers:  # as docker: a container whose start failed exists, unless --rm was given
        assert "--rm" not in arguments
        stack.docker("rm", "-f", *leftovers)


def test_name_conflict(cli, container_name):
    cli("create", "--name", container_name, "busybox")
    result = cli("create", "--name", container_name, "busybox", check=False)
    assert result.code == 1 or result.code == 125
    assert f'Conflict. The container name "/{container_name}" is already in use by container' in result.err


def test_wrong_state(cli, container_name):
    cli("create", "--name", container_name, "busybox", "sleep", "100")
    assert "is not running" in cli("exec", container_name, "true", check=False).err
    assert "is not running" in cli("kill", container_name, check=False).err
    cli("start", container_name)
    assert cli("rm", container_name, check=False).code == 1


@pytest.mark.parametrize("method, path, body, status", [
    ("GET", "/v1.99/info", None, "400"),
    ("GET", "/v1.10/info", None, "400"),
    ("GET", "/nosuchpath", None, "404"),
    ("PATCH", "/containers/json", None, "404"),
    ("POST", "/containers/create", "{", "400"),
    ("POST", "/containers/create", "[]", "400"),
    ("POST", "/containers/create", '{"Image":5}', "400"),
    ("POST", "/containers/create", "", "400"),
    ("POST", "/auth", '{"username": {}}', "400"),
    ("POST", "/auth", '[]', "400"),
    ("POST", "/auth", '{"username": "a", "password": "b", "serveraddress": "%00"}', "400"),
    ("POST", "/images/create?fromSrc=http%3A%2F%2F", "", "400"),
    ("GET", "/containers/json?filters={", None, "400"),
    ("GET", "/containers/absent/json", None, "404"),
    ("GET", "/images/absent/json", None, "404"),
    ("POST", "/containers/absent/start", None, "404"),
    ("POST", "/swarm/init", "{}", "501"),
    ("GET", "/services", None, "503"),
])
def test_request(stack, method, path, body, status):
    options = ["-X", method, "-o", "/dev/null", "-w", "%{http_code}", "-g"]
    if body is not None:
        options += ["-H", "Content-Type: application/json", "-d", body]
    assert stack.curl(path, *options) == status


def test_body_without_content_type(stack):
    answer = stack.curl("/containers/create", "-X", "POST", "-H", "Content-Type: text/plain", "-d", "{}")
    assert "unsupported Content-Type header (text/plain): must be 'application/json'" in answer
