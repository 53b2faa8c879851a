# SPDX-License-Identifier: Apache-2.0
"""What client libraries rely on beyond the documented answers, most of it found by running their own test suites."""
import json
import socket

import pytest

from harness import BIN, Stack


def api(stack, method, path, body=None):
    """Status and decoded body of one request."""
    result = stack.curl("/v1.45" + path, "-X", method, "-w", "\n%{http_code}", "-H", "Content-Type: application/json",
                        *(["-d", json.dumps(body)] if body is not None else []))
    text, _, status = result.rpartition("\n")
    return int(status), json.loads(text) if text.strip() else None


def hijacked(stack, path, body):
    """Head and everything that follows it on a connection that asks for no upgrade."""
    text = json.dumps(body).encode()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(20)
        connection.connect(str(stack.socket))
        connection.sendall(f"POST /v1.45{path} HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\n"
                           f"Content-Length: {len(text)}\r\n\r\n".encode() + text)
        received = b""
        while piece := connection.recv(65536):
            received += piece
    head, _, rest = received.partition(b"\r\n\r\n")
    return head, rest


@pytest.fixture
def sleeper(stack, container_name):
    stack.docker("run", "-d", "--name", container_name, "busybox", "sleep", "60")
    return container_name


@pytest.fixture
def network(stack, container_name):
    name = container_name + "net"
    stack.docker("network", "create", name)
    yield name
    stack.docker("rm", "-f", container_name)
    stack.docker("network", "rm", name)


# --- streams

@pytest.mark.parametrize("made, started, framed", [(True, False, True), (True, True, False), (False, False, True),
                                                   (False, True, False)])
def test_the_start_of_an_exec_decides_about_frames(stack, sleeper, made, started, framed):
    _, answer = api(stack, "POST", f"/containers/{sleeper}/exec",
                    {"Cmd": ["echo", "hello"], "AttachStdout": True, "AttachStderr": True, "Tty": made})
    _, output = hijacked(stack, f"/exec/{answer['Id']}/start", {"Detach": False, "Tty": started})
    line = b"hello\r\n" if made else b"hello\n"
    assert output == (b"\x01\0\0\0\0\0\0" + bytes([len(line)]) + line if framed else line)


def test_an_archive_that_is_none_is_told_in_the_stream(stack):
    status, answer = api(stack, "POST", "/images/load", "abc")
    assert status == 200 and answer["error"] == answer["errorDetail"]["message"] != ""


def test_the_build_cache_is_pruned_of_nothing(cli, stack):
    assert api(stack, "POST", "/build/prune") == (200, {"CachesDeleted": None, "SpaceReclaimed": 0})
    assert "Total reclaimed space: 0B" in cli("system", "prune", "-f", "--filter", "label=nobody")


def test_a_platform_that_nobody_knows_is_refused(stack):
    status, answer = api(stack, "POST", "/images/create?fromImage=busybox&tag=latest&platform=foo")
    assert (status, answer["message"]) == (400, '"foo": unknown operating system or architecture: invalid argument')


# --- creation

def test_a_variable_without_a_value_is_kept_and_unset(stack, container_name):
    status, _ = api(stack, "POST", f"/containers/create?name={container_name}",
                    {"Image": "busybox", "Cmd": ["env"], "Env": ["HOSTNAME", "EMPTY=", "SET=1"]})
    assert status == 201 and stack.inspect(container_name)["Config"]["Env"][:3] == ["HOSTNAME", "EMPTY=", "SET=1"]
    printed = stack.docker("start", "-a", container_name).splitlines()
    assert {"EMPTY=", "SET=1"} < set(printed) and not any(line.startswith("HOSTNAME") for line in printed)


def test_a_volume_driver_matters_for_volumes_only(stack, container_name):
    stack.docker("create", "--name", container_name, "--volume-driver", "nobody", "busybox")
    assert stack.inspect(container_name)["HostConfig"]["VolumeDriver"] == "nobody"
    status, answer = api(stack, "POST", "/containers/create", {
        "Image": "busybox", "HostConfig": {"VolumeDriver": "nobody", "Binds": ["data:/data"]}})
    text = 'create data: error looking up volume plugin nobody: plugin "nobody" not found'
    assert (status, answer["message"]) == (404, text)


def test_a_commit_does_not_mind_that_the_container_ends(stack, container_name):
    images = []
    for number in range(3):
        stack.docker("run", "-d", "--name", container_name + str(number), "busybox", "touch", "/made")
        images.append(stack.docker("commit", container_name + str(number)))
        stack.docker("rm", "-f", container_name + str(number))
    stack.docker("rmi", *images)


# --- networks

@pytest.mark.parametrize("name", ["with space", "a/b", "-dash"])
def test_networks_have_any_name(stack, sleeper, name):
    stack.docker("network", "create", "--", name)
    try:
        stack.docker("network", "connect", "--", name, sleeper)
        assert name in stack.inspect(sleeper)["NetworkSettings"]["Networks"]
        stack.docker("network", "disconnect", "--", name, sleeper)
    finally:
        stack.docker("network", "rm", "--", name)


def test_a_blank_is_no_name_of_a_network(stack):
    assert api(stack, "POST", "/networks/create", {"Name": " "}) == (400, {"message": "invalid name:  "})


def test_force_disconnects_only_what_is_connected(stack, sleeper, network):
    identifier = stack.inspect(sleeper)["Id"]
    stack.docker("network", "connect", network, sleeper)
    stack.docker("network", "disconnect", "-f", network, sleeper)
    again = stack.docker("network", "disconnect", "-f", network, sleeper, check=False)
    assert f"container {identifier} is not connected to network {network}" in again.err
    stack.docker("stop", "-t0", sleeper)
    stopped = stack.docker("network", "disconnect", "-f", network, sleeper, check=False)
    assert f"container {identifier} is not connected to the network {network}" in stopped.err
    assert "endpoint nobody not found" in stack.docker("network", "disconnect", "-f", network, "nobody", check=False).err


def test_settings_of_an_endpoint_are_shown_before_the_start(stack, container_name, network):
    settings = {"MacAddress": "02:42:ac:11:00:02", "IPAMConfig": {"LinkLocalIPs": ["169.254.8.8"]},
                "DriverOpts": {"some.option": "1"}, "GwPriority": 7}
    stack.docker("create", "--name", container_name, "busybox", "sleep", "60")
    status, _ = api(stack, "POST", f"/networks/{network}/connect",
                    {"Container": container_name, "EndpointConfig": settings})
    shown = stack.inspect(container_name)
    endpoint = shown["NetworkSettings"]["Networks"][network]
    assert status == 200 and {key: endpoint[key] for key in settings} == settings
    assert endpoint["DNSNames"] == [container_name, shown["Id"][:12]]
    stack.docker("start", container_name)
    endpoint = stack.inspect(container_name)["NetworkSettings"]["Networks"][network]
    assert {key: endpoint[key] for key in settings} == settings
    assert "inet 169.254.8.8/16 " in stack.docker("exec", container_name, "ip", "address", "show", "eth1")


def test_an_ipv6_pool_without_ipv6_is_passed_over(stack, container_name):
    name = container_name + "net"
    status, _ = api(stack, "POST", "/networks/create", {
        "Name": name, "IPAM": {"Driver": "default", "Config": [{"Subnet": "2001:db8:1::1/64"}]}})
    try:
        shown = json.loads(stack.docker("network", "inspect", name))[0]
        assert status == 201 and shown["EnableIPv6"] is False and len(shown["IPAM"]["Config"]) == 1
        stack.docker("run", "-d", "--name", container_name, "busybox", "sleep", "60")
        api(stack, "POST", f"/networks/{name}/connect", {
            "Container": container_name, "EndpointConfig": {"IPAMConfig": {"IPv6Address": "2001:db8:1::7"}}})
        endpoint = stack.inspect(container_name)["NetworkSettings"]["Networks"][name]
        assert endpoint["IPAMConfig"] == {"IPv6Address": "2001:db8:1::7"} and endpoint["GlobalIPv6Address"] == ""
    finally:
        stack.docker("rm", "-f", container_name)
        stack.docker("network", "rm", name)


# --- links

@pytest.fixture
def linked(stack, sleeper):
    """A container, and one that calls it `db`."""
    owner = sleeper + "l"
    stack.docker("run", "-d", "--name", owner, "--link", f"{sleeper}:db", "busybox", "sleep", "60")
    yield sleeper, owner
    stack.docker("rm", "-f", owner)


def test_a_link_is_a_name_of_its_target(cli, stack, linked):
    target, owner = linked
    _, listed = api(stack, "GET", "/containers/json")
    names = {container["Names"][0]: container["Names"][1:] for container in listed}
    assert names[f"/{target}"] == [f"/{owner}/db"] and names[f"/{owner}"] == []
    assert f"{target},{owner}/db" in cli("ps", "--no-trunc", "--format", "{{.Names}}").splitlines()
    assert cli("inspect", "-f", "{{.Name}}", f"{owner}/db") == f"/{target}"


def test_a_link_is_removed_and_the_containers_stay(cli, stack, linked):
    target, owner = linked
    assert cli("rm", "--link", f"{owner}/db") == f"{owner}/db"
    assert stack.inspect(owner)["HostConfig"]["Links"] is None
    assert "\tdb " not in stack.docker("exec", owner, "cat", "/etc/hosts")
    assert cli("inspect", "-f", "{{.State.Running}}", target, owner).splitlines() == ["true", "true"]
    assert f"No such container: {owner}/db" in cli("rm", "--link", f"{owner}/db", check=False).err
    refused = cli("rm", "--link", target, check=False)
    assert "Conflict, cannot remove the default link name of the container" in refused.err


# --- the daemon's settings

def test_settings_reach_execs_and_runtimes(images, tmp_path):
    noting = tmp_path / "noting"
    noting.write_text(f'#!/bin/sh\necho "$1 $2" >> {tmp_path}/noted\nexec {BIN}/swrunc "$@"\n')
    noting.chmod(0o755)
    arguments = ["--log-format=json", "--debug"]
    (tmp_path / "daemon.json").write_text(json.dumps({
        "no-new-privileges": True, "runtimes": {"noting": {"path": str(noting), "runtimeArgs": arguments}}}))
    stack = Stack(tmp_path, name="nnp", flags=["--config-file", tmp_path / "daemon.json"])
    stack.start()
    try:
        stack.docker("load", "-q", "-i", images / "archive" / "busybox.tar")
        stack.docker("run", "-d", "--name", "box", "busybox", "sleep", "60")
        assert "NoNewPrivs:\t1" in stack.docker("exec", "box", "grep", "NoNewPrivs", "/proc/self/status")
        assert api(stack, "GET", "/info")[1]["Runtimes"]["noting"] == {"path": str(noting), "runtimeArgs": arguments}
        stack.docker("run", "--rm", "--runtime", "noting", "busybox", "true")
        assert set((tmp_path / "noted").read_text().splitlines()) == {" ".join(arguments)}
    finally:
        stack.destroy()
