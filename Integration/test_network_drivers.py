# SPDX-License-Identifier: Apache-2.0
"""Networks of other drivers than bridge, what networks are made from, and how bridges and what lies beyond reach one another."""
import subprocess

import pytest

from harness import run, wait_until
from test_ipv6 import ANSWER, box, inspected, network  # noqa: F401
from test_network import HOST, OUTSIDE, Outside
from test_network_options import OPTION, create

HOST6, OUTSIDE6 = "fd00:77::1", "fd00:77::77"


@pytest.fixture
def uplink():
    """A pair of links that stands for a cable; one end is the host's."""
    run("ip", "link", "add", "up0", "type", "veth", "peer", "name", "up1")
    for end in ("up0", "up1"):
        run("ip", "link", "set", end, "up")
    yield "up0"
    run("ip", "link", "delete", "up0")


@pytest.fixture
def neighbour(stack):
    """Another host, with IPv6 as well, for which this one is the router to everywhere; runs commands there."""
    host = Outside(stack.subnet)
    run("ip", "-6", "address", "add", f"{HOST6}/64", "dev", "swtout0", "nodad")
    host("ip", "-6", "address", "add", f"{OUTSIDE6}/64", "dev", "eth0", "nodad")
    host("ip", "route", "add", "default", "via", HOST)
    host("ip", "-6", "route", "add", "default", "via", HOST6)
    yield host
    host.close()


def address(stack, container, name, key="IPAddress"):
    return stack.inspect(container)["NetworkSettings"]["Networks"][name][key]


ECHO = """
import socket
server = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
server.bind(("::", 53))
print("up", flush=True)
while True:
    message, sender = server.recvfrom(99)
    server.sendto(b"NAME", sender)
"""
ASK = """
import socket, sys
client = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
client.bind(("::", 40404))
client.settimeout(1)
client.sendto(b"?", (sys.argv[1], int(sys.argv[2])))
print(client.recv(99).decode())
"""
HEAR = "import socket, sys; print(socket.create_connection((sys.argv[1], int(sys.argv[2])), 1).makefile().read())"
LISTEN = """
import socket
server = socket.create_server(("", 9090))
print("up", flush=True)
print(server.accept()[1][0])
"""


def reaches(place, host, port):
    """Whether `here` is heard from there within a second."""
    return place("python3", "-c", HEAR, host, port, check=False).strip() == "here"


def expect(place, host, port):
    """That port may just be about to be served."""
    wait_until(lambda: reaches(place, host, port), 10, f"an answer of {host}:{port}")


# --- macvlan and ipvlan

def test_a_macvlan_network_is_the_parents_own(stack, network, box, uplink):
    run("ip", "address", "add", "10.98.1.1/24", "dev", "up1")
    name = network("-d", "macvlan", "--subnet", "10.98.1.0/24", "--gateway", "10.98.1.1", "-o", f"parent={uplink}")
    assert inspected(stack, name)["Options"] == {"parent": uplink}
    one = box("1", "--network", name, "--ip", "10.98.1.50")
    two = box("2", "--network", name, "--mac-address", "02:42:00:00:00:99")
    assert "macvlan mode bridge" in run("nsenter", "-t", stack.inspect(one)["State"]["Pid"], "-n", "ip", "-d", "link", "show", "eth0")
    assert "default via 10.98.1.1 dev eth0" in stack.docker("exec", one, "ip", "route")
    assert "02:42:00:00:00:99" in stack.docker("exec", two, "ip", "link", "show", "eth0")
    stack.docker("exec", two, "ping", "-c1", "-W5", one)
    stack.docker("network", "disconnect", name, two)
    assert "eth0" not in stack.docker("exec", two, "ip", "link")
    stack.docker("network", "connect", name, two)
    stack.docker("exec", two, "ping", "-c1", "-W5", "10.98.1.50")


@pytest.mark.parametrize("driver, options, text", [
    ("macvlan", {"parent": "lo"}, "loopback interface is not a valid macvlan parent link"),
    ("macvlan", {"parent": "nope"}, "invalid subinterface vlan name nope, example formatting is eth0.10"),
    ("macvlan", {"parent": "nope.10"}, "-o parent interface was not found on the host: nope"),
    ("macvlan", {"parent": "up0.9999"}, "vlan id must be between 1-4094, received: 9999"),
    ("macvlan", {"parent": "up0.x"}, "unable to parse a valid vlan id from: x (ex. eth0.10 for vlan 10)"),
    ("macvlan", {"parent": "up0.1.2"},
     "required interface name format is: name.vlan_id, ex. eth0.10 for vlan 10, instead received up0.1.2"),
    ("macvlan", {"macvlan_mode": "x"}, "requested macvlan mode 'x' is not valid, 'bridge' mode is the macvlan driver default"),
    ("ipvlan", {"ipvlan_mode": "x"}, "requested ipvlan mode 'x' is not valid, 'l2' mode is the ipvlan driver default"),
    ("ipvlan", {"ipvlan_flag": "x"}, "requested ipvlan flag 'x' is not valid, 'bridge' is the ipvlan driver default"),
    ("overlay", {}, 'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node '
     "to swarm and try again."),
    ("nope", {}, 'plugin "nope" not found'),
    ("host", {}, 'only one instance of "host" network is allowed'),
])
def test_drivers_and_parents_that_make_no_sense(stack, uplink, driver, options, text):
    assert create(stack, {"Name": "never", "Driver": driver, "Options": options}) == text


def test_a_parent_of_one_container_is_not_shared(stack, network, uplink):
    network("-d", "macvlan", "-o", f"parent={uplink}", "-o", "macvlan_mode=passthru")
    refused = create(stack, {"Name": "never", "Driver": "macvlan", "Options": {"parent": uplink}})
    assert f"is already using parent interface {uplink} in mode passthru" in refused


# --- configuration networks

def test_networks_are_made_from_a_configuration(stack, cli, network, box, container_name):
    source = network("--config-only", "--subnet", "10.98.2.0/24", "-o", "com.docker.network.driver.mtu=1300", "--label", "a=b", cli=cli)
    name = network("--config-from", source, cli=cli)
    made = inspected(stack, name)
    assert made["ConfigFrom"] == {"Network": source} and made["Labels"] == {"a": "b"}
    assert made["IPAM"]["Config"][0]["Subnet"] == "10.98.2.0/24"
    assert "mtu 1300" in stack.docker("exec", box("", "--network", name), "ip", "link", "show", "eth0")
    shown = inspected(stack, source)
    assert (shown["ConfigOnly"], shown["Driver"], shown["Containers"]) == (True, "null", {})
    assert f'configuration network "{source}" is in use' in cli("network", "rm", source, check=False).err
    refused = cli("run", "--name", container_name + "r", "--network", source, "busybox", "true", check=False)
    assert "cannot create endpoint on configuration-only network" in refused.err


@pytest.mark.parametrize("body, text", [
    ({"ConfigFrom": {"Network": "bridge"}}, 'configuration network "bridge" does not exist'),
    ({"ConfigOnly": True, "ConfigFrom": {"Network": "x"}},
     "a configuration network cannot depend on another configuration network"),
    ({"Scope": "swarm"}, "cannot create a swarm scoped network when swarm is not active"),
    ({"Ingress": True}, "Ingress network can only be global scope network"),
    ({"IPAM": {"Driver": "nope"}}, 'plugin "nope" not found'),
    ({"EnableIPv4": False}, "IPv4 or IPv6 must be enabled"),
    ({"IPAM": {"Config": [{"Subnet": "10.98.3.0/24", "Gateway": "10.98.3.0"}]}},
     "failed to allocate gateway (10.98.3.0): Address already in use"),
    ({"Options": {"com.docker.network.advertise_addr_ms": "99"}},
     "com.docker.network.advertise_addr_ms must be in the range 100 to 2000"),
])
def test_what_cannot_be_had(stack, body, text):
    assert create(stack, {"Name": "never", **body}) == text


# --- interfaces

def test_what_interfaces_are_called_and_how_they_are_set(stack, cli, network, box):
    plain, named = network(), network("-o", "com.docker.network.container_iface_prefix=lan")
    name = box("", "--network", f"name={plain},driver-opt=com.docker.network.endpoint.ifname=wan,"
               "driver-opt=com.docker.network.endpoint.sysctls=net.ipv4.conf.IFNAME.log_martians=1")
    stack.docker("network", "connect", named, name)
    links = stack.docker("exec", name, "ip", "-o", "link")
    assert " wan@" in links and " lan0@" in links
    assert stack.docker("exec", name, "cat", "/proc/sys/net/ipv4/conf/wan/log_martians") == "1"
    refused = cli("run", "--rm", "--network", f"name={plain},driver-opt=com.docker.network.endpoint.sysctls=net.ipv4.ip_forward=1",
                  "busybox", "true", check=False)
    assert "unrecognised network interface sysctl 'net.ipv4.ip_forward=1'" in refused.err


def test_the_default_route_is_the_network_with_the_highest_priority(stack, network, box):
    low, high = network("--subnet", "10.98.4.0/24"), network("--subnet", "10.98.5.0/24")
    name = box("", "--network", low)

    def route():
        return stack.docker("exec", name, "ip", "route").splitlines()[0].split()[2]
    assert route() == "10.98.4.1"
    stack.docker("network", "connect", "--gw-priority", "5", high, name)
    assert route() == "10.98.5.1"
    stack.docker("network", "disconnect", high, name)
    assert route() == "10.98.4.1"


def test_two_addresses_are_enough_for_two_containers(stack, network, box):
    name = network("--internal", "--subnet", "10.98.6.0/31", "-o", OPTION + "inhibit_ipv4=true")
    one, two = box("1", "--network", name), box("2", "--network", name)
    assert {address(stack, one, name), address(stack, two, name)} == {"10.98.6.0", "10.98.6.1"}
    stack.docker("exec", two, "ping", "-c1", "-W5", one)


def test_a_network_without_ipv4(stack, cli, network, box):
    name = network("--ipv4=false", "--ipv6", cli=cli)
    assert (inspected(stack, name)["EnableIPv4"], inspected(stack, name)["EnableIPv6"]) == (False, True)
    one, two = box("1", "--network", name), box("2", "--network", name)
    assert "inet " not in stack.docker("exec", one, "ip", "address", "show", "eth0")
    stack.docker("exec", two, "ping", "-6", "-c1", "-W5", one)


def test_a_container_without_ipv6_on_a_network_with_it(stack, network, box):
    name = network("--ipv6")
    box_ = box("", "--network", name, "--sysctl", "net.ipv6.conf.all.disable_ipv6=1")
    assert address(stack, box_, name, "GlobalIPv6Address") == ""
    plain = network()
    assert "inet6 ::1" in stack.docker("exec", box("2", "--network", plain), "ip", "address", "show", "lo")


def test_an_ipv6_address_on_a_network_without_it(stack, cli, network, container_name):
    refused = cli("run", "--name", container_name, "--network", network(), "--ip6", "fd00::5", "busybox", "true", check=False)
    assert "user specified IP address is supported only when connecting to networks with user configured subnets" in refused.err


# --- from another machine

def test_published_ports_from_another_machine(stack, network, box, neighbour):
    name = network("--ipv6", "--subnet", "10.98.7.0/24", "--subnet", "fd00:98:7::/64")
    server = box("", "--network", name, "-p", "18080:80", "-p", HOST + ":18081:80", "-p", f"[{HOST6}]:18082:80")
    stack.docker("exec", "-d", server, "sh", "-c", ANSWER)
    for host, port in ((HOST, 18080), (HOST6, 18080), (HOST, 18081), (HOST6, 18082)):
        expect(neighbour, host, port)
    for family, outside in (("-4", OUTSIDE), ("-6", OUTSIDE6)):
        stack.docker("exec", server, "ping", family, "-c1", "-W5", outside)
    inside = [address(stack, server, name), address(stack, server, name, "GlobalIPv6Address")]
    assert not any(reaches(neighbour, host, 80) for host in inside)


def test_datagrams_reach_the_container_that_has_the_port_now(stack, network, neighbour, container_name):
    name = network("--ipv6", "--subnet", "fd00:98:a::/64")
    for server in ("first", "second"):
        stack.docker("run", "-d", "--name", container_name, "--network", name, "-p", "18054:53/udp", "busybox", "sleep", "120")
        # One of the host's programs inside the container's network namespace stands for a server of its own.
        echo = subprocess.Popen(["nsenter", "--net", "--target", str(stack.inspect(container_name)["State"]["Pid"]),
                                 "python3", "-c", ECHO.replace("NAME", server)], stdout=subprocess.PIPE, text=True)
        assert echo.stdout.readline() == "up\n"
        # The same port each time: the kernel knows the flow and where it went.
        assert neighbour("python3", "-c", ASK, HOST6, 18054) == server
        echo.kill()
        echo.wait()
        stack.docker("rm", "-f", container_name)


def test_containers_reach_published_ports_by_the_hosts_address(stack, network, box, neighbour):
    ours, theirs = network("--subnet", "10.98.11.0/24"), network("--subnet", "10.98.12.0/24")
    server, peer, other = box("1", "--network", ours, "-p", "18083:80"), box("2", "--network", ours), box("3", "--network", theirs)
    stack.docker("exec", "-d", server, "sh", "-c", ANSWER)
    hear = f"for i in 1 2 3 4 5 6 7 8 9; do nc -w 1 {HOST} 18083 </dev/null | grep here && break; sleep 0.1; done"
    for container in (server, peer, other):
        assert stack.docker("exec", container, "sh", "-c", hear) == "here"


@pytest.mark.parametrize("mode", ["routed", "nat-unprotected"])
def test_who_has_a_route_reaches(stack, network, box, neighbour, mode):
    name = network("--ipv6", "--subnet", "10.98.8.0/24", "--subnet", "fd00:98:8::/64",
                   "-o", OPTION + "gateway_mode_ipv4=" + mode, "-o", OPTION + "gateway_mode_ipv6=" + mode)
    server = box("", "--network", name, "-p", "80")
    for port in (80, 81):
        stack.docker("exec", "-d", server, "sh", "-c", ANSWER.replace("80", str(port)))
    for host in (address(stack, server, name), address(stack, server, name, "GlobalIPv6Address")):
        expect(neighbour, host, 80)
        if mode == "routed":
            assert not reaches(neighbour, host, 81)
        else:
            expect(neighbour, host, 81)
    if mode == "routed":
        assert stack.inspect(server)["NetworkSettings"]["Ports"]["80/tcp"] == [
            {"HostIp": "0.0.0.0", "HostPort": ""}, {"HostIp": "::", "HostPort": ""}]


def test_a_trusted_link_reaches_published_ports_at_the_containers_address(stack, network, box, neighbour):
    name = network("--subnet", "10.98.9.0/24", "-o", OPTION + "trusted_host_interfaces=swtout0")
    server = box("", "--network", name, "-p", "80")
    for port in (80, 81):
        stack.docker("exec", "-d", server, "sh", "-c", ANSWER.replace("80", str(port)))
    host = address(stack, server, name)
    expect(neighbour, host, 80)
    assert not reaches(neighbour, host, 81)


def test_containers_leave_with_a_chosen_address(stack, network, box, neighbour):
    run("ip", "address", "add", "10.199.7.9/24", "dev", "swtout0")
    name = network("-o", "com.docker.network.host_ipv4=10.199.7.9")
    client = box("", "--network", name)
    server = subprocess.Popen(["nsenter", "--net", "--target", str(neighbour.process.pid), "python3", "-c", LISTEN],
                              stdout=subprocess.PIPE, text=True)
    assert server.stdout.readline() == "up\n"
    stack.docker("exec", client, "nc", "-w", "5", OUTSIDE, "9090", input="")
    assert server.communicate(timeout=10)[0] == "10.199.7.9\n"
