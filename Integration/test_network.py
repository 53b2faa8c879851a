# SPDX-License-Identifier: Apache-2.0
"""The default network, published ports, other networks: as seen from containers, this host and another host.

"Another host" is a network namespace joined to ours by a veth pair; it has a route to the containers' subnet, as a
machine on the same Ethernet could have.
"""
import json
import os
import socket
import subprocess
import threading
import time

import pytest
from harness import BIN, run, wait_until

HOST, OUTSIDE = "10.199.7.1", "10.199.7.2"
FETCH = ["timeout", "3", "wget", "-qO-"]  # busybox's own "wget -T" crashes
SERVE = "mkdir -p /w && cd /w && echo hello-$HOSTNAME > index.html && exec httpd -f -p {port}"


class Outside:
    """The other host."""

    def __init__(self, subnet):
        self.process = subprocess.Popen(["unshare", "-n", "sleep", "infinity"])
        pid = self.process.pid
        wait_until(lambda: os.readlink(f"/proc/{pid}/ns/net") != os.readlink("/proc/self/ns/net"), 5, "a namespace")
        run("ip", "link", "add", "swtout0", "type", "veth", "peer", "name", "eth0", "netns", pid)
        run("ip", "addr", "add", f"{HOST}/24", "dev", "swtout0")
        run("ip", "link", "set", "swtout0", "up")
        for command in (["addr", "add", f"{OUTSIDE}/24", "dev", "eth0"], ["link", "set", "eth0", "up"],
                        ["link", "set", "lo", "up"], ["route", "add", f"{subnet}.0/24", "via", HOST]):
            self("ip", *command)

    def __call__(self, *command, **options):
        return run("nsenter", "-t", self.process.pid, "-n", *command, **options)

    def close(self):
        run("ip", "link", "del", "swtout0", check=False)
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def outside(stack):
    host = Outside(stack.subnet)
    yield host
    host.close()


@pytest.fixture
def server(stack, container_name):
    """Starts a web server in a container; returns its address."""
    def start(*flags, port=80):
        stack.docker("run", "-d", "--name", container_name, *flags, "busybox", "sh", "-c", SERVE.format(port=port))
        address = stack.docker("inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", container_name)
        wait_until(lambda: get(f"http://{address}:{port}/"), 10, "the server")
        return str(address)
    return start


def get(url, where=run, seconds=2):
    """The answer's text, or the empty string if there is none."""
    result = where("curl", "-sf", "--max-time", str(seconds), url, check=False)
    return result.strip() if result.code == 0 else ""


def table(stack):
    return run("nft", "list", "table", "ip", f"swrun_{stack.bridge}", check=False)


# --- inside a container

def test_a_container_has_an_address_a_default_route_and_ipv6_for_itself_alone(cli, stack):
    output = cli("run", "--rm", "busybox", "sh", "-c", "ip -o -4 addr show eth0; ip route; ip -6 addr show eth0 | wc -l;"
                 "cat /proc/sys/net/ipv6/conf/eth0/disable_ipv6 /proc/sys/net/ipv6/conf/lo/disable_ipv6")
    assert f"inet {stack.subnet}." in output
    assert f"default via {stack.subnet}.1 dev eth0" in output
    assert output.split("\n")[-3:] == ["0", "1", "0"]


def test_hosts_hostname_and_resolv_conf(cli, stack, container_name):
    output = cli("run", "--name", container_name, "--hostname", "box", "--dns", "9.9.9.9", "--dns-search", "example.org",
                 "busybox", "sh", "-c", "cat /etc/hosts; cat /etc/hostname; cat /etc/resolv.conf; ping -c1 box | head -1")
    assert "nameserver 9.9.9.9" in output and "search example.org" in output
    assert "\nbox\n" in output
    assert f"PING box ({stack.subnet}." in output


def test_an_edited_resolv_conf_is_left_alone(stack, container_name):
    stack.docker("run", "-d", "--name", container_name, "busybox", "sleep", "1000")
    stack.docker("network", "create", container_name)
    try:
        def joined(command):
            stack.docker("exec", container_name, "sh", "-c", command)
            stack.docker("network", "connect", container_name, container_name)
            stack.docker("network", "disconnect", container_name, container_name)
            return stack.docker("exec", container_name, "cat", "/etc/resolv.conf")

        assert joined("echo nameserver 9.9.9.9 >/etc/resolv.conf") == "nameserver 9.9.9.9"
        stack.docker("restart", "-t", "0", container_name)
        assert "nameserver 127.0.0.11" in joined("true")
    finally:
        stack.docker("rm", "-f", container_name)
        stack.docker("network", "rm", container_name)


def test_two_containers_reach_each_other_by_address(stack, cli, server):
    address = server()
    assert cli("run", "--rm", "busybox", "wget", "-qO-", f"http://{address}/").startswith("hello-")


def test_a_container_reaches_other_hosts_with_the_hosts_address(stack, outside):
    listener = subprocess.Popen(["nsenter", "-t", str(outside.process.pid), "-n", "python3", "-c", (
        "import socket\ns = socket.create_server(('0.0.0.0', 9099))\nprint('up', flush=True)\n"
        "c, a = s.accept()\nc.sendall(a[0].encode())\nc.close()")], stdout=subprocess.PIPE)
    assert listener.stdout.readline() == b"up\n"
    try:
        assert stack.docker("run", "--rm", "busybox", "nc", OUTSIDE, "9099") == HOST
    finally:
        listener.kill()
        listener.wait()
        listener.stdout.close()


def test_network_none_has_only_loopback(cli):
    assert cli("run", "--rm", "--network", "none", "busybox", "sh", "-c", "ls /sys/class/net | grep -vE 'tunl|sit|ifb|ip6|gre|erspan'; ip route") == "lo"


def test_network_host_is_the_hosts(cli):
    inside = cli("run", "--rm", "--network", "host", "busybox", "readlink", "/proc/self/ns/net")
    assert inside == os.readlink("/proc/self/ns/net")


def test_network_of_another_container(stack, cli, server, container_name):
    server()
    assert cli("run", "--rm", "--network", f"container:{container_name}", "busybox", "wget", "-qO-", "http://127.0.0.1/").startswith("hello-")


# --- published ports

def test_a_published_port_answers_on_every_address_of_the_host(stack, server, outside):
    server("-p", "18080:80")
    assert get("http://127.0.0.1:18080/").startswith("hello-")
    assert get(f"http://{HOST}:18080/").startswith("hello-")
    assert get(f"http://{stack.subnet}.1:18080/").startswith("hello-")
    assert get(f"http://{HOST}:18080/", outside).startswith("hello-")


def test_a_published_port_answers_other_containers_and_the_container_itself(stack, server, container_name):
    server("-p", "18080:80")
    assert stack.docker("run", "--rm", "busybox", "wget", "-qO-", f"http://{stack.subnet}.1:18080/").startswith("hello-")
    assert stack.docker("exec", container_name, *FETCH, f"http://{stack.subnet}.1:18080/").startswith("hello-")


def test_a_port_published_on_loopback_is_for_this_host_only(stack, server, outside):
    server("-p", "127.0.0.1:18081:80")
    assert get("http://127.0.0.1:18081/").startswith("hello-")
    assert not get(f"http://{HOST}:18081/", outside)
    # Another host can send to our 127.0.0.1 if it wants to: the address is only a convention on the wire.
    outside("ip", "addr", "flush", "dev", "lo")
    for name in ("all", "eth0"):
        outside("sysctl", "-qw", f"net.ipv4.conf.{name}.route_localnet=1")
    outside("ip", "route", "add", "127.0.0.0/8", "via", HOST, "dev", "eth0", "src", OUTSIDE)
    try:
        assert not get("http://127.0.0.1:18081/", outside)
    finally:
        outside("ip", "route", "del", "127.0.0.0/8")
        outside("ip", "addr", "add", "127.0.0.1/8", "dev", "lo")


def test_what_is_not_published_is_out_of_reach_for_other_hosts(stack, server, outside):
    address = server("-p", "18082:80", port=81)
    assert not get(f"http://{address}:81/", outside)
    assert not get(f"http://{HOST}:81/", outside)


def test_a_container_cannot_reach_the_hosts_loopback(stack, server, container_name):
    server("-p", "18083:80")  # route_localnet is on for the bridge from here on
    with socket.create_server(("127.0.0.1", 18999)):
        result = stack.docker("run", "--rm", "--cap-add", "NET_ADMIN", "busybox", "sh", "-c", (
            "ip addr del 127.0.0.1/8 dev lo; ip route add 127.0.0.0/8 via %s.1 dev eth0;"
            "nc -w 2 127.0.0.1 18999 </dev/null && echo reached || echo refused") % stack.subnet)
    assert result.endswith("refused")


@pytest.mark.parametrize("family, address", [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_udp(stack, container_name, family, address):
    stack.docker("run", "-d", "--name", container_name, "-p", "18053:53/udp", "busybox", "sleep", "1000")
    # busybox has no UDP server: one of the host's, inside the container's network namespace, stands for it.
    server = subprocess.Popen(["nsenter", "-t", str(stack.inspect(container_name)["State"]["Pid"]), "-n", "python3", "-c", (
        "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.bind(('0.0.0.0', 53))\n"
        "while True: s.sendto(*s.recvfrom(100))")])
    with socket.socket(family, socket.SOCK_DGRAM) as client:
        client.settimeout(0.5)

        def echoed():
            client.sendto(b"ping", (address, 18053))
            try:
                return client.recv(100) == b"ping"
            except OSError:
                return False
        try:
            wait_until(echoed, 10, "an echo")
        finally:
            server.kill()
            server.wait()


def test_the_host_chooses_a_port(stack, server, container_name):
    server("-p", "80")
    port = stack.docker("port", container_name, "80/tcp").split("\n")[0].rsplit(":", 1)[1]
    assert int(port) >= 32768
    assert get(f"http://127.0.0.1:{port}/").startswith("hello-")


def test_ports_end_with_the_container(stack, server, container_name):
    server("-p", "18084:80")
    stack.docker("rm", "-f", container_name)
    assert not get("http://127.0.0.1:18084/")
    assert ". 18084 :" not in table(stack)
    socket.create_server(("0.0.0.0", 18084)).close()


def test_a_port_of_another_container_is_refused(stack, cli, server, container_name):
    server("-p", "18085:80")
    result = cli("run", "--rm", "-p", "18085:80", "busybox", "true", check=False)
    assert result.code == 125
    assert "driver failed programming external connectivity on endpoint" in result.err
    assert "Bind for 0.0.0.0:18085 failed: port is already allocated" in result.err


def test_a_port_of_another_program_is_refused(stack, cli):
    with socket.create_server(("127.0.0.1", 18086)):
        result = cli("run", "--rm", "-p", "18086:80", "busybox", "true", check=False)
    assert result.code == 125
    assert "failed to bind host port 0.0.0.0:18086/tcp: address already in use" in result.err


def test_another_program_cannot_take_a_published_port(server):
    server("-p", "18087:80")
    with pytest.raises(OSError):
        socket.create_server(("0.0.0.0", 18087))


# --- reliability

def test_rules_come_back_after_a_flush(stack, server):
    server("-p", "18088:80")
    run("nft", "flush", "ruleset")
    wait_until(lambda: get("http://127.0.0.1:18088/"), 5, "the published port after a flush")


def test_a_daemon_in_a_pid_namespace_knows_its_own_transactions(tmp_path):
    """The kernel names their maker by its id in the host's namespace; taken for others' they would never end."""
    log = tmp_path / "log"
    environment = {**os.environ, "DOCKER_HOST": f"unix://{tmp_path}/d.sock"}
    with open(log, "wb") as output:
        daemon = subprocess.Popen(
            ["unshare", "--pid", "--fork", "--kill-child", "--mount", "--mount-proc", BIN / "swrund",
             "--data-root", tmp_path / "root", "--exec-root", tmp_path / "state", "-H", f"unix://{tmp_path}/d.sock",
             "--pidfile", tmp_path / "pid", "--bridge", "swpidns", "--bip", "10.202.7.1/24"],
            stdout=output, stderr=output, stdin=subprocess.DEVNULL)
    try:
        wait_until(lambda: run("docker", "version", env=environment, check=False).code == 0, 30, "the daemon")
        for name in ("one", "two"):
            run("docker", "network", "create", name, env=environment)
            run("docker", "network", "rm", name, env=environment)
        time.sleep(1.5)
        assert "removed our firewall rules" not in log.read_text()
        run("nft", "delete", "table", "ip", "swrun_swpidns")
        wait_until(lambda: "removed our firewall rules" in log.read_text(), 5, "the restoration")
        time.sleep(1.5)
        assert log.read_text().count("removed our firewall rules") == 1
        run("nft", "list", "table", "ip", "swrun_swpidns")
    finally:
        daemon.kill()
        daemon.wait()
        wait_until(lambda: run("ip", "link", "del", "swpidns", check=False).code == 0, 5, "the bridge's removal")
        run("nft", "delete", "table", "ip", "swrun_swpidns")


def test_an_mtu_that_no_link_can_have_is_refused(stack, cli):
    result = run(BIN / "swrund", "--mtu", "-1", check=False)
    assert result.code == 1 and "invalid default MTU: -1" in result.err
    option = "com.docker.network.driver.mtu"
    for value in ("-1", "99999999999", "x"):
        result = cli("network", "create", "-o", f"{option}={value}", "wide", check=False)
        assert result.code == 1 and f"invalid MTU number: {value}" in result.err
    cli("network", "create", "-o", f"{option}=1400", "-o", "com.docker.network.bridge.name=swmtu0", "narrow")
    try:
        assert " mtu 1400 " in run("ip", "link", "show", "swmtu0")
        assert cli("run", "--rm", "--network", "narrow", "busybox", "cat", "/sys/class/net/eth0/mtu") == "1400"
    finally:
        cli("network", "rm", "narrow")


def test_ports_and_addresses_survive_the_death_of_the_daemon(own_stack):
    stack = own_stack
    stack.docker("run", "-d", "--name", "web", "-p", "18090:80", "busybox", "sh", "-c", SERVE.format(port=80))
    wait_until(lambda: get("http://127.0.0.1:18090/"), 10, "the server")
    before = stack.inspect("web")["NetworkSettings"]
    stack.kill_daemon()
    assert get("http://127.0.0.1:18090/").startswith("hello-")
    stack.start()
    assert get("http://127.0.0.1:18090/").startswith("hello-")
    after = stack.inspect("web")["NetworkSettings"]
    assert (after["IPAddress"], after["Ports"]) == (before["IPAddress"], before["Ports"])
    result = stack.docker("run", "--rm", "-p", "18090:80", "busybox", "true", check=False)
    assert "port is already allocated" in result.err


def test_a_container_that_ended_while_the_daemon_was_dead_leaves_nothing(own_stack):
    stack = own_stack
    stack.docker("run", "-d", "--name", "web", "-p", "18091:80", "busybox", "sleep", "1000")
    pid = stack.inspect("web")["State"]["Pid"]
    stack.kill_daemon()
    os.kill(pid, 9)
    stack.start()
    wait_until(lambda: stack.docker("inspect", "-f", "{{.State.Status}}", "web") == "exited", 10, "the exit")
    wait_until(lambda: not os.listdir(stack.state / "netns"), 10, "the namespace's removal")
    assert "18091" not in table(stack)
    socket.create_server(("0.0.0.0", 18091)).close()


def test_many_at_once_get_different_addresses(stack):
    results = []

    def start():
        results.append(stack.docker("run", "--rm", "busybox", "sh", "-c",
                                    "ip -o -4 addr show eth0 | awk '{print $4}'; sleep 2", check=False))
    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(results)) == 8 and all(result.startswith(stack.subnet) for result in results), results


# --- the networks themselves

def test_networks_that_no_driver_makes_are_refused(cli):
    for flags, text in [
            (["--driver", "nosuch"], 'plugin "nosuch" not found'),
            (["--subnet", "10.9.1.0/24", "--subnet", "10.9.2.0/24"], "bridge driver doesn't support multiple subnets")]:
        refused = cli("network", "create", *flags, "never", check=False)
        assert refused.code == 1 and refused.err == f"Error response from daemon: {text}\n"


def test_the_three_networks_that_always_exist(cli):
    listed = {line.split()[1]: line.split()[2:] for line in cli("network", "ls").splitlines()[1:]}
    assert listed["bridge"] == ["bridge", "local"]
    assert listed["host"] == ["host", "local"]
    assert listed["none"] == ["null", "local"]


def test_inspection_of_the_default_network(stack, cli, server, container_name):
    address = server()
    network = json.loads(cli("network", "inspect", "bridge"))[0]
    assert network["IPAM"]["Config"] == [{"Subnet": f"{stack.subnet}.0/24", "Gateway": f"{stack.subnet}.1"}]
    endpoint = next(value for value in network["Containers"].values() if value["Name"] == container_name)
    assert endpoint["IPv4Address"] == f"{address}/24"
    assert endpoint["MacAddress"] == "02:42:" + ":".join(f"{int(part):02x}" for part in address.split("."))


def test_a_network_of_ones_own(stack, cli):
    name = "net" + os.urandom(3).hex()
    identifier = cli("network", "create", "--label", "a=b", name)
    try:
        network = json.loads(cli("network", "inspect", name))[0]
        assert (network["Id"], network["Labels"]) == (identifier, {"a": "b"})
        prefix = network["IPAM"]["Config"][0]["Subnet"].rsplit(".", 1)[0]
        assert cli("run", "--rm", "--network", name, "busybox", "ip", "route").startswith(f"default via {prefix}.1")
        result = cli("network", "create", name, check=False)
        assert result.code == 1 and f"network with name {name} already exists" in result.err
    finally:
        assert cli("network", "rm", name) == name
    assert name not in cli("network", "ls", "--format", "{{.Name}}").splitlines()


def test_a_running_container_joins_and_leaves_a_network(stack, cli, container_name):
    name = "net" + os.urandom(3).hex()
    stack.docker("network", "create", name)
    try:
        stack.docker("run", "-d", "--name", container_name, "busybox", "sleep", "1000")
        cli("network", "connect", name, container_name)
        addresses = cli("inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}", container_name).split()
        output = cli("exec", container_name, "ip", "-o", "-4", "addr")
        assert len(addresses) == 2 and all(address + "/" in output for address in addresses) and "eth1" in output
        assert "already exists in network" in cli("network", "connect", name, container_name, check=False).err
        stack.docker("restart", "-t", "0", container_name)
        assert "eth1" in cli("exec", container_name, "ip", "-o", "-4", "addr")
        cli("network", "disconnect", name, container_name)
        assert "eth1" not in cli("exec", container_name, "ip", "-o", "-4", "addr")
        assert "is not connected to network" in cli("network", "disconnect", name, container_name, check=False).err
    finally:
        stack.docker("rm", "-f", container_name)
        stack.docker("network", "rm", name)


def test_networks_are_kept_apart(stack, server, container_name):
    name = "net" + os.urandom(3).hex()
    address = server()
    stack.docker("network", "create", name)
    try:
        result = stack.docker("run", "--rm", "--init", "--network", name, "busybox", *FETCH, f"http://{address}/",
                              check=False)
        assert result.code == 143, result.err  # timeout(1) ended it: nothing answered, not even with a refusal
    finally:
        stack.docker("network", "rm", name)


def test_a_network_in_use_and_a_builtin_one_cannot_be_removed(stack, cli, container_name):
    name = "net" + os.urandom(3).hex()
    stack.docker("network", "create", name)
    try:
        stack.docker("run", "-d", "--name", container_name, "--network", name, "busybox", "sleep", "1000")
        result = cli("network", "rm", name, check=False)
        assert result.code == 1 and "has active endpoints" in result.err
        assert "pre-defined network and cannot be removed" in cli("network", "rm", "bridge", check=False).err
    finally:
        stack.docker("rm", "-f", container_name)
        stack.docker("network", "rm", name)


def test_a_container_off_its_first_network_stays_off(stack, cli, container_name):
    name = "net" + os.urandom(3).hex()
    stack.docker("network", "create", name)
    try:
        def networks():
            return cli("inspect", "-f", "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}", container_name).split()

        stack.docker("run", "-d", "--name", container_name, "busybox", "sleep", "1000")
        cli("network", "connect", name, container_name)
        cli("network", "disconnect", "bridge", container_name)
        assert networks() == [name]
        stack.docker("restart", "-t", "0", container_name)
        assert networks() == [name]
        stack.docker("stop", "-t", "0", container_name)
        assert networks() == [name]
        assert container_name in cli("ps", "-a", "--filter", f"network={name}", "--format", "{{.Names}}").split()
        cli("network", "disconnect", name, container_name)
        cli("network", "connect", "bridge", container_name)
        stack.docker("start", container_name)
        assert networks() == ["bridge"]
        assert "eth0" in stack.docker("exec", container_name, "ip", "addr")
    finally:
        stack.docker("rm", "-f", container_name, check=False)
        stack.docker("network", "rm", name)
