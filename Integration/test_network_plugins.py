# SPDX-License-Identifier: Apache-2.0
"""Networks that a plugin makes, and addresses that one gives: programs on sockets beside the daemon, by docker's protocol."""
import ipaddress
import json
import os
import time

import pytest

from harness import run, wait_until
from plugins import Plugin, plugged_stack


class Ledger:
    """What a plugin that gives addresses answers: subnets from a list, addresses from the end of each."""

    def __init__(self):
        self.subnets = {4: ["10.213.1.0/24", "10.213.2.0/24"], 6: ["fd00:213::/64"]}
        self.pools, self.failing = {}, set()

    def __call__(self, method, question):
        method = method.split(".")[1]
        if method in self.failing:
            return {"Error": f"no {method} today"}
        return getattr(self, method)(question)

    def GetCapabilities(self, question):
        return {"RequiresMACAddress": True}

    def GetDefaultAddressSpaces(self, question):
        return {"LocalDefaultAddressSpace": "here", "GlobalDefaultAddressSpace": "everywhere"}

    def RequestPool(self, question):
        assert question["AddressSpace"] == "here"
        free = [each for each in self.subnets[6 if question["V6"] else 4] if f"pool {each}" not in self.pools]
        subnet = question["Pool"] or free[0]
        self.pools[f"pool {subnet}"] = set()
        return {"PoolID": f"pool {subnet}", "Pool": subnet}

    def ReleasePool(self, question):
        assert not self.pools.pop(question["PoolID"]), "addresses are still lent"
        return {}

    def RequestAddress(self, question):
        taken = self.pools[question["PoolID"]]
        subnet = ipaddress.ip_network(question["PoolID"].split()[1])
        address = ipaddress.ip_address(question["Address"]) if question["Address"] else subnet[200]
        while str(address) in taken:
            if question["Address"]:
                return {"Error": f"{address} is taken"}
            address += 1
        taken.add(str(address))
        return {"Address": f"{address}/{subnet.prefixlen}"}

    def ReleaseAddress(self, question):
        self.pools[question["PoolID"]].remove(question["Address"])
        return {}


class Wires:
    """What a plugin with networks answers: bridges of its own, one for each network, and a veth pair for each endpoint."""

    def __init__(self):
        self.networks, self.endpoints, self.answers = {}, {}, {}
        self.gateways, self.failing = True, set()

    def __call__(self, method, question):
        method = method.split(".")[1]
        if method in self.failing:
            return {"Err": f"no {method} today"}
        return getattr(self, method, lambda question: (404, {}))(question)

    def GetCapabilities(self, question):
        return {"Scope": "local"}

    def CreateNetwork(self, question):
        name = "wire" + question["NetworkID"][:8]
        self.networks[question["NetworkID"]] = question
        run("ip", "link", "add", name, "type", "bridge")
        run("ip", "link", "set", name, "up")
        if self.gateways:
            run("ip", "address", "add", question["IPv4Data"][0]["Gateway"], "dev", name)
        return {}

    def DeleteNetwork(self, question):
        del self.networks[question["NetworkID"]]
        run("ip", "link", "del", "wire" + question["NetworkID"][:8])
        return {}

    def CreateEndpoint(self, question):
        self.endpoints[question["EndpointID"]] = question
        return {"Interface": {"MacAddress": "" if question["Interface"]["MacAddress"] else "a0:b1:c2:d3:e4:f5"}}

    def DeleteEndpoint(self, question):
        assert "joined" not in self.endpoints.pop(question["EndpointID"], {})
        run("ip", "link", "del", "in" + question["EndpointID"][:8], check=False)
        return {}

    def Join(self, question):
        endpoint = question["EndpointID"]
        assert os.path.exists(question["SandboxKey"])
        mac = self.endpoints[endpoint]["Interface"]["MacAddress"] or "a0:b1:c2:d3:e4:f5"
        run("ip", "link", "add", "out" + endpoint[:8], "type", "veth", "peer", "name", "in" + endpoint[:8], "address", mac)
        run("ip", "link", "set", "out" + endpoint[:8], "master", "wire" + question["NetworkID"][:8], "up")
        self.endpoints[endpoint]["joined"] = question["SandboxKey"]
        gateway = self.networks[question["NetworkID"]]["IPv4Data"][0]["Gateway"].split("/")[0]
        return {"InterfaceName": {"SrcName": "in" + endpoint[:8], "DstPrefix": "wire"},
                "Gateway": gateway if self.gateways else "",
                "StaticRoutes": [{"Destination": "10.99.0.0/16", "RouteType": 1},
                                 {"Destination": "10.98.0.0/16", "RouteType": 0, "NextHop": gateway},
                                 {"Destination": "fd00:99::/64", "RouteType": 1}], **self.answers}

    def Leave(self, question):
        if self.endpoints[question["EndpointID"]].pop("joined", None):
            run("ip", "link", "show", "in" + question["EndpointID"][:8])  # it is back where it was taken from
        return {}

    def ProgramExternalConnectivity(self, question):
        self.endpoints[question["EndpointID"]]["open"] = question["Options"]
        return {}

    def RevokeExternalConnectivity(self, question):
        del self.endpoints[question["EndpointID"]]["open"]
        return {}


@pytest.fixture(scope="module")
def plugged(scratch, images):
    """A daemon with the plugins `ledger` and `wires`."""
    stack = plugged_stack(scratch / "plugnet", images, "pln")
    stack.ledger, stack.wires = Ledger(), Wires()
    stack.plugin = Plugin(stack.plugins, "ledger", ["IpamDriver"], stack.ledger)
    stack.wiring = Plugin(stack.plugins, "wires", ["NetworkDriver"], stack.wires)
    yield stack
    stack.destroy()
    stack.plugin.stop()
    stack.wiring.stop()


@pytest.fixture
def network(plugged):
    name = "net" + os.urandom(4).hex()
    yield name
    plugged.ledger.failing, plugged.wires.failing = set(), set()
    plugged.wires.gateways, plugged.wires.answers = True, {}
    for container in plugged.docker("ps", "-aq", "--filter", f"network={name}").split():
        plugged.docker("rm", "-f", container)
    plugged.docker("network", "rm", name, check=False)
    wait_until(lambda: not plugged.ledger.pools, 10, "the end of all loans")
    wait_until(lambda: not plugged.wires.networks and not plugged.wires.endpoints, 10, "the end of all wires")


def address(plugged, container, network, field="IPAddress"):
    return plugged.inspect(container)["NetworkSettings"]["Networks"][network][field]


def test_life_of_a_network_with_lent_addresses(plugged, network):
    plugged.docker("network", "create", "--ipam-driver", "ledger", "--ipam-opt", "floor=2", network)
    shown = json.loads(plugged.docker("network", "inspect", network))[0]
    assert (shown["Driver"], shown["IPAM"]["Driver"], shown["IPAM"]["Options"]) == ("bridge", "ledger", {"floor": "2"})
    assert shown["IPAM"]["Config"] == [{"Subnet": "10.213.1.0/24", "Gateway": "10.213.1.200"}]
    assert plugged.plugin.calls("RequestPool")[-1]["Options"] == {"floor": "2"}
    first = plugged.docker("run", "-d", "--network", network, "--name", f"{network}a", "busybox", "sleep", "600")
    assert address(plugged, first, network) == "10.213.1.201"
    asked = plugged.plugin.calls("RequestAddress")[-1]["Options"]
    assert asked == {"com.docker.network.endpoint.macaddress": address(plugged, first, network, "MacAddress")}
    second = plugged.docker("run", "-d", "--network", network, "busybox", "sleep", "600")
    assert plugged.docker("exec", second, "ping", "-c1", "-w5", f"{network}a")
    assert "10.213.1.200" in plugged.docker("exec", second, "ip", "route")
    plugged.docker("stop", "-t", "0", first)
    wait_until(lambda: plugged.ledger.pools["pool 10.213.1.0/24"] == {"10.213.1.200", "10.213.1.202"}, 10, "the return")
    plugged.docker("start", first)
    assert address(plugged, first, network) == "10.213.1.201"
    plugged.docker("network", "disconnect", network, first)
    wait_until(lambda: "10.213.1.201" not in plugged.ledger.pools["pool 10.213.1.0/24"], 10, "the return")
    plugged.docker("network", "connect", network, first)
    assert address(plugged, first, network) == "10.213.1.201"
    plugged.docker("rm", "-f", first, second)
    plugged.docker("network", "rm", network)
    assert not plugged.ledger.pools


def test_what_the_user_wants_is_asked_for(plugged, network):
    plugged.docker("network", "create", "--ipam-driver", "ledger", "--subnet", "10.213.9.0/24", "--gateway", "10.213.9.7",
                   "--aux-address", "printer=10.213.9.8", "--ipv6", network)
    assert plugged.ledger.pools["pool 10.213.9.0/24"] == {"10.213.9.7", "10.213.9.8"}
    assert plugged.ledger.pools["pool fd00:213::/64"] == {"fd00:213::c8"}
    container = plugged.docker("run", "-d", "--network", network, "--ip", "10.213.9.55", "busybox", "sleep", "600")
    assert address(plugged, container, network) == "10.213.9.55"
    assert address(plugged, container, network, "GlobalIPv6Address") == "fd00:213::c9"
    answer = plugged.docker("run", "--rm", "--network", network, "--ip", "10.213.9.8", "busybox", check=False)
    assert "10.213.9.8 is taken" in answer.err
    assert plugged.ledger.pools["pool 10.213.9.0/24"] == {"10.213.9.7", "10.213.9.8", "10.213.9.55"}


def test_a_subnet_that_the_host_has_is_not_taken(plugged, network):
    plugged.ledger.subnets[4].insert(0, f"{plugged.subnet}.0/24")  # the default network's
    try:
        plugged.docker("network", "create", "--ipam-driver", "ledger", network)
        assert "10.213.1.0/24" in plugged.docker("network", "inspect", network)
        wait_until(lambda: list(plugged.ledger.pools) == ["pool 10.213.1.0/24"], 10, "the return")
    finally:
        plugged.ledger.subnets[4].pop(0)


def test_failures_leave_nothing_lent(plugged, network):
    for method in ("RequestPool", "RequestAddress"):
        plugged.ledger.failing = {method}
        answer = plugged.docker("network", "create", "--ipam-driver", "ledger", network, check=False)
        assert f"remote: no {method} today" in answer.err
        wait_until(lambda: not plugged.ledger.pools, 10, "the return")
    plugged.ledger.failing = set()
    plugged.docker("network", "create", "--ipam-driver", "ledger", network)
    answer = plugged.docker("network", "create", "--ipam-driver", "ledger", network, check=False)
    assert "already exists" in answer.err and len(plugged.ledger.pools) == 1
    # A start that fails behind the loan.
    plugged.docker("run", "--rm", "--network", network, "busybox", "/missing", check=False)
    wait_until(lambda: plugged.ledger.pools["pool 10.213.1.0/24"] == {"10.213.1.200"}, 10, "the return")
    plugged.ledger.failing = {"RequestAddress"}
    begin = time.monotonic()
    answer = plugged.docker("run", "--rm", "--network", network, "busybox", "true", check=False)
    assert "no RequestAddress today" in answer.err and time.monotonic() - begin < 10


def test_a_new_daemon_returns_what_ended_meanwhile(plugged, network):
    plugged.docker("network", "create", "--ipam-driver", "ledger", network)
    alive, gone = (plugged.docker("run", "-d", "--network", network, "busybox", "sleep", "600") for _ in range(2))
    pid = plugged.inspect(gone)["State"]["Pid"]
    plugged.kill_daemon()
    os.kill(pid, 9)
    plugged.start()
    wait_until(lambda: plugged.ledger.pools["pool 10.213.1.0/24"] == {"10.213.1.200", "10.213.1.201"}, 20, "the return")
    assert address(plugged, alive, network) == "10.213.1.201"


def test_one_that_is_not_there(plugged, network):
    answer = plugged.curl("/networks/create", "-H", "Content-Type: application/json", "-d",
                          json.dumps({"Name": network, "IPAM": {"Driver": "never"}}), "-w", "%{http_code}")
    assert 'plugin \\"never\\" not found' in answer and answer.endswith("404")


# --- Networks of plugins


def test_life_of_a_plugins_network(plugged, network):
    plugged.docker("network", "create", "-d", "wires", "-o", "colour=red", "--subnet", "10.214.1.0/24", network)
    shown = json.loads(plugged.docker("network", "inspect", network))[0]
    assert (shown["Driver"], shown["Scope"], shown["Options"]) == ("wires", "local", {"colour": "red"})
    made = plugged.wires.networks[shown["Id"]]
    assert made["Options"]["com.docker.network.generic"] == {"colour": "red"}
    assert made["IPv4Data"] == [{"AddressSpace": "LocalDefault", "Pool": "10.214.1.0/24", "Gateway": "10.214.1.1/24"}]
    first = plugged.docker("run", "-d", "--network", network, "--name", f"{network}a", "-p", "8099:80", "busybox", "sleep",
                           "600")
    settings = plugged.inspect(first)["NetworkSettings"]["Networks"][network]
    assert (settings["IPAddress"], settings["Gateway"], settings["MacAddress"]) == (
        "10.214.1.2", "10.214.1.1", "a0:b1:c2:d3:e4:f5")
    inside = plugged.docker("exec", first, "sh", "-c", "ip address show wire0; ip route").replace("\n", " ")
    assert "a0:b1:c2:d3:e4:f5" in inside and "inet 10.214.1.2/24" in inside
    assert "default via 10.214.1.1 dev wire0" in inside and "10.99.0.0/16 dev wire0" in inside
    assert "10.98.0.0/16 via 10.214.1.1 dev wire0" in inside
    assert "wires" in plugged.docker("info", "--format", "{{.Plugins.Network}}")
    endpoint = plugged.wires.endpoints[settings["EndpointID"]]
    assert [port["HostPort"] for port in endpoint["open"]["com.docker.network.portmap"]] == [8099]
    second = plugged.docker("run", "-d", "--network", network, "--ip", "10.214.1.77", "--mac-address", "02:00:00:00:00:07",
                            "busybox", "sleep", "600")
    assert address(plugged, second, network, "MacAddress") == "02:00:00:00:00:07"
    assert plugged.docker("exec", second, "ping", "-c1", "-w5", f"{network}a")
    answer = plugged.docker("run", "--rm", "--network", network, "--ip", "10.214.1.77", "busybox", check=False)
    assert "Address already in use" in answer.err
    plugged.docker("stop", "-t", "0", first)
    wait_until(lambda: len(plugged.wires.endpoints) == 1, 10, "the end of the endpoint")
    plugged.docker("start", first)
    assert plugged.docker("exec", first, "ping", "-c1", "-w5", "10.214.1.77")
    answer = plugged.docker("network", "rm", network, check=False)
    assert "has active endpoints" in answer.err
    plugged.docker("rm", "-f", first, second)
    plugged.docker("network", "rm", network)
    assert not plugged.wires.networks


def test_a_plugins_network_beside_others(plugged, network):
    plugged.docker("network", "create", "-d", "wires", "--subnet", "10.214.2.0/24", "--ipv6", "--subnet", "fd00:214::/64",
                   network)
    container = plugged.docker("run", "-d", "busybox", "sleep", "600")
    try:
        plugged.docker("network", "connect", network, container)
        shown = plugged.docker("exec", container, "ip", "address", "show", "wire0")
        assert "10.214.2.2" in shown and "fd00:214::2/64" in shown
        assert "fd00:99::/64 dev wire0" in plugged.docker("exec", container, "ip", "-6", "route")
        plugged.docker("network", "disconnect", "bridge", container)
        assert "default via 10.214.2.1 dev wire0" in plugged.docker("exec", container, "ip", "route")
        plugged.docker("network", "disconnect", network, container)
        assert "wire0" not in plugged.docker("exec", container, "ip", "link")
        wait_until(lambda: not plugged.wires.endpoints, 10, "the end of the endpoint")
    finally:
        plugged.docker("rm", "-f", container)


def test_a_network_that_leads_nowhere_gets_a_way_out(plugged, network):
    """As docker does: a bridge that all such containers have, where what they publish is reached."""
    plugged.wires.gateways = False
    plugged.docker("network", "create", "-d", "wires", "--subnet", "10.214.3.0/24", network)
    container = plugged.docker("run", "-d", "--network", network, "-p", "127.0.0.1:8098:80", "busybox", "httpd", "-f", "-h",
                               "/etc")
    try:
        routes = plugged.docker("exec", container, "ip", "route")
        assert "default via" in routes and "dev eth0" in routes and "10.214.3.0/24 dev wire0" in routes
        assert list(plugged.inspect(container)["NetworkSettings"]["Networks"]) == [network]
        assert "8098" in plugged.docker("port", container)
        wait_until(lambda: "root" in run("curl", "-s", "http://127.0.0.1:8098/passwd", check=False), 10, "an answer")
        assert plugged.docker("network", "inspect", "-f", "{{.Driver}}", "docker_gwbridge") == "bridge"
        plugged.docker("network", "connect", "bridge", container)
        assert plugged.docker("exec", container, "ip", "route").count("default via") == 1
        assert not json.loads(plugged.docker("network", "inspect", "docker_gwbridge"))[0]["Containers"]
        plugged.docker("network", "disconnect", "bridge", container)
        assert "default via" in plugged.docker("exec", container, "ip", "route")
        plugged.docker("restart", "-t", "0", container)
        plugged.docker("rm", "-f", container)
        plugged.wires.answers = {"DisableGatewayService": True}
        container = plugged.docker("run", "-d", "--network", network, "busybox", "sleep", "600")
        assert "default" not in plugged.docker("exec", container, "ip", "route")
    finally:
        plugged.docker("rm", "-f", container)
        plugged.docker("network", "rm", "docker_gwbridge")


def test_failures_of_a_plugins_network(plugged, network):
    plugged.wires.failing = {"CreateNetwork"}
    answer = plugged.docker("network", "create", "-d", "wires", network, check=False)
    assert "remote: no CreateNetwork today" in answer.err
    assert network not in plugged.docker("network", "ls")
    plugged.wires.failing = set()
    plugged.docker("network", "create", "-d", "wires", "--ipam-driver", "ledger", network)
    for method in ("CreateEndpoint", "Join", "ProgramExternalConnectivity"):
        plugged.wires.failing = {method}
        answer = plugged.docker("run", "--rm", "--network", network, "busybox", "true", check=False)
        assert f"remote: no {method} today" in answer.err
        plugged.wires.failing = set()
        wait_until(lambda: len(plugged.ledger.pools["pool 10.213.1.0/24"]) == 1, 10, "the return")
        wait_until(lambda: not plugged.wires.endpoints, 10, "the end of the endpoint")
    plugged.wires.answers = {"InterfaceName": {"SrcName": "missing", "DstPrefix": "wire"}}
    answer = plugged.docker("run", "--rm", "--network", network, "busybox", "true", check=False)
    assert 'failed to get link by name "missing"' in answer.err
    wait_until(lambda: not plugged.wires.endpoints, 10, "the end of the endpoint")
    plugged.wires.answers = {}
    plugged.docker("run", "--rm", "--network", network, "busybox", "true")


def test_a_new_daemon_unplugs_what_ended_meanwhile(plugged, network):
    plugged.docker("network", "create", "-d", "wires", "--subnet", "10.214.4.0/24", network)
    alive, gone = (plugged.docker("run", "-d", "--network", network, "busybox", "sleep", "600") for _ in range(2))
    pid = plugged.inspect(gone)["State"]["Pid"]
    plugged.kill_daemon()
    os.kill(pid, 9)
    plugged.start()
    wait_until(lambda: len(plugged.wires.endpoints) == 1, 20, "the end of the endpoint")
    assert plugged.docker("exec", alive, "ping", "-c1", "-w5", "10.214.4.1")
    plugged.docker("rm", "-f", alive)
    wait_until(lambda: not plugged.wires.endpoints, 10, "the end of the other")
