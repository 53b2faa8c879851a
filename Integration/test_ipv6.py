# SPDX-License-Identifier: Apache-2.0
"""Networks with IPv6: addresses, what inspect shows, who reaches whom."""
import hashlib
import json
import os
import socket

import pytest

from harness import Stack, run, wait_until


@pytest.fixture
def network(stack, container_name):
    """Makes networks, which go with the containers of the test."""
    made = []

    def make(*flags, cli=stack.docker):
        made.append(f"{container_name}n{len(made)}")
        cli("network", "create", *flags, made[-1])
        return made[-1]
    yield make
    ids = stack.docker("ps", "-aq", "--filter", f"name={container_name}").split()
    if ids:
        stack.docker("rm", "-f", *ids)
    stack.docker("network", "rm", *reversed(made))


@pytest.fixture
def box(stack, container_name):
    def start(suffix, *flags):
        stack.docker("run", "-d", "--name", container_name + suffix, *flags, "busybox", "sleep", "120")
        return container_name + suffix
    return start


def inspected(stack, name):
    return json.loads(stack.docker("network", "inspect", name))[0]


def test_containers_get_addresses_and_reach_each_other(stack, cli, network, box):
    name = network("--ipv6", "--subnet", "fd00:5::/64", cli=cli)
    one, two = box("1", "--network", name), box("2", "--network", name)
    endpoint = stack.inspect(one)["NetworkSettings"]["Networks"][name]
    assert [endpoint[key] for key in ("GlobalIPv6Address", "GlobalIPv6PrefixLen", "IPv6Gateway")] == [
        "fd00:5::2", 64, "fd00:5::1"]
    assert "inet6 fd00:5::2/64" in stack.docker("exec", one, "ip", "address", "show", "eth0")
    assert "fd00:5::2" in stack.docker("exec", one, "cat", "/etc/hosts")
    for address in ("fd00:5::2", "fd00:5::1"):
        stack.docker("exec", two, "ping", "-6", "-c1", "-W5", address)
    shown = inspected(stack, name)
    assert shown["EnableIPv6"] is True
    assert shown["IPAM"]["Config"][1] == {"Subnet": "fd00:5::/64", "Gateway": "fd00:5::1"}
    assert sorted(entry["IPv6Address"] for entry in shown["Containers"].values()) == ["fd00:5::2/64", "fd00:5::3/64"]


def test_an_address_can_be_chosen(stack, cli, network, box, container_name):
    name = network("--ipv6", "--subnet", "fd00:6::/64", "--gateway", "fd00:6::99", "--ip-range", "fd00:6::1:0/112")
    first, chosen = box("1", "--network", name), box("2", "--network", name, "--ip6", "fd00:6::f00d")

    def address(container):
        return stack.inspect(container)["NetworkSettings"]["Networks"][name]["GlobalIPv6Address"]
    assert (address(first), address(chosen)) == ("fd00:6::1:0", "fd00:6::f00d")
    assert "default via fd00:6::99" in stack.docker("exec", first, "ip", "-6", "route")

    def refusal(wanted):
        return cli("run", "--name", container_name, "--network", name, "--ip6", wanted, "busybox", check=False).err
    assert "Address already in use" in refusal("fd00:6::f00d")
    stack.docker("rm", "-f", container_name)
    assert "no configured subnet or ip-range contain the IP address fd00:7::1" in refusal("fd00:7::1")


def test_a_subnet_is_chosen_and_a_wrong_one_refused(stack, cli, network):
    subnet = inspected(stack, network("--ipv6", cli=cli))["IPAM"]["Config"][1]["Subnet"]
    assert subnet.startswith("fd") and subnet.endswith("::/64")
    refused = cli("network", "create", "--ipv6", "--subnet", "fd00:8::1/64", "never", check=False)
    assert "invalid subnet fd00:8::1/64: it should be fd00:8::/64" in refused.err
    overlapping = cli("network", "create", "--ipv6", "--subnet", subnet, "never", check=False)
    assert "Pool overlaps with other one on this address space" in overlapping.err


def test_only_its_own_interface_has_ipv6(stack, network, box):
    with_ipv6, without = network("--ipv6", "--subnet", "fd00:9::/64"), network()
    name = box("", "--network", with_ipv6)
    stack.docker("network", "connect", without, name)
    assert "inet6" not in stack.docker("exec", name, "ip", "address", "show", "eth1")
    stack.docker("network", "disconnect", with_ipv6, name)
    assert "fd00:9::" not in stack.docker("exec", name, "cat", "/etc/hosts")
    stack.docker("network", "connect", with_ipv6, name)
    assert "fd00:9::2" in stack.docker("exec", name, "ip", "address", "show", "eth0")


def test_nobody_outside_reaches_it(stack, network, box):
    name = network("--ipv6", "--subnet", "fd00:a::/64")
    bridge = "br-" + inspected(stack, name)["Id"][:12]
    tables = [line for line in run("nft", "list", "tables").splitlines() if line.startswith("table ip6 ")]
    assert any(f'iifname != "{bridge}" oifname "{bridge}" drop' in run("nft", "list", *line.split()) for line in tables)


# --- published ports

ANSWER = "while true; do echo here | nc -l -p 80; done"


@pytest.fixture
def server(box, stack):
    """A container that says `here` on its port 80; returns its name and the host port."""
    def start(*flags, suffix="s", publish="80"):
        name = box_with(stack, box, suffix, "-p", publish, *flags)
        ports = stack.inspect(name)["NetworkSettings"]["Ports"]["80/tcp"]
        return name, ports
    return start


def box_with(stack, box, suffix, *flags):
    name = box(suffix, *flags)
    stack.docker("exec", "-d", name, "sh", "-c", ANSWER)
    return name


def said(address, port, timeout=10):
    """What is heard from a port; tried again while nobody listens there yet."""
    def hear():
        try:
            with socket.create_connection((address, int(port)), timeout) as connection:
                return connection.makefile("rb").read()
        except ConnectionError:
            return b""
    return wait_until(hear, 10, f"an answer of [{address}]:{port}")


def test_a_port_is_published_on_ipv6_to_a_container_without_it(stack, cli, server):
    name, ports = server()
    port = ports[0]["HostPort"]
    assert ports == [{"HostIp": "0.0.0.0", "HostPort": port}, {"HostIp": "::", "HostPort": port}]
    assert said("127.0.0.1", port) == said("::1", port) == b"here\n"
    assert cli("port", name, "80").splitlines() == [f"0.0.0.0:{port}", f"[::]:{port}"]
    shown = cli("ps", "--filter", f"name={name}", "--format", "{{.Ports}}")
    assert shown == f"0.0.0.0:{port}->80/tcp, [::]:{port}->80/tcp"


def test_a_port_of_one_address(stack, server):
    _, ports = server(publish="[::1]::80")
    assert [entry["HostIp"] for entry in ports] == ["::1"]
    assert said("::1", ports[0]["HostPort"]) == b"here\n"
    _, ports = server(publish="127.0.0.1::80", suffix="t")
    assert [entry["HostIp"] for entry in ports] == ["127.0.0.1"]


def test_a_port_leads_to_a_container_with_ipv6(stack, network, server):
    name = network("--ipv6", "--subnet", "fd00:b::/64")
    _, ports = server("--network", name)
    port = ports[1]["HostPort"]
    assert said("fd00:b::1", port) == said("::1", port) == b"here\n"
    rules = [run("nft", "list", *line.split()) for line in run("nft", "list", "tables").splitlines() if " ip6 " in line]
    assert any(f"tcp . {port} : fd00:b::2 . 80" in text for text in rules)


def test_much_data_through_the_proxy_and_half_closed_connections(stack, container_name, box):
    name = box("s", "-p", "80")
    stack.docker("exec", "-d", name, "sh", "-c", "while true; do nc -l -p 80 -e md5sum; done")
    port = int(stack.inspect(name)["NetworkSettings"]["Ports"]["80/tcp"][0]["HostPort"])
    data = os.urandom(1 << 20) * 8

    def digest():
        try:
            with socket.create_connection(("::1", port), 20) as connection:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
                return connection.makefile("rb").read()[:32].decode()
        except ConnectionError:
            return ""
    assert wait_until(digest, 10, "a digest") == hashlib.md5(data).hexdigest()


# --- names

def test_names_have_ipv6_addresses(stack, network, box):
    name = network("--ipv6", "--subnet", "fd00:c::/64")
    one, two = box("1", "--network", name), box("2", "--network", name)

    def look(what, kind):
        return stack.docker("exec", two, "nslookup", f"-type={kind}", what, "127.0.0.11")
    assert "Address: fd00:c::2" in look(one, "aaaa")
    assert f"name = {one}.{name}" in look("2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.c.0.0.0.0.0.d.f.ip6.arpa", "ptr")


# --- the default network

def test_the_default_network_with_ipv6(tmp_path, images):
    stack = Stack(tmp_path, name="six", flags=["--ipv6", "--fixed-cidr-v6", "fd00:d::/64"])
    stack.start()
    try:
        stack.docker("load", "-q", "-i", images / "archive" / "busybox.tar")
        stack.docker("run", "-d", "--name", "box", "-p", "80", "busybox", "sh", "-c", ANSWER)
        settings = stack.inspect("box")["NetworkSettings"]
        assert settings["Networks"]["bridge"]["GlobalIPv6Address"] == "fd00:d::2"
        port = settings["Ports"]["80/tcp"][1]["HostPort"]
        assert said("fd00:d::1", port) == b"here\n"
        stack.kill_daemon()
        stack.start()
        assert said("::1", port) == said("fd00:d::1", port) == b"here\n"
    finally:
        stack.destroy()
