# SPDX-License-Identifier: Apache-2.0
"""What programs that drive an engine through its API expect, over versions of it, and what follows the end of a container."""
import json
import subprocess

import pytest

from harness import BIN, UnixConnection, run, wait_until


def ask(stack, method, path, body=None):
    """The status and the document of an answer."""
    connection = UnixConnection(stack.socket, timeout=20)
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    connection.request(method, path, data, {"Content-Type": "application/json"} if data is not None else {})
    answer = connection.getresponse()
    text = answer.read()
    return answer.status, json.loads(text.splitlines()[-1]) if text.startswith(b"{") else text


@pytest.fixture
def created(stack):
    """Makes containers and removes them."""
    made = []

    def create(version="", **body):
        status, answer = ask(stack, "POST", version + "/containers/create", {"Image": "busybox", **body})
        if status == 201:
            made.append(answer["Id"])
        return status, answer

    yield create
    if made:
        stack.docker("rm", "-f", "-v", *made)


def details(stack, answer):
    return json.loads(stack.docker("inspect", answer["Id"]))[0]


# --- Versions of the API


@pytest.mark.parametrize("version, mode", [("/v1.39", "shareable"), ("/v1.40", "private"), ("", "private")])
def test_before_1_40_memory_is_to_be_shared(stack, created, version, mode):
    assert details(stack, created(version)[1])["HostConfig"]["IpcMode"] == mode


@pytest.mark.parametrize("version, mount, text", [
    ("/v1.44", {"Type": "volume", "Source": "v", "VolumeOptions": {"Subpath": "a"}}, "VolumeOptions.Subpath needs API v1.45"),
    ("/v1.43", {"Type": "bind", "Source": "/tmp", "ReadOnly": True, "BindOptions": {"ReadOnlyForceRecursive": True}},
     "BindOptions.ReadOnlyForceRecursive needs API v1.44"),
    ("", {"Type": "bind", "Source": "/tmp", "TmpfsOptions": {}}, 'TmpfsOptions must not be specified on mount type "bind"'),
])
def test_a_mount_that_the_version_does_not_know(created, version, mount, text):
    status, answer = created(version, HostConfig={"Mounts": [{"Target": "/a", **mount}]})
    assert status == 400 and text in answer["message"]


def test_several_networks_at_creation_came_with_1_44(created):
    both = {"EndpointsConfig": {"one": {}, "two": {}}}
    status, answer = created("/v1.43", NetworkingConfig=both)
    assert status == 400 and "cannot be created with multiple network endpoints" in answer["message"]
    assert created("/v1.44", NetworkingConfig=both)[0] == 201


def test_a_limit_of_processes_in_an_update(stack, created):
    answer = created(HostConfig={"PidsLimit": 32})[1]
    path = f"/containers/{answer['Id']}/update"
    assert ask(stack, "POST", "/v1.24" + path, {"PidsLimit": 16})[0] == 200
    assert details(stack, answer)["HostConfig"]["PidsLimit"] == 32
    assert ask(stack, "POST", path, {"PidsLimit": -1})[0] == 200
    assert details(stack, answer)["HostConfig"]["PidsLimit"] == 0


def test_info_of_earlier_versions(stack):
    new, old, oldest = (ask(stack, "GET", version + "/info")[1] for version in ("", "/v1.48", "/v1.24"))
    assert "Expected" not in new["RuncCommit"] and old["RuncCommit"]["Expected"] == old["RuncCommit"]["ID"]
    assert old["BridgeNfIptables"] is False and "BridgeNfIptables" not in new
    assert oldest["ExecutionDriver"] == "<not supported>" and "seccomp" in oldest["SecurityOptions"]


def test_where_a_hardware_address_is_shown(stack, created):
    mac = "02:42:ac:11:00:42"
    answer = created(NetworkingConfig={"EndpointsConfig": {"bridge": {"MacAddress": mac}}})[1]
    assert details(stack, answer)["Config"]["MacAddress"] == mac
    assert "MacAddress" not in details(stack, created("/v1.43", NetworkingConfig={
        "EndpointsConfig": {"bridge": {"MacAddress": mac}}})[1])["Config"]


def test_a_working_directory_is_shown_without_its_slash(stack, created):
    assert details(stack, created(WorkingDir="/tmp/")[1])["Config"]["WorkingDir"] == "/tmp"


# --- Mounts


@pytest.fixture
def tree(tmp_path):
    """A directory with a file system mounted in it."""
    inner = tmp_path / "inner"
    inner.mkdir()
    run("mount", "-t", "tmpfs", "tmpfs", inner)
    yield tmp_path
    run("umount", inner)


@pytest.mark.parametrize("version, options, writable", [
    ("", {}, False), ("/v1.43", {}, True), ("", {"ReadOnlyNonRecursive": True}, True),
    ("", {"ReadOnlyForceRecursive": True}, False),
])
def test_what_is_mounted_below_a_read_only_bind(stack, created, tree, version, options, writable):
    mount = {"Type": "bind", "Source": str(tree), "Target": "/a", "ReadOnly": True, "BindOptions": options}
    answer = created(version, HostConfig={"Mounts": [mount]}, Cmd=["sh", "-c", "! touch /a/x && touch /a/inner/x"])[1]
    assert stack.docker("start", "-a", answer["Id"], check=False).code == (0 if writable else 1)


def test_a_bind_of_the_daemons_directory(stack, created):
    bind = f"{stack.root}:/a"
    mounts = details(stack, created(HostConfig={"Binds": [bind]})[1])["Mounts"]
    assert mounts[0]["Propagation"] == "rslave"
    status, answer = created(HostConfig={"Binds": [bind + ":private"]})
    assert status == 400 and "mount source is within the daemon root" in answer["message"]


def test_a_part_of_a_volume(stack, created):
    stack.docker("run", "--rm", "-v", "parts:/v", "busybox", "sh", "-c",
                 "mkdir /v/bin /v/there && ln -s / /v/out && ln -s there /v/in")

    def start(part, target, *command):
        mount = {"Type": "volume", "Source": "parts", "Target": target, "VolumeOptions": {"Subpath": part}}
        answer = created(HostConfig={"Mounts": [mount]}, Cmd=list(command))[1]
        return stack.docker("start", "-a", answer["Id"], check=False)

    assert "path concatenation escapes the base directory" in start("out", "/a", "true").err
    assert start("in", "/a", "true").code == 0
    assert start("bin", "/bin", "ls", "/bin/busybox") == "/bin/busybox"  # the image's content is copied into the part


def test_an_import_of_nothing_and_of_another_system(stack):
    assert ask(stack, "POST", "/images/create?fromSrc=-&repo=empty-import", b"")[0] == 200
    assert stack.docker("image", "inspect", "-f", "{{len .RootFS.Layers}}", "empty-import") == "1"
    stack.docker("rmi", "empty-import")
    status, answer = ask(stack, "POST", "/images/create?fromSrc=-&repo=other&platform=darwin/arm64", b"")
    assert status == 400 and "operating system is not supported" in answer["message"]


# --- The end of a container


def test_after_the_end_of_the_output_the_container_has_ended(stack, created):
    stack.docker("network", "create", "short-lived")
    try:
        for _ in range(5):
            answer = created(Cmd=["sh", "-c", "exit 3"], AttachStdout=True, HostConfig={"NetworkMode": "short-lived"})[1]
            attached = subprocess.Popen(
                ["curl", "-sN", "--unix-socket", stack.socket, "-X", "POST",
                 f"http://d/containers/{answer['Id']}/attach?stream=1&stdout=1"], stdout=subprocess.DEVNULL)
            ask(stack, "POST", f"/containers/{answer['Id']}/start")
            attached.wait(20)
            assert details(stack, answer)["State"]["ExitCode"] == 3
    finally:
        stack.docker("network", "rm", "short-lived")  # at once, while the last one may still be on its way out


def test_joining_a_container_that_does_not_run_is_no_conflict(stack, created):
    donor = created()[1]["Id"]
    status, answer = ask(stack, "POST", f"/containers/{created(HostConfig={'PidMode': 'container:' + donor})[1]['Id']}/start")
    assert status == 500 and f"{donor} is not running" in answer["message"]


def test_names_are_not_asked_of_the_own_name_server(stack):
    stack.docker("network", "create", "names")
    try:
        out = stack.docker("run", "--rm", "--network", "names", "--dns", "127.0.0.11", "busybox", "nslookup", "no.such.host",
                           check=False)
        assert "SERVFAIL" in out.out + out.err
    finally:
        stack.docker("network", "rm", "names")


# --- Several networks


def test_the_way_out_and_the_published_ports_go_with_it(stack, created):
    for name, subnet in [("way-b", "10.98.40.0/24"), ("way-a", "10.98.41.0/24"), ("way-c", "10.98.42.0/24")]:
        stack.docker("network", "create", "--subnet", subnet, name)
    try:
        stack.docker("run", "-d", "--name", "server", "--network", "way-b", "-p", "18087:80", "busybox",
                     "sh", "-c", "mkdir /w && echo here >/w/index.html && httpd -f -p 80 -h /w")

        def route():
            return stack.docker("exec", "server", "ip", "route").splitlines()[0].split()[2]

        def answers():
            return run("curl", "-s", "--max-time", "5", "http://127.0.0.1:18087/", check=False) == "here"

        wait_until(answers, 10, "the server")
        for change, gateway in [(("connect", "way-c"), "10.98.40.1"), (("connect", "way-a"), "10.98.41.1"),
                                (("disconnect", "way-a"), "10.98.40.1"), (("disconnect", "way-b"), "10.98.42.1")]:
            stack.docker("network", *change, "server")
            assert route() == gateway and answers(), change
            assert stack.docker("port", "server", "80").splitlines()[0] == "0.0.0.0:18087"
        # Each family goes its own way.
        stack.docker("network", "create", "--ipv4=false", "--ipv6", "--subnet", "fd00:98::/64", "way-6")
        stack.docker("network", "connect", "--gw-priority", "1", "way-6", "server")
        assert route() == "10.98.42.1" and answers()
        assert run("curl", "-s", "--max-time", "5", "http://[::1]:18087/", check=False) == "here"
        stack.docker("network", "disconnect", "way-6", "server")
        assert answers() and run("curl", "-s", "--max-time", "5", "http://[::1]:18087/", check=False) == "here"
        stack.docker("network", "disconnect", "way-c", "server")
        assert not answers() and stack.docker("port", "server") == ""
        stack.docker("network", "connect", "way-b", "server")
        assert answers() and stack.docker("port", "server", "80").splitlines()[0] == "0.0.0.0:18087"
    finally:
        stack.docker("rm", "-f", "server", check=False)
        stack.docker("network", "rm", "way-a", "way-b", "way-c")
        stack.docker("network", "rm", "way-6", check=False)


# --- The daemon


def test_a_killed_daemon_that_ends_its_containers_does_so_when_it_starts_again(own_stack):
    own_stack.stop()
    own_stack.flags += ["--live-restore=false"]
    own_stack.start()
    own_stack.docker("run", "-d", "--name", "once", "busybox", "sleep", "1000")
    own_stack.docker("run", "-d", "--name", "always", "--restart", "always", "busybox", "sleep", "1000")
    pid = own_stack.docker("inspect", "-f", "{{.State.Pid}}", "always")
    own_stack.kill_daemon()
    own_stack.start()
    state = "{{.State.Running}}"
    assert own_stack.docker("inspect", "-f", state, "once") == "false"
    wait_until(lambda: own_stack.docker("inspect", "-f", state, "always") == "true", 15, "the restart")
    assert own_stack.docker("inspect", "-f", "{{.State.Pid}}", "always") != pid


def test_health_is_unknown_again_after_a_start_of_the_daemon(own_stack):
    own_stack.docker("run", "-d", "--name", "box", "--health-cmd", "true", "--health-interval", "1s", "busybox", "sleep", "1000")
    status = ["inspect", "-f", "{{.State.Health.Status}}", "box"]
    wait_until(lambda: own_stack.docker(*status) == "healthy", 15, "a first probe")
    own_stack.docker("update", "--restart", "no", "box")
    own_stack.kill_daemon()
    own_stack.start()
    wait_until(lambda: own_stack.docker(*status) == "healthy", 15, "another probe")


def test_another_range_of_ipv6_for_the_default_network(own_stack):
    own_stack.stop()
    own_stack.flags += ["--ipv6", "--fixed-cidr-v6", "fd00:a::/64"]
    own_stack.start()
    own_stack.docker("run", "-d", "--name", "old", "busybox", "sleep", "1000")
    addresses = ["ip", "-6", "-br", "address", "show", own_stack.bridge]
    assert "fd00:a::1/64" in run(*addresses)
    own_stack.stop()
    own_stack.flags[-1] = "fd00:b::/64"
    own_stack.start()
    assert "fd00:a::1/64" in run(*addresses)  # one that runs has its gateway there
    own_stack.docker("restart", "-t", "0", "old")
    assert own_stack.docker("inspect", "-f", "{{.NetworkSettings.GlobalIPv6Address}}", "old").startswith("fd00:b::")
    own_stack.docker("stop", "-t", "0", "old")
    own_stack.stop()
    own_stack.flags[-1] = "fd00:c::/64"
    own_stack.start()
    assert "fd00:b::1/64" not in run(*addresses, check=False)


def test_an_export_of_a_running_container_mounts_no_layer_twice(stack, created):
    answer = created(Cmd=["sh", "-c", "echo x >/own; mount; sleep 1000"], HostConfig={"Binds": ["/tmp:/bound"]})[1]
    stack.docker("start", answer["Id"])
    wait_until(lambda: stack.docker("logs", answer["Id"]), 10, "the start")
    before = run("dmesg", check=False).count("lowerdir is in-use")
    names = run("tar", "-t", input=stack.docker("export", answer["Id"]).raw).splitlines()
    assert "own" in names and "bin/busybox" in names and "bound/" in names
    assert not [name for name in names if name.startswith(("bound/", "proc/")) and name not in ("bound/", "proc/")]
    assert run("dmesg", check=False).count("lowerdir is in-use") == before


def test_a_privileged_container_sees_the_hosts_control_groups(own_stack):
    own_stack.stop()
    own_stack.flags += ["--default-cgroupns-mode", "private"]
    own_stack.start()
    mode = ["inspect", "-f", "{{.HostConfig.CgroupnsMode}}"]
    own_stack.docker("create", "--name", "plain", "busybox")
    own_stack.docker("create", "--name", "privileged", "--privileged", "busybox")
    assert own_stack.docker(*mode, "plain") == "private"
    unified = own_stack.docker("info", "-f", "{{.CgroupVersion}}") == "2"
    assert own_stack.docker(*mode, "privileged") == ("private" if unified else "host")


@pytest.mark.parametrize("file, expected", [({"features": {"cdi": False}}, []), ({"cdi-spec-dirs": []}, []), ({}, None)])
def test_directories_of_devices(own_stack, tmp_path, file, expected):
    own_stack.stop()
    path = tmp_path / "daemon.json"
    path.write_text(json.dumps(file))
    own_stack.flags += ["--config-file", path]
    own_stack.start()
    shown = ask(own_stack, "GET", "/info")[1]["CDISpecDirs"]
    assert shown == (["/etc/cdi", "/var/run/cdi"] if expected is None else expected)


def test_what_is_set_twice_is_shown_without_passwords(tmp_path):
    path = tmp_path / "daemon.json"
    path.write_text(json.dumps({"proxies": {"http-proxy": "http://me:secret@h"}, "labels": ["a=b"], "mtu": 1400}))
    done = subprocess.run([str(BIN / "swrund"), "--validate", "--config-file", str(path), "--label", "c=d", "--mtu", "1300",
                           "--http-proxy", "http://me:hidden@h"], capture_output=True, text=True)
    assert done.returncode == 1
    assert "labels: (from flag: [c=d], from file: [a=b])" in done.stderr
    assert "mtu: (from flag: 1300, from file: 1400)" in done.stderr
    assert "http-proxy: (from flag: http://xxxxx:xxxxx@h, from file: http://xxxxx:xxxxx@h)" in done.stderr


def test_names_are_filtered_by_regular_expressions(stack):
    for name in ("expr-web-1", "expr-web-12", "expr-db-1"):
        stack.docker("create", "--name", name, "busybox", "true")
        stack.docker("volume", "create", name)
    try:
        def found(kind, pattern):
            shown = "{{.Names}}" if kind[0] == "ps" else "{{.Name}}"
            return sorted(stack.docker(*kind, "-f", f"name={pattern}", "--format", shown).split())
        for kind in (["ps", "-a"], ["volume", "ls"]):
            assert found(kind, "^/?expr-(web|db)-1$") == ["expr-db-1", "expr-web-1"]
            assert found(kind, r"expr-.*-\d{2}") == ["expr-web-12"]
            assert found(kind, "[") == []
        short = stack.docker("inspect", "-f", "{{.Id}}", "expr-db-1")[5:15]  # also of an ID any part counts
        assert stack.docker("ps", "-aq", "--no-trunc", "-f", f"id={short}")[5:15] == short
    finally:
        stack.docker("rm", "expr-web-1", "expr-web-12", "expr-db-1")
        stack.docker("volume", "rm", "expr-web-1", "expr-web-12", "expr-db-1")


@pytest.mark.parametrize("command, text", [
    ("ps -f is-task=maybe", "invalid filter 'is-task=[maybe]'"),
    ("ps -f publish=abc", 'error while looking up for publish abc: strconv.ParseUint: parsing "abc": invalid syntax'),
    ("ps -f expose=90-80/udp", "error while looking up for expose 90-80/udp: invalid range specified for port: 90-80"),
    ("ps -f publish=1:2", "filter for 'publish' should not contain ':': 1:2"),
    ("images -f reference=[", "syntax error in pattern"),
    ("network ls -f dangling=x", "invalid value for filter 'dangling', must be \"true\""),
    ("network create --config-only --internal never", "configuration network can only contain network specific fields"),
    ("create --network somewhere --ip bad busybox", "invalid IPv4 address: bad"),
    ("create --network name=somewhere,ip6=1.2.3.4 busybox", "invalid IPv6 address: 1.2.3.4"),
])
def test_what_makes_no_sense_is_refused(stack, command, text):
    refused = stack.docker(*command.split(), check=False)
    assert refused.code == 1 and text in refused.err
