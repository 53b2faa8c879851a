# SPDX-License-Identifier: Apache-2.0
"""Addresses that a plugin gives: a program on a socket beside the daemon, by docker's protocol."""
import ipaddress
import json
import os
import time

import pytest

from harness import Stack, wait_until
from plugins import Plugin


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


@pytest.fixture(scope="module")
def plugged(scratch, images):
    """A daemon that looks for plugins in a directory of its own, with the plugin `ledger` there."""
    directory = scratch / "plugnet"
    plugins = directory / "plugins"
    plugins.mkdir(parents=True)
    stack = Stack(directory, name="pln")
    config = directory / "daemon.json"
    config.write_text(json.dumps({"plugin-directories": [str(plugins)]}))
    stack.flags = ["--config-file", config]
    stack.plugins, stack.ledger = plugins, Ledger()
    stack.plugin = Plugin(plugins, "ledger", ["IpamDriver"], stack.ledger)
    stack.start()
    stack.docker("load", "-q", "-i", images / "archive" / "busybox.tar")
    yield stack
    stack.destroy()
    stack.plugin.stop()


@pytest.fixture
def network(plugged):
    name = "net" + os.urandom(4).hex()
    yield name
    plugged.ledger.failing = set()
    for container in plugged.docker("ps", "-aq", "--filter", f"network={name}").split():
        plugged.docker("rm", "-f", container)
    plugged.docker("network", "rm", name, check=False)
    wait_until(lambda: not plugged.ledger.pools, 10, "the end of all loans")


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
