# SPDX-License-Identifier: Apache-2.0
"""Settings of the daemon that concern the default bridge and published ports."""
import pytest

from harness import run
from test_ipv6 import ANSWER, said


@pytest.fixture
def restarted(own_stack):
    """Starts the stack's daemon anew with more flags."""
    def restart(*flags):
        own_stack.stop()
        own_stack.flags = list(flags)
        own_stack.start()
        return own_stack
    return restart


def serve(stack, name, *flags, ports=(80,)):
    stack.docker("run", "-d", "--name", name, *flags, "busybox", "sleep", "120")
    for port in ports:
        stack.docker("exec", "-d", name, "sh", "-c", ANSWER.replace("80", str(port)))


def test_where_containers_of_the_default_bridge_are(restarted, own_stack):
    subnet = own_stack.subnet
    stack = restarted("--fixed-cidr", subnet + ".128/25", "--default-gateway", subnet + ".254", "--ip", "127.0.0.1",
                      "--default-network-opt", "bridge=com.docker.network.driver.mtu=1400",
                      "--default-network-opt", "bridge=com.docker.network.enable_ipv6=true")
    stack.docker("run", "-d", "--name", "one", "-p", "80", "busybox", "sleep", "120")
    settings = stack.inspect("one")["NetworkSettings"]
    endpoint = settings["Networks"]["bridge"]
    assert int(endpoint["IPAddress"].rpartition(".")[2]) >= 128
    assert endpoint["Gateway"] == subnet + ".254"
    assert f"default via {subnet}.254" in stack.docker("exec", "one", "ip", "route")
    assert [entry["HostIp"] for entry in settings["Ports"]["80/tcp"]] == ["127.0.0.1"]
    shown = stack.docker("network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).IPRange}} {{(index .IPAM.Config 0).AuxiliaryAddresses}}")
    assert shown == f"{subnet}.128/25 map[DefaultGatewayIPv4:{subnet}.254]"
    stack.docker("network", "create", "made")
    assert stack.docker("network", "inspect", "made", "--format", "{{.EnableIPv6}} {{json .Options}}") == (
        'true {"com.docker.network.driver.mtu":"1400","com.docker.network.enable_ipv6":"true"}')
    assert "mtu 1400" in stack.docker("run", "--rm", "--network", "made", "busybox", "ip", "link", "show", "eth0")


def test_the_address_of_the_default_bridge_in_ipv6(restarted):
    stack = restarted("--ipv6", "--bip6", "fd00:bb::7/64", "--fixed-cidr-v6", "fd00:bb::1:0/112")
    assert "fd00:bb::7/64" in run("ip", "-6", "-br", "address", "show", stack.bridge)
    stack.docker("run", "-d", "--name", "one", "busybox", "sleep", "120")
    endpoint = stack.inspect("one")["NetworkSettings"]["Networks"]["bridge"]
    assert endpoint["IPv6Gateway"] == "fd00:bb::7" and endpoint["GlobalIPv6Address"].startswith("fd00:bb::1:")
    assert "default via fd00:bb::7" in stack.docker("exec", "one", "ip", "-6", "route")


@pytest.mark.parametrize("flags, reached", [((), False), (("--allow-direct-routing",), True)])
def test_published_ports_at_the_containers_own_address(restarted, flags, reached):
    """From another network namespace of the host, which has a route to the container's network."""
    stack = restarted(*flags)
    serve(stack, "server", "-p", "127.0.0.1:8123:80", ports=(80, 81))
    host = stack.inspect("server")["NetworkSettings"]["Networks"]["bridge"]["IPAddress"]
    stack.docker("network", "create", "apart")
    stack.docker("run", "-d", "--name", "other", "--network", "apart", "busybox", "sleep", "120")

    def hears(port):
        script = f"for i in 1 2; do nc -w 1 {host} {port} </dev/null | grep here && break; done"
        return stack.docker("exec", "other", "sh", "-c", script, check=False) == "here"
    assert hears(80) == reached and not hears(81)


def test_links_open_exposed_ports_where_nothing_else_is(restarted):
    stack = restarted("--icc=false")
    serve(stack, "server", "--expose", "80", ports=(80, 81))
    host = stack.inspect("server")["NetworkSettings"]["Networks"]["bridge"]["IPAddress"]
    stack.docker("run", "-d", "--name", "linked", "--link", "server:alias", "busybox", "sleep", "120")
    stack.docker("run", "-d", "--name", "other", "busybox", "sleep", "120")

    def hears(client, place, port):
        script = f"for i in 1 2; do nc -w 1 {place} {port} </dev/null | grep here && break; done"
        return stack.docker("exec", client, "sh", "-c", script, check=False) == "here"
    assert hears("linked", "alias", 80) and hears("linked", host, 80)
    assert not hears("linked", host, 81) and not hears("other", host, 80)
    stack.docker("rm", "--link", "linked/alias")
    assert not hears("linked", host, 80)


def test_ports_are_published_without_rules(restarted):
    stack = restarted("--iptables=false")
    serve(stack, "server", "-p", "80")
    port = stack.inspect("server")["NetworkSettings"]["Ports"]["80/tcp"][0]["HostPort"]
    assert said("127.0.0.1", port) == said("::1", port) == b"here\n"


def test_without_a_default_bridge_there_is_no_network(restarted):
    stack = restarted("--bridge", "none")
    for flags in ((), ("--network", "bridge")):
        assert "eth0" not in stack.docker("run", "--rm", *flags, "busybox", "ip", "link")
