# SPDX-License-Identifier: Apache-2.0
"""What users of docker find after a stop, in mounts, links, ports and execs."""
import json
import time

import pytest


@pytest.fixture
def made(stack):
    """Names of containers, networks and volumes to remove afterwards."""
    names = {"container": [], "network": [], "volume": []}
    yield names
    for name in names["container"]:
        stack.docker("rm", "-f", "-v", name, check=False)
    for kind in ("network", "volume"):
        for name in names[kind]:
            stack.docker(kind, "rm", name, check=False)


@pytest.fixture
def run_named(stack, made):
    """Runs a container in the background under a name, with a sleep unless told otherwise."""
    def run_one(name, *options, image="busybox", command=("sleep", "600"), **more):
        made["container"].append(name)
        return stack.docker("run", "-d", "--name", name, *options, image, *command, **more)
    return run_one


@pytest.mark.parametrize("end", [("stop", "-t", "0"), ("kill",)])
def test_the_port_is_free_when_stop_returns(stack, run_named, end):
    run_named("port-one", "-p", "127.0.0.1:18431:80")
    assert run_named("port-two", "-p", "127.0.0.1:18431:80", check=False).code == 125
    for first, second in [("port-one", "port-two"), ("port-two", "port-one")] * 4:
        stack.docker(*end, first)
        stack.docker("start", second)


def test_the_port_is_free_when_wait_returns(stack, run_named):
    for _ in range(5):
        run_named("port-run", "-p", "127.0.0.1:18432:80", command=("true",))
        stack.docker("wait", "port-run")
        run_named("port-run2", "-p", "127.0.0.1:18432:80", command=("true",))
        stack.docker("wait", "port-run2")
        stack.docker("rm", "port-run", "port-run2")


def test_a_port_that_is_asked_for_comes_before_one_that_is_looked_for(stack, run_named):
    run_named("port-any", "-p", "127.0.0.1::80")
    number = int(stack.docker("port", "port-any", "80").rpartition(":")[2])
    run_named("port-both", "-p", "127.0.0.1::80", "-p", f"127.0.0.1:{number + 1}:8080")
    assert stack.docker("port", "port-both", "8080").endswith(f":{number + 1}")


def test_ps_by_published_and_exposed_ports(stack, run_named):
    one = run_named("ps-one", "-p", "127.0.0.1:18433:80", "--expose", "9000/udp")

    def found(*filters):
        return stack.docker("ps", "-q", "--no-trunc", *[word for text in filters for word in ("--filter", text)]).split()
    assert found("publish=18433") == found("expose=80/tcp") == found("expose=9000/udp") == found("publish=18000-19000") == [one]
    assert found("publish=80") == found("expose=18433") == found("publish=18433/udp") == []


def test_mounts_of_other_containers(stack, run_named, made):
    run_named("mounts-a", "-v", "/data", command=("touch", "/data/a"))
    run_named("mounts-b", "-v", "/data", command=("touch", "/data/b"))
    for name in ("mounts-a", "mounts-b"):
        stack.docker("wait", name)
    listed = ("--rm", "-v", "/data", "busybox", "ls", "/data")
    assert stack.docker("run", "--volumes-from", "mounts-a", *listed) == "a"
    assert stack.docker("run", "--volumes-from", "mounts-a", "--volumes-from", "mounts-b", *listed) == "b"
    refused = stack.docker("run", "--rm", "--volumes-from", "mounts-a:nocopy", "busybox", check=False)
    assert refused.code == 125 and "invalid mode: nocopy" in refused.err


def test_a_volume_at_etc_leaves_the_configuration_files(stack):
    out = stack.docker("run", "--rm", "--dns", "9.8.7.6", "-h", "named", "-v", "/etc", "busybox", "sh", "-c",
                       "cat /etc/resolv.conf /etc/hostname")
    assert "nameserver 9.8.7.6" in out and "named" in out


def test_a_host_name_with_a_domain_has_its_short_form(stack):
    out = stack.docker("run", "--rm", "-h", "box.example.com", "busybox", "cat", "/etc/hosts")
    assert out.endswith("\tbox.example.com box")


def test_a_directory_without_devices_is_no_device(stack, tmp_path):
    refused = stack.docker("run", "--rm", "--device", str(tmp_path), "busybox", "true", check=False)
    assert refused.code == 125
    assert f'error gathering device information while adding custom device "{tmp_path}": not a device node' in refused.err


class TestExecs:
    def test_environment(self, stack, run_named):
        run_named("exec-db", "-e", "SECRET=1")
        run_named("exec-web", "-t", "--link", "exec-db:db")
        variables = stack.docker("exec", "exec-web", "env").splitlines()
        assert not [line for line in variables if line.startswith("TERM=")]
        assert "DB_NAME=/exec-web/db" in variables and "DB_ENV_SECRET=1" in variables
        assert "TERM=xterm" in stack.docker("exec", "-t", "exec-web", "env")

    def test_an_exec_that_never_ran_ends_with_the_run(self, stack, run_named):
        run_named("exec-old")
        answer = stack.curl("/containers/exec-old/exec", "-X", "POST", "-H", "Content-Type: application/json", "-d",
                            '{"Cmd": ["true"], "AttachStdout": true}')
        identifier = json.loads(answer)["Id"]
        stack.docker("stop", "-t", "0", "exec-old")
        for _ in range(2):
            answer = stack.curl(f"/exec/{identifier}/start", "-X", "POST", "-H", "Content-Type: application/json", "-d", "{}")
            assert json.loads(answer)["message"] == f"No such exec instance: {identifier}"
            stack.docker("start", "exec-old")

    def test_execs_go_with_their_container(self, stack, run_named):
        run_named("exec-gone")
        answer = stack.curl("/containers/exec-gone/exec", "-X", "POST", "-H", "Content-Type: application/json", "-d",
                            '{"Cmd": ["true"], "AttachStdout": true}')
        identifier = json.loads(answer)["Id"]
        stack.curl(f"/exec/{identifier}/start", "-X", "POST", "-H", "Content-Type: application/json", "-d", '{"Detach": true}')
        assert json.loads(stack.curl(f"/exec/{identifier}/json"))["ID"] == identifier
        stack.docker("rm", "-f", "exec-gone")
        assert "No such exec instance" in json.loads(stack.curl(f"/exec/{identifier}/json"))["message"]


class TestNetworks:
    def test_a_container_does_not_join_itself(self, stack, run_named):
        refused = run_named("selfish", "--network", "container:selfish", check=False)
        assert refused.code == 125 and "cannot join own network namespace" in refused.err

    @pytest.mark.parametrize("mode", ["container", "container:"])
    def test_nobodys_network(self, stack, mode):
        body = json.dumps({"Image": "busybox", "HostConfig": {"NetworkMode": mode}})
        answer = stack.curl("/containers/create", "-X", "POST", "-H", "Content-Type: application/json", "-d", body)
        assert "invalid container format container:<name|id>" in json.loads(answer)["message"]

    def test_a_link_to_a_container_in_anothers_network(self, stack, run_named):
        run_named("net-owner")
        run_named("net-guest", "--network", "container:net-owner")
        address = stack.docker("inspect", "-f", "{{.NetworkSettings.IPAddress}}", "net-owner")
        run_named("net-link", "--link", "net-guest:peer")
        assert f"{address}\tpeer" in stack.docker("exec", "net-link", "cat", "/etc/hosts")
        run_named("net-guests-guest", "--network", "container:net-guest")
        for command in (["ip", "-o", "addr", "show", "eth0"], ["cat", "/etc/hosts"]):
            assert stack.docker("exec", "net-guests-guest", *command) == stack.docker("exec", "net-owner", *command)

    def test_names_with_dots(self, stack, run_named, made):
        made["network"].append("dotted.net")
        stack.docker("network", "create", "dotted.net")
        run_named("one.box", "--network", "dotted.net")
        for name in ("one.box", "one.box.dotted.net"):
            assert "Address" in stack.docker("run", "--rm", "--network", "dotted.net", "busybox", "nslookup", name)

    def test_what_excludes_other_networks(self, stack, run_named, made):
        made["network"].append("further")
        stack.docker("network", "create", "further")
        run_named("net-none", "--network", "none")
        run_named("net-base")
        run_named("net-joined", "--network", "container:net-base")
        for name, text in [
            ("net-none", "container cannot be connected to multiple networks with one of the networks in private (none) mode"),
            ("net-joined", "container sharing network namespace with another container or host cannot be connected to any "
                           "other network"),
        ]:
            refused = stack.docker("network", "connect", "further", name, check=False)
            assert refused.code == 1 and text in refused.err
        refused = stack.docker("network", "connect", "host", "net-base", check=False)
        assert "cannot connect container to host network" in refused.err
        stack.docker("network", "disconnect", "none", "net-none")
        stack.docker("network", "connect", "further", "net-none")
        assert "eth0" in stack.docker("exec", "net-none", "ip", "addr")

    def test_a_second_connect_of_a_stopped_container_changes_nothing(self, stack, made):
        made["network"].append("twice")
        made["container"].append("net-twice")
        stack.docker("network", "create", "twice")
        stack.docker("create", "--name", "net-twice", "busybox", "true")
        for _ in range(2):
            stack.docker("network", "connect", "twice", "net-twice")
        assert set(stack.inspect("net-twice")["NetworkSettings"]["Networks"]) == {"bridge", "twice"}

    def test_a_network_that_is_no_more_is_left(self, stack, made):
        made["container"].append("net-left")
        stack.docker("network", "create", "short-lived")
        stack.docker("create", "--name", "net-left", "--network", "short-lived", "busybox", "true")
        stack.docker("network", "rm", "short-lived")
        stack.docker("network", "disconnect", "-f", "short-lived", "net-left")
        assert "short-lived" not in stack.inspect("net-left")["NetworkSettings"]["Networks"]

    @pytest.mark.parametrize("settings, text", [
        ({"Aliases": ["other"]}, "network-scoped alias is supported only for containers in user defined networks"),
        ({"IPAMConfig": {"IPv4Address": "10.9.9.9"}}, "user specified IP address is supported on user defined networks only"),
        ({"IPAMConfig": {"LinkLocalIPs": ["10.9.9.9"]}}, "invalid link local IP address: 10.9.9.9"),
    ])
    @pytest.mark.parametrize("network", ["bridge", "none"])
    def test_settings_that_docker_s_own_networks_refuse(self, stack, made, network, settings, text):
        if network == "none" and "link local" in text:
            return
        made["container"].append("net-settings")
        body = {"Image": "busybox", "Cmd": ["true"], "HostConfig": {"NetworkMode": network},
                "NetworkingConfig": {"EndpointsConfig": {network: settings}}}
        answer = json.loads(stack.curl("/containers/create?name=net-settings", "-X", "POST", "-H",
                                       "Content-Type: application/json", "-d", json.dumps(body)))
        if "Id" in answer:
            answer = json.loads(stack.curl(f"/containers/{answer['Id']}/start", "-X", "POST"))
        assert text in answer["message"]


class TestAPI:
    def test_options(self, stack):
        assert stack.curl("/anything", "-X", "OPTIONS", "-o", "/dev/null", "-w", "%{http_code}") == "200"

    def test_events_until_now_are_all_that_are_kept(self, stack):
        stack.docker("run", "--rm", "--name", "told", "busybox", "true")
        out = stack.docker("events", "--filter", "container=told", "--until", f"{time.time():.6f}")
        assert "container create" in out and "container destroy" in out

    def test_an_upgrade_header_alone_upgrades(self, stack, run_named):
        run_named("upgraded", "-i", command=("cat",))
        head = stack.curl("/containers/upgraded/attach?stream=1&stdout=1", "-X", "POST", "-H", "Upgrade: tcp", "-D", "-",
                          "--max-time", "1", "-o", "/dev/null", check=False)
        assert head.splitlines()[0].startswith("HTTP/1.1 101")

    def test_a_flag_beside_other_values_counts(self, stack):
        assert stack.docker("image", "prune", "-f", "--filter", "dangling=x").code == 0

    def test_a_save_is_told(self, stack, tmp_path):
        since = f"{time.time():.6f}"
        stack.docker("save", "-o", tmp_path / "saved.tar", "busybox")
        identifier = stack.inspect("busybox")["Id"]
        out = stack.docker("events", "--since", since, "--until", f"{time.time():.6f}", "--filter", "event=save",
                           "--format", "{{.Actor.ID}}")
        assert out == identifier

    def test_containers_of_images_that_differ_in_settings_alone(self, stack, run_named):
        run_named("ancestor-one", command=("true",))
        stack.docker("commit", "-c", "LABEL a=b", "ancestor-one", "relabelled")
        try:
            one = run_named("ancestor-two", image="relabelled", command=("true",))
            assert one in stack.docker("ps", "-aq", "--no-trunc", "--filter", "ancestor=busybox").split()
        finally:
            stack.docker("rm", "-f", "ancestor-two")
            stack.docker("rmi", "relabelled")

    def test_profiles_that_say_a_thing_twice(self, stack, tmp_path):
        rule = {"name": "chmod", "names": ["fchmod"], "action": "SCMP_ACT_ERRNO"}
        for profile, text in [
            ({"syscalls": [rule]}, "use either 'name' or 'names'"),
            ({"architectures": ["SCMP_ARCH_X86"], "archMap": [{"architecture": "SCMP_ARCH_X86_64"}]},
             "use either 'architectures' or 'archMap'"),
        ]:
            path = tmp_path / "profile.json"
            path.write_text(json.dumps({"defaultAction": "SCMP_ACT_ALLOW", **profile}))
            refused = stack.docker("run", "--rm", "--security-opt", f"seccomp={path}", "busybox", "true", check=False)
            assert refused.code == 125 and text in refused.err


class TestClients:
    """docker's client and ours do the same."""

    def test_every_port_there_is(self, cli, made, container_name):
        made["container"].append(container_name)
        cli("create", "--name", container_name, "-p", "1-65535:1-65535/tcp", "busybox", "true", timeout=60)
        assert len(json.loads(cli("inspect", container_name))[0]["HostConfig"]["PortBindings"]) == 65535

    def test_sets_in_templates(self, cli, made, container_name):
        made["container"].append(container_name)
        cli("create", "--name", container_name, "-v", "/data", "--expose", "80", "busybox", "true")
        assert cli("inspect", "-f", "{{.Config.Volumes}} {{.Config.ExposedPorts}}", container_name) == "map[/data:{}] map[80/tcp:{}]"

    def test_copies_go_where_links_lead(self, cli, run_named, container_name, tmp_path):
        run_named(container_name, command=("sh", "-c", "echo text > /file; ln -s /file /link; mkdir /dir; echo x > /dir/x"))
        cli("wait", container_name)
        (tmp_path / "old").write_text("old")
        for link, target in [("to-file", "old"), ("to-nothing", "new"), ("to-directory", "made")]:
            (tmp_path / link).symlink_to(target)
        for link, target in [("to-file", "old"), ("to-nothing", "new")]:
            cli("cp", f"{container_name}:/file", tmp_path / link)
            assert (tmp_path / link).is_symlink() and (tmp_path / target).read_text() == "text\n"
        cli("cp", f"{container_name}:/dir", tmp_path / "to-directory")
        assert (tmp_path / "to-directory").is_symlink() and (tmp_path / "made" / "x").read_text() == "x\n"
        cli("cp", "-L", f"{container_name}:/link", tmp_path)
        assert not (tmp_path / "link").is_symlink() and (tmp_path / "link").read_text() == "text\n"

    def test_an_image_by_its_bare_id(self, cli, made, container_name):
        made["container"].append(container_name)
        identifier = cli("image", "inspect", "-f", "{{.Id}}", "busybox").partition(":")[2]
        assert cli("run", "--name", container_name, identifier, "echo", "text") == "text"
        refused = cli("create", identifier[::-1], check=False)
        assert refused.code == 1 and "No such image" in refused.err and "Unable to find" not in refused.err

    def test_a_bad_template_for_events_is_refused_at_once(self, cli):
        refused = cli("events", "--format", "{{.noSuchField}}", check=False, timeout=10)
        assert refused.code == 64 and "can't evaluate field noSuchField in type *events.Message" in refused.err
        assert cli("events", "--format", "{{.Actor.Attributes.name}} {{.Time}}", "--since", "0", "--until", f"{time.time():.0f}").code == 0

    def test_names_of_fields_and_what_is_left_out(self, cli, made, container_name):
        made["container"].append(container_name)
        cli("create", "--name", container_name, "--dns", "9.8.7.6", "--health-cmd", "true", "--health-interval", "5s", "busybox", "true")
        out = cli("inspect", "-f", "{{.ID}} {{.HostConfig.DNS}} {{.HostConfig.NanoCPUs}} {{.SizeRw}} {{.Config.Healthcheck.Retries}} "
                                   "{{.Config.Healthcheck.Timeout}}", container_name)
        assert out == cli("inspect", "-f", "{{.Id}}", container_name) + " [9.8.7.6] 0 <nil> 0 0s"
        assert cli("network", "inspect", "-f", "{{.ID}}", "bridge") == cli("network", "inspect", "-f", "{{.Id}}", "bridge")

    @pytest.mark.parametrize("format, text", [
        ("{{nosuch .}}", 'function "nosuch" not defined'), ("{{.noSuchField}}", "can't evaluate field noSuchField"),
    ])
    def test_bad_templates_for_events_have_a_code_of_their_own(self, cli, format, text):
        refused = cli("events", "--format", format, check=False, timeout=10)
        assert refused.code == 64 and "Error parsing format: template: :1:" in refused.err and text in refused.err

    def test_all_events_since_the_beginning(self, cli):
        cli("run", "--rm", "--name", "since-zero", "busybox", "true")
        assert "container start" in cli("events", "--since", "0", "--until", f"{time.time():.6f}", "-f", "container=since-zero")

    def test_a_name_server_that_containers_do_not_reach(self, cli):
        result = cli("run", "--rm", "--dns", "127.0.0.5", "busybox", "true")
        assert "WARNING: Localhost DNS" in result.err and "127.0.0.5) may fail in containers." in result.err

    def test_the_same_mount_twice_is_once(self, cli, tmp_path):
        (tmp_path / "file").write_text("text")
        assert cli("run", "--rm", "-v", f"{tmp_path}:/m", "-v", f"{tmp_path}:/m", "busybox", "cat", "/m/file") == "text"
