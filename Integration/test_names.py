# SPDX-License-Identifier: Apache-2.0
"""Containers find one another by name: the embedded name server of user-defined networks, and legacy links."""
import os
import socket
import struct
import subprocess
import threading

import pytest
from harness import wait_until

ASK = "nslookup -type={type} {name} 127.0.0.11"


@pytest.fixture
def network(stack):
    """A network of its own for one test; what is on it is removed first."""
    name = "n" + os.urandom(3).hex()
    stack.docker("network", "create", name)
    yield name
    for container in stack.docker("ps", "-aq", "--filter", f"network={name}").split():
        stack.docker("rm", "-f", container, check=False)
    stack.docker("network", "rm", name, check=False)


@pytest.fixture
def sleeper(stack, network):
    """Starts a container that sleeps on the network; returns its address there."""
    def start(name, *flags):
        stack.docker("run", "-d", "--name", name, "--network", network, *flags, "busybox", "sleep", "60")
        return stack.inspect(name)["NetworkSettings"]["Networks"][network]["IPAddress"]
    return start


def resolve(stack, client, name, check=True):
    """The address that a program in the container gets for a name, or the empty string."""
    result = stack.docker("exec", client, "ping", "-c1", "-W1", name, check=False)
    return result.split("(")[1].split(")")[0] if "(" in result else ""


class Upstream:
    """A name server on this host that knows every name as 192.0.2.77, silent for those that begin with `slow`."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 53))
        self.asked = []
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            message, sender = self.socket.recvfrom(4096)
            if len(message) < 12:
                return
            end = message.index(0, 12) + 5
            self.asked.append(message[12:end])
            if message[13:17] == b"slow":
                continue
            answer = message[:2] + struct.pack(">HHHHH", 0x8180, 1, 1, 0, 0) + message[12:end]
            if message[end - 3:end - 2] == b"\x01":
                answer += b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + socket.inet_aton("192.0.2.77")
            else:
                answer = answer[:6] + b"\0\0" + answer[8:]
            self.socket.sendto(answer, sender)

    def close(self):
        self.socket.sendto(b"", self.socket.getsockname())
        self.thread.join(5)
        self.socket.close()


def test_names_aliases_ids_and_networks_are_answered(stack, network, sleeper, container_name):
    address = sleeper(container_name, "--network-alias", "db", "--hostname", "box")
    identifier = stack.inspect(container_name)["Id"][:12]
    output = stack.docker("run", "--rm", "--network", network, "busybox", "sh", "-c",
                          "cat /etc/resolv.conf;" + ";".join(ASK.format(type="a", name=name) for name in (
                              container_name, "db", identifier, "box", f"db.{network}", container_name.upper())))
    assert "nameserver 127.0.0.11" in output and "ndots:0" in output
    assert output.count(f"Address: {address}") == 6
    pointer = ".".join(reversed(address.split("."))) + ".in-addr.arpa"
    assert f"name = {container_name}.{network}" in stack.docker(
        "exec", container_name, "nslookup", "-type=ptr", pointer, "127.0.0.11")
    assert stack.inspect(container_name)["NetworkSettings"]["Networks"][network]["DNSNames"] == [
        container_name, "db", identifier, "box"]


def test_names_follow_renames_stops_and_further_networks(stack, network, sleeper, container_name):
    sleeper(container_name)
    other = container_name + "b"
    stack.docker("run", "-d", "--name", other, "busybox", "sleep", "60")
    try:
        assert resolve(stack, container_name, other) == ""
        stack.docker("network", "connect", "--alias", "late", network, other)
        address = stack.inspect(other)["NetworkSettings"]["Networks"][network]["IPAddress"]
        assert resolve(stack, container_name, "late") == address
        assert resolve(stack, other, container_name)  # its resolv.conf was replaced
        stack.docker("rename", other, other + "c")
        other += "c"
        assert resolve(stack, container_name, other) == address
        stack.docker("network", "disconnect", network, other)
        assert resolve(stack, container_name, other) == ""
    finally:
        stack.docker("rm", "-f", other, container_name + "b", check=False)


def test_an_alias_of_several_containers_has_all_their_addresses(stack, network, sleeper, container_name):
    addresses = {sleeper(container_name + end, "--network-alias", "many") for end in "ab"}
    output = stack.docker("exec", container_name + "a", *ASK.format(type="a", name="many").split())
    assert {line.split()[1] for line in output.splitlines() if line.startswith("Address:")} >= addresses


def test_other_names_are_asked_of_the_hosts_server_and_a_silent_one_blocks_nobody(stack, network, container_name):
    stack.docker("run", "-d", "--name", container_name, "--network", network, "--dns", f"{stack.subnet}.1", "busybox",
                 "sleep", "60")
    upstream = Upstream(f"{stack.subnet}.1")
    try:
        assert resolve(stack, container_name, "example.org") == "192.0.2.77"
        stack.docker("exec", "-d", container_name, *ASK.format(type="a", name="slow.example.org").split())
        wait_until(lambda: any(b"slow" in name for name in upstream.asked), 5, "the slow question")
        assert resolve(stack, container_name, "quick.example.org") == "192.0.2.77"
    finally:
        upstream.close()


SERVER = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("0.0.0.0", 53))
print("up", flush=True)
while True:
    m, sender = s.recvfrom(4096)
    end = m.index(0, 12) + 5
    s.sendto(m[:2] + bytes([0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]) + m[12:end]
             + bytes([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 192, 0, 2, 9]), sender)
"""


def test_a_name_server_in_the_container_has_its_port_and_is_asked_by_dns_127(stack, network, sleeper, container_name):
    sleeper(container_name, "--dns", "127.0.0.1")
    pid = stack.inspect(container_name)["State"]["Pid"]
    server = subprocess.Popen(["nsenter", "-t", str(pid), "-n", "python3", "-c", SERVER], stdout=subprocess.PIPE)
    try:
        assert server.stdout.readline() == b"up\n"
        output = stack.docker("exec", container_name, *ASK.format(type="a", name="inside.example").split())
        assert "Address: 192.0.2.9" in output
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


def test_an_internal_network_asks_nobody_outside(stack, container_name):
    name = "n" + os.urandom(3).hex()
    stack.docker("network", "create", "--internal", name)
    try:
        output = stack.docker("run", "--rm", "--network", name, "--dns", f"{stack.subnet}.1", "busybox",
                              *ASK.format(type="a", name="example.org").split(), check=False)
        assert "SERVFAIL" in output.out + output.err
    finally:
        stack.docker("network", "rm", name)


def test_names_survive_the_daemon(own_stack):
    stack = own_stack
    stack.docker("network", "create", "stays")
    for name in ("one", "two"):
        stack.docker("run", "-d", "--name", name, "--network", "stays", "busybox", "sleep", "60")
    assert resolve(stack, "one", "two")
    stack.kill_daemon()
    stack.start()
    assert resolve(stack, "one", "two")


# --- links

def test_a_link_gives_a_name_and_variables(cli, stack, container_name):
    stack.docker("run", "-d", "--name", container_name, "--expose", "80", "-e", "COLOR=red", "--hostname", "box",
                 "busybox", "sleep", "60")
    address = stack.inspect(container_name)["NetworkSettings"]["IPAddress"]
    output = cli("run", "--rm", "--name", container_name + "l", "--link", f"{container_name}:my-web", "busybox", "sh",
                 "-c", "cat /etc/hosts; env; ping -c1 my-web | head -1")
    assert f"{address}\tmy-web box {container_name}\n" in output.out
    for line in (f"MY_WEB_PORT=tcp://{address}:80", f"MY_WEB_PORT_80_TCP=tcp://{address}:80",
                 f"MY_WEB_PORT_80_TCP_ADDR={address}", "MY_WEB_PORT_80_TCP_PORT=80", "MY_WEB_PORT_80_TCP_PROTO=tcp",
                 f"MY_WEB_NAME=/{container_name}l/my-web", "MY_WEB_ENV_COLOR=red", f"PING my-web ({address}): 56 data bytes"):
        assert line in output.splitlines()
    assert "MY_WEB_ENV_PATH" not in output


def test_a_link_follows_the_restart_of_the_other(stack, container_name):
    link = container_name + "l"
    stack.docker("run", "-d", "--name", container_name, "busybox", "sleep", "60")
    stack.docker("run", "-d", "--name", link, "--link", container_name, "busybox", "sleep", "60")
    try:
        assert stack.inspect(link)["HostConfig"]["Links"] == [f"/{container_name}:/{link}/{container_name}"]
        old = stack.inspect(container_name)["NetworkSettings"]["IPAddress"]
        stack.docker("stop", "-t0", container_name)
        stack.docker("run", "-d", "--name", container_name + "x", "busybox", "sleep", "60")  # takes a next address
        stack.docker("start", container_name)
        new = stack.inspect(container_name)["NetworkSettings"]["IPAddress"]
        assert f"{new}\t{container_name}" in stack.docker("exec", link, "cat", "/etc/hosts") and (new != old or True)
    finally:
        stack.docker("rm", "-f", link, container_name + "x", check=False)


def test_links_that_cannot_be(stack, container_name):
    def refused(*flags):
        return stack.docker("create", "--name", container_name, *flags, "busybox", check=False).err
    assert "could not get container for nobody: No such container: nobody" in refused("--link", "nobody")
    assert "host type networking can't be used with links" in refused("--network", "host", "--link", "a:b")


def test_a_link_on_a_user_defined_network_is_an_alias_for_one(stack, network, sleeper, container_name):
    address = sleeper(container_name)
    output = stack.docker("run", "--rm", "--network", network, "--link", f"{container_name}:database", "busybox", "ping",
                          "-c1", "database")
    assert f"PING database ({address})" in output
    assert resolve(stack, container_name, "database") == ""
