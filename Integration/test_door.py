# SPDX-License-Identifier: Apache-2.0
"""The daemon's door: TCP with TLS, sockets from systemd, reloading, authorization plugins, sockets with less power."""
import base64
import json
import signal
import socket
import subprocess
import time

import pytest

from harness import BIN, Stack, run, wait_until
from http_proxy import Proxy
from plugins import Plugin

PORTS = {"tls": 23760, "verify": 23761, "plain": 23750}


@pytest.fixture(scope="module")
def keys(scratch):
    """A certificate authority with a server's and a client's certificate, and a client's of another authority."""
    path = scratch / "keys"
    for name in ("", "other"):
        (path / name).mkdir(parents=True)
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=ca", "-keyout",
            "ca-key.pem", "-out", "ca.pem", cwd=path / name)
        for who, use in (("server", "serverAuth"), ("client", "clientAuth")):
            directory = path / name / who
            directory.mkdir()
            (directory / "ca.pem").write_text((path / name / "ca.pem").read_text())
            (directory / "ext").write_text(f"subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage={use}\n")
            run("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={who}", "-keyout", "key.pem", "-out",
                "csr", cwd=directory)
            run("openssl", "x509", "-req", "-in", "csr", "-CA", "../ca.pem", "-CAkey", "../ca-key.pem", "-days", "2",
                "-extfile", "ext", "-out", "cert.pem", cwd=directory)
    return path


@pytest.fixture(scope="module")
def door(scratch, keys, images):
    """One daemon with everything: mutual TLS on TCP, three unix sockets, a plugin."""
    directory = scratch / "door"
    plugins = directory / "plugins"
    plugins.mkdir(parents=True)
    stack = Stack(directory, name="door")
    stack.config = directory / "daemon.json"
    stack.sockets = {name: directory / f"{name}.sock" for name in ("reader", "watcher", "team")}
    stack.plugin = Plugin(plugins, "judge", ["authz"], lambda method, question: {"Allow": True})
    server = keys / "server"
    stack.settings = {
        "hosts": [f"unix://{stack.socket}", f"tcp://127.0.0.1:{PORTS['verify']}",
                  *[f"unix://{path}" for path in stack.sockets.values()]],
        "tlsverify": True, "tlscacert": str(keys / "ca.pem"), "tlscert": str(server / "cert.pem"),
        "tlskey": str(server / "key.pem"),
        "socket-policies": {f"unix://{stack.sockets['reader']}": {"access": "read-only"},
                            f"unix://{stack.sockets['watcher']}": {"access": "events"},
                            f"unix://{stack.sockets['team']}": {"label": "team=blue"}},
        "plugin-directories": [str(plugins)], "labels": ["first=1"],
        "default-ulimits": {"nofile": {"Name": "nofile", "Soft": 300, "Hard": 400}}, "no-new-privileges": True,
        "default-ipc-mode": "shareable", "log-opts": {"max-size": "1m"}}
    stack.config.write_text(json.dumps(stack.settings))
    stack.flags = ["--config-file", stack.config]
    start(stack)
    stack.docker("load", "-q", "-i", images / "archive" / "busybox.tar")
    yield stack
    stack.plugin.stop()
    stack.destroy()


def start(stack):
    """Stack.start with the hosts of the configuration file."""
    log = open(stack.directory / "swrund.log", "ab")
    command = [BIN / "swrund", "--data-root", stack.root, "--exec-root", stack.state, "--pidfile",
               stack.state / "swrund.pid", "--bridge", stack.bridge, "--bip", f"{stack.subnet}.1/24",
               *stack.cgroup_flags, *stack.flags]
    stack.process = subprocess.Popen([str(part) for part in command], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    log.close()
    wait_until(stack.answers, 30, "an answer of swrund")


def reload(stack, **changes):
    """Changes the configuration file, sends SIGHUP, and waits for the event that tells of it."""
    stack.settings = {key: value for key, value in {**stack.settings, **changes}.items() if value is not None}
    stack.config.write_text(json.dumps(stack.settings))
    before = stack.log().count("reloaded")
    stack.process.send_signal(signal.SIGHUP)
    wait_until(lambda: stack.log().count("reloaded") > before, 10, "a reload")


def clients():
    return ["docker", BIN / "swrun"]


# --- TCP


@pytest.mark.parametrize("client", clients())
def test_mutual_tls(door, keys, client):
    host = f"tcp://127.0.0.1:{PORTS['verify']}"
    home = {"HOME": str(door.home), "DOCKER_CONFIG": str(door.home / "none")}
    ours = {**home, "DOCKER_HOST": host, "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(keys / "client")}
    assert run(client, "run", "--rm", "-i", "busybox", "cat", env=ours, input="to and fro\n") == "to and fro"
    big = run(client, "run", "--rm", "-i", "busybox", "wc", "-c", env=ours, input=b"x" * 3000000)
    assert big.strip() == "3000000"
    files = ["--tlscacert", keys / "ca.pem", "--tlscert", keys / "client/cert.pem", "--tlskey", keys / "client/key.pem"]
    assert run(client, "-H", host, "--tlsverify", *files, "version", env=home)
    # a client without a certificate, one of another authority, one that does not trust the daemon, and one without TLS
    refused = [
        ({**home, "DOCKER_HOST": host}, "Client sent an HTTP request to an HTTPS server"),
        ({**ours, "DOCKER_CERT_PATH": str(keys / "other/client")}, "certificate"),
        ({**home, "DOCKER_HOST": host, "DOCKER_TLS": "1"}, ""),
    ]
    for env, text in refused:
        result = run(client, "ps", env=env, check=False)
        assert result.code != 0 and text in result.err, result.err


@pytest.mark.parametrize("client", clients())
def test_a_proxy_in_front_of_the_daemon(door, keys, client):
    """Requests in plain HTTP go to the proxy itself, TLS goes through it; not for loopback and what NO_PROXY names."""
    home = {"HOME": str(door.home), "DOCKER_CONFIG": str(door.home / "none")}
    files = {"DOCKER_TLS": "1", "DOCKER_CERT_PATH": str(keys / "client")}
    with Proxy("user:secret", upstream=("127.0.0.1", PORTS["verify"])) as proxy:
        said = {**home, "HTTP_PROXY": f"http://user:secret@{proxy.address}", "https_proxy": f"user:secret@{proxy.address}"}
        plain = run(client, "-H", "tcp://daemon.example", "ps", env=said, check=False)
        assert plain.code == 1 and ("HEAD", "http://daemon.example:2375/_ping") in proxy.asked
        proxy.asked.clear()
        assert run(client, "-H", "tcp://daemon.example:2376", "version", "-f", "{{.Server.Os}}", env={**said, **files}) == "linux"
        assert set(proxy.asked) == {("CONNECT", "daemon.example:2376")}
        proxy.asked.clear()
        run(client, "-H", f"tcp://127.0.0.1:{PORTS['verify']}", "version", env={**said, **files})
        refused = run(client, "-H", "tcp://daemon.invalid", "ps", env={**said, "NO_PROXY": ".invalid"}, check=False)
        assert refused.code == 1 and not proxy.asked


def test_a_name_that_is_not_in_the_certificate(door, keys):
    result = run(BIN / "swrun", "--tlsverify", "-H", f"tcp://127.0.0.2:{PORTS['verify']}", "ps", check=False,
                 env={"DOCKER_CERT_PATH": str(keys / "client"), "HOME": str(door.home)})
    assert result.code != 0  # nothing listens there, and if it did the address would not match


def test_a_context_with_tls(door, keys):
    env = {"HOME": str(door.home), "DOCKER_CONFIG": str(door.home / "ctx")}
    client = keys / "client"
    made = ["context", "create", "tls", "--docker", f"host=tcp://127.0.0.1:{PORTS['verify']},ca={client}/ca.pem,"
            f"cert={client}/cert.pem,key={client}/key.pem"]
    assert run(BIN / "swrun", *made, env=env) == "tls"
    for client in clients():  # the same files serve both
        assert run(client, "-c", "tls", "version", "--format", "{{.Server.Os}}", env=env) == "linux"
    inspected = json.loads(run(BIN / "swrun", "context", "inspect", "tls", env=env))
    assert inspected == json.loads(run("docker", "context", "inspect", "tls", env=env))


@pytest.mark.parametrize("flags, text", [
    (["-H", "tcp://0.0.0.0:2375"], "refusing to listen on tcp://0.0.0.0:2375 without --tlsverify"),
    (["-H", "tcp://0.0.0.0", "--tls"], "refusing to listen on tcp://0.0.0.0:2376 without --tlsverify"),
    (["-H", "tcp://127.0.0.1:x"], "invalid bind address format"),
    (["-H", "tcp://127.0.0.1:1", "--tlsverify", "--tlscacert", "/nonexistent", "--tlscert", "/nonexistent", "--tlskey",
      "/nonexistent"], "could not load X509 key pair"),
    (["-H", "fd://"], "no sockets found via socket activation"),
    (["-H", "fd://x"], "expected fd://"),
    (["--log-format", "xml"], "invalid log format: xml"),
    (["--default-ulimit", "x"], "invalid ulimit argument: x"),
    (["--default-ipc-mode", "host"], "is not supported as default value"),
    (["--seccomp-profile", "/nonexistent"], "opening seccomp profile (/nonexistent) failed"),
])
def test_refused(tmp_path, flags, text):
    command = [BIN / "swrund", "--data-root", tmp_path / "d", "--exec-root", tmp_path / "e", *flags]
    done = subprocess.run([str(part) for part in command], capture_output=True, timeout=20, stdin=subprocess.DEVNULL)
    assert done.returncode != 0 and text in done.stderr.decode(), done.stderr


def test_plain_tcp_on_loopback_and_sockets_from_systemd(own_stack):
    """One daemon with a socket that its starter has opened, as systemd does, and plain TCP for this machine."""
    own_stack.stop()
    path = own_stack.directory / "activated.sock"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    own_stack.flags += ["-H", "fd://", "-H", f"tcp://127.0.0.1:{PORTS['plain']}", "--log-format", "json"]
    command = [str(part) for part in [
        BIN / "swrund", "--data-root", own_stack.root, "--exec-root", own_stack.state, "-H", f"unix://{own_stack.socket}",
        "--pidfile", own_stack.state / "swrund.pid", "--bridge", own_stack.bridge, "--bip", f"{own_stack.subnet}.1/24",
        *own_stack.cgroup_flags, *own_stack.flags]]
    starter = ("import os, sys; os.dup2(int(sys.argv[1]), 3); os.set_inheritable(3, True); "
               "os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid())); os.execv(sys.argv[2], sys.argv[2:])")
    with open(own_stack.directory / "swrund.log", "ab") as log:
        own_stack.process = subprocess.Popen(["python3", "-c", starter, str(listener.fileno()), *command], stdout=log,
                                             stderr=log, stdin=subprocess.DEVNULL, pass_fds=[listener.fileno()])
    wait_until(own_stack.answers, 30, "an answer of swrund")
    assert own_stack.docker("-H", f"unix://{path}", "version")
    for client in clients():
        host = f"tcp://127.0.0.1:{PORTS['plain']}"
        assert run(client, "-H", host, "run", "--rm", "-i", "busybox", "cat", input="x", env=own_stack.environment()) == "x"
    lines = [line for line in own_stack.log().splitlines() if line.startswith("{")]
    assert any("without encryption" in json.loads(line)["msg"] for line in lines)
    own_stack.stop()
    assert path.exists()  # it is the starter's
    own_stack.flags = []
    own_stack.start()


# --- Settings


def test_defaults_of_the_daemon_hold_for_containers(door):
    output = door.docker("run", "--rm", "busybox", "sh", "-c", "ulimit -Sn; ulimit -Hn; grep NoNewPrivs /proc/self/status")
    assert output.split() == ["300", "400", "NoNewPrivs:", "1"]
    output = door.docker("run", "--rm", "--security-opt", "no-new-privileges=false", "--ulimit", "nofile=50", "busybox",
                         "sh", "-c", "ulimit -n; grep NoNewPrivs /proc/self/status")
    assert output.split() == ["50", "NoNewPrivs:", "0"]
    name = door.docker("create", "busybox")
    assert door.inspect(name)["HostConfig"]["IpcMode"] == "shareable"
    assert door.inspect(name)["HostConfig"]["LogConfig"]["Config"] == {"max-size": "1m"}
    door.docker("rm", name)


def test_reload(door):
    reload(door, labels=["second=2"], debug=True, **{"insecure-registries": ["r.example:5000"],
                                                     "registry-mirrors": ["https://m.example"],
                                                     "runtimes": {"other": {"path": "/nonexistent/other"}}})
    info = json.loads(door.docker("info", "--format", "{{json .}}"))
    assert (info["Labels"], info["Debug"]) == (["second=2"], True)
    assert info["RegistryConfig"]["Mirrors"] == ["https://m.example/"]
    assert "other" in info["Runtimes"]
    now = time.time()
    events = door.curl(f"/events?since={now - 60:.3f}&until={now:.3f}&filters=%7B%22type%22:[%22daemon%22]%7D")
    event = json.loads(events.splitlines()[-1])
    assert event["Action"] == "reload" and event["Actor"]["Attributes"]["labels"] == '["second=2"]'
    # what is wrong changes nothing
    before = door.settings
    door.config.write_text("{")
    door.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "the configuration was not reloaded" in door.log(), 10, "the refusal")
    door.settings = before
    reload(door, runtimes=None, debug=None)
    assert json.loads(door.docker("info", "--format", "{{json .}}"))["Labels"] == ["second=2"]


# --- Authorization plugins


def test_authorization_plugin(door, keys):
    reload(door, **{"authorization-plugins": ["judge", "judge"]})
    try:
        assert door.docker("ps", "-q") == ""
        method, question = door.plugin.asked[-2]
        assert method == "AuthZPlugin.AuthZReq" and question["RequestMethod"] == "GET"
        assert "/containers/json" in question["RequestUri"] and question["RequestHeaders"]["User-Agent"]
        assert door.plugin.asked[-1][0] == "AuthZPlugin.AuthZRes" and door.plugin.asked[-1][1]["ResponseStatusCode"] == 200
        assert door.plugin.asked[-1][1]["ResponseHeaders"]["Content-Type"] == "application/json"
        assert door.plugin.asked[-1][1]["User"] == ""
        assert door.plugin.asked[-2][0] == "AuthZPlugin.AuthZReq"  # named twice, asked once
        run("curl", "-sf", "--cacert", keys / "ca.pem", "--cert", keys / "client/cert.pem", "--key", keys / "client/key.pem",
            f"https://127.0.0.1:{PORTS['verify']}/version")
        assert (door.plugin.asked[-1][1]["User"], door.plugin.asked[-1][1]["UserAuthNMethod"]) == ("client", "TLS")
        door.plugin.answer = lambda method, question: {
            "Allow": "containers/create" not in question["RequestUri"], "Msg": "no containers today"}
        result = door.docker("create", "busybox", check=False)
        assert "authorization denied by plugin judge: no containers today" in result.err
        body = [q for m, q in door.plugin.asked if "create" in q["RequestUri"] and m.endswith("Req")][-1]["RequestBody"]
        assert json.loads(base64.b64decode(body))["Image"] == "busybox"
        door.plugin.answer = lambda method, question: {"Allow": method.endswith("Req"), "Msg": "not this answer"}
        assert "not this answer" in door.docker("ps", check=False).err
        door.plugin.answer = lambda method, question: {"Allow": True, "Err": "lost my head"}
        assert "plugin judge failed with error: lost my head" in door.docker("ps", check=False).err
        door.plugin.answer = lambda method, question: {"Allow": True}
        assert door.docker("run", "--rm", "-i", "busybox", "cat", input="through") == "through"
    finally:
        reload(door, **{"authorization-plugins": None})
        door.plugin.answer = lambda method, question: {"Allow": True}


def test_a_plugin_that_is_not_there_refuses(door):
    reload(door, **{"authorization-plugins": ["absent"]})
    try:
        result = door.docker("ps", check=False)
        assert result.code != 0 and "plugin absent failed with error" in result.err
    finally:
        reload(door, **{"authorization-plugins": None})
    assert door.docker("ps", "-q", check=False).code == 0


# --- Sockets with less power


def test_reading_and_watching_sockets(door):
    name = door.docker("create", "busybox")
    for kind, allowed in (("reader", ["ps -a", "images", "info", f"inspect {name}"]), ("watcher", ["ps -a"])):
        host = ["-H", f"unix://{door.sockets[kind]}"]
        for words in allowed:
            assert door.docker(*host, *words.split())
        refused = [f"start {name}", f"rm -f {name}", "run busybox", "volume create", f"exec {name} true"]
        for words in refused + (["images"] if kind == "watcher" else []):
            result = door.docker(*host, *words.split(), check=False)
            assert result.code != 0 and "is not allowed on this socket" in result.err, words
    assert name[:12] in door.docker("ps", "-aq")
    door.docker("rm", name)


def test_a_socket_of_one_label(door):
    ours = door.docker("create", "--label", "team=blue", "--name", "ours", "busybox", "sleep", "100")
    theirs = door.docker("create", "--label", "team=red", "--name", "theirs", "busybox", "sleep", "100")
    host = ["-H", f"unix://{door.sockets['team']}"]
    try:
        assert door.docker(*host, "ps", "-aq", "--no-trunc") == ours
        assert door.docker(*host, "start", "ours") == "ours"
        assert "No such container: theirs" in door.docker(*host, "start", "theirs", check=False).err
        assert "No such container" in door.docker(*host, "rm", theirs, check=False).err
        assert "is not allowed on this socket" in door.docker(*host, "create", "busybox", check=False).err
        assert "is not allowed on this socket" in door.docker(*host, "images", check=False).err
        now = time.time()
        events = run("curl", "-s", "--unix-socket", door.sockets["team"],
                     f"http://d/events?since={now - 60:.3f}&until={now:.3f}").splitlines()
        assert {json.loads(event)["Actor"]["Attributes"]["name"] for event in events} == {"ours"}
    finally:
        door.docker("rm", "-f", "ours", "theirs")
