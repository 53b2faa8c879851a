# SPDX-License-Identifier: Apache-2.0
"""What a network's maker can say about it: driver options and addresses, and docker's words for what makes no sense."""
import json

import pytest

from harness import run
from test_ipv6 import box, inspected, network  # noqa: F401

OPTION = "com.docker.network.bridge."


def create(stack, body):
    answer = stack.curl("/networks/create", "-X", "POST", "-H", "Content-Type: application/json", "-d", json.dumps(body))
    return json.loads(answer).get("message", "created")


@pytest.mark.parametrize("config, text", [
    ([{"Subnet": "x"}], "invalid subnet x: invalid CIDR block notation"),
    ([{"Subnet": "10.99.8.1/24"}], "invalid subnet 10.99.8.1/24: it should be 10.99.8.0/24"),
    ([{"Subnet": "10.99.8.0/24", "IPRange": "10.99.8.1/28"}], "invalid ip-range 10.99.8.1/28: it should be 10.99.8.0/28"),
    ([{"Subnet": "10.99.8.0/24", "IPRange": "10.99.9.0/28"}],
     "invalid ip-range 10.99.9.0/28: parent subnet 10.99.8.0/24 doesn't contain ip-range"),
    ([{"Subnet": "10.99.8.0/24", "Gateway": "x", "AuxiliaryAddresses": {"a": "10.99.9.5"}}],
     "* invalid gateway x: invalid address\n"
     "* invalid auxiliary address a: parent subnet 10.99.8.0/24 doesn't contain this address"),
])
def test_addresses_that_make_no_sense(stack, config, text):
    assert create(stack, {"Name": "never", "IPAM": {"Config": config}}) == "invalid network config:\n" + text


@pytest.mark.parametrize("option, value, text", [
    ("enable_icc", "x", f'failed to parse {OPTION}enable_icc value: x (strconv.ParseBool: parsing "x": invalid syntax)'),
    ("host_binding_ipv4", "x", f"failed to parse {OPTION}host_binding_ipv4 value: x (nil ip)"),
    ("gateway_mode_ipv4", "x", "unknown gateway mode x"),
    ("gateway_mode_ipv6", "isolated", "gateway mode 'isolated' can only be used for an internal network"),
])
def test_options_that_make_no_sense(stack, option, value, text):
    assert create(stack, {"Name": "never", "Options": {OPTION + option: value}}) == text


def test_containers_that_do_not_reach_one_another(stack, network, box):
    name = network("-o", OPTION + "enable_icc=false")
    one, two = box("1", "--network", name), box("2", "--network", name)
    gateway = inspected(stack, name)["IPAM"]["Config"][0]["Gateway"]
    stack.docker("exec", two, "ping", "-c1", "-W5", gateway)
    assert stack.docker("exec", two, "ping", "-c1", "-W1", one, check=False).code == 1


def test_nothing_is_masqueraded_and_ports_are_bound_to_an_address(stack, network, box):
    name = network("-o", OPTION + "enable_ip_masquerade=false", "-o", OPTION + "host_binding_ipv4=127.0.0.1")
    subnet = inspected(stack, name)["IPAM"]["Config"][0]["Subnet"]
    assert f"ip saddr {subnet} oifname" not in run("nft", "list", "ruleset")
    published = box("", "--network", name, "-p", "80")
    assert [entry["HostIp"] for entry in stack.inspect(published)["NetworkSettings"]["Ports"]["80/tcp"]] == ["127.0.0.1"]


def test_an_isolated_network_has_no_address_on_the_host(stack, network, box):
    name = network("--internal", "--ipv6", "--subnet", "fd00:e::/64", "-o", OPTION + "gateway_mode_ipv4=isolated",
                   "-o", OPTION + "gateway_mode_ipv6=isolated")
    bridge = "br-" + inspected(stack, name)["Id"][:12]
    one, two = box("1", "--network", name), box("2", "--network", name)
    assert "inet" not in run("ip", "address", "show", "dev", bridge)
    for family in ("-4", "-6"):
        stack.docker("exec", two, "ping", family, "-c1", "-W5", one)


def test_ipv6_addresses_kept_free(stack, network, box):
    name = network("--ipv6", "--subnet", "fd00:f::/64", "--aux-address", "printer=fd00:f::2")
    first = stack.inspect(box("", "--network", name))["NetworkSettings"]["Networks"][name]["GlobalIPv6Address"]
    assert first == "fd00:f::3"
    assert inspected(stack, name)["IPAM"]["Config"][1]["AuxiliaryAddresses"] == {"printer": "fd00:f::2"}


def test_a_wanted_address_that_no_subnet_has(stack, network):
    name = network("--subnet", "10.99.7.0/24")
    refused = stack.docker("run", "--rm", "--network", name, "--ip", "10.99.6.1", "busybox", "true", check=False)
    assert refused.code == 125
    assert "endpoint settings:\nno configured subnet or ip-range contain the IP address 10.99.6.1" in refused.err
