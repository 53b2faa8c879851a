# SPDX-License-Identifier: Apache-2.0
"""swrund's own life: flags and configuration file, sockets, pid file, the supervisor that it starts and adopts."""
import json
import os
import pathlib
import signal
import stat
import subprocess

import pytest

from harness import BIN, wait_until


def refuse(*flags, config=None, tmp_path=None):
    """Starts swrund with flags that it must refuse; returns what it says."""
    command = [BIN / "swrund", *flags]
    if config is not None:
        path = tmp_path / "daemon.json"
        path.write_text(config if isinstance(config, str) else json.dumps(config))
        command += ["--config-file", path]
    done = subprocess.run([str(part) for part in command], capture_output=True, timeout=20, stdin=subprocess.DEVNULL)
    assert done.returncode != 0
    return done.stderr.decode()


@pytest.mark.parametrize("flags, text", [
    (["--nosuchflag"], "unknown flag: --nosuchflag"),
    (["-H", "nonsense"], "invalid -H nonsense"),
    (["-H", "unix://relative"], "expected unix:///absolute/path"),
    (["--data-root", "relative"], "--data-root must be an absolute path"),
    (["--log-level", "loud"], "invalid logging level: loud"),
    (["--default-runtime", "absent"], "specified default runtime 'absent' does not exist"),
    (["--add-runtime", "broken"], "expected name=path"),
    (["--config-file", "/nonexistent/daemon.json"], "no such file or directory"),
    (["--bip", "300.1.1.1/8"], "invalid --bip"),
    (["--default-address-pool", "x"], "expected base=CIDR,size=N"),
    (["--group", "nosuchgroup"], "group nosuchgroup not found"),
    (["extra"], "swrund takes no arguments: extra"),
])
def test_bad_flags(tmp_path, flags, text):
    place = ["--exec-root", tmp_path / "e"] + ([] if "--data-root" in flags else ["--data-root", tmp_path / "d"])
    assert text in refuse(*place, *flags)


@pytest.mark.parametrize("config, flags, text", [
    ("{", [], "unexpected end of JSON input"),
    ("[]", [], "expected a JSON object"),
    ({"nosuchkey": 1}, [], "the following directives don't match any configuration option: nosuchkey"),
    ({"debug": True}, ["-D"], "specified both as a flag and in the configuration file: debug"),
    ({"hosts": ["unix:///a"]}, ["-H", "unix:///b"], "specified both as a flag and in the configuration file: hosts"),
    ({"debug": "yes"}, [], "debug must be true or false"),
    ({"hosts": "unix:///a"}, [], "hosts must be a list of strings"),
    ({"runtimes": {"x": {}}}, [], "runtime x: either path or runtimeType must be given"),
])
def test_bad_configuration_file(tmp_path, config, flags, text):
    assert text in refuse("--data-root", tmp_path / "d", "--exec-root", tmp_path / "e", *flags, config=config, tmp_path=tmp_path)


def test_validate(tmp_path):
    path = tmp_path / "daemon.json"
    path.write_text(json.dumps({
        "data-root": str(tmp_path / "d"), "hosts": [f"unix://{tmp_path}/s"], "insecure-registries": ["r:5000"], "debug": True,
        "runtimes": {"crun": {"path": "/usr/bin/crun"}}, "default-address-pools": [{"base": "10.9.0.0/16", "size": 24}],
        "log-opts": {"max-size": "1m"}, "mtu": 1400, "features": {"buildkit": True}}))
    done = subprocess.run([str(BIN / "swrund"), "--validate", "--config-file", str(path)], capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"configuration OK\n")
    assert not (tmp_path / "d").exists()


def test_sockets_belong_to_root_and_the_group(own_stack):
    assert stat.S_IMODE(own_stack.socket.stat().st_mode) == 0o660
    assert stat.S_IMODE(own_stack.supervisor_socket.stat().st_mode) & 0o007 == 0
    assert int((own_stack.state / "swrund.pid").read_text()) == own_stack.process.pid


def test_a_second_daemon_does_not_start(own_stack):
    text = refuse("--data-root", own_stack.root, "--exec-root", own_stack.state, "-H", f"unix://{own_stack.socket}",
                  "--pidfile", own_stack.state / "swrund.pid", "--bridge", own_stack.bridge)
    assert f"process with PID {own_stack.process.pid} is still running" in text
    text = refuse("--data-root", own_stack.directory / "other", "--exec-root", own_stack.directory / "run",
                  "-H", f"unix://{own_stack.socket}", "--containerd", own_stack.supervisor_socket, "--bridge", "none")
    assert "is in use: is another daemon running?" in text
    assert own_stack.docker("version")


def test_a_stopped_daemon_ends_its_supervisor_and_a_killed_one_leaves_it(own_stack):
    supervisor = own_stack.supervisor_pid()
    own_stack.docker("run", "-d", "--name", "box", "busybox", "sh", "-c", "sleep 1; echo said; sleep 100")
    own_stack.stop()
    assert not own_stack.socket.exists() and not (own_stack.state / "swrund.pid").exists()
    assert not pathlib.Path(f"/proc/{supervisor}").exists() and not (own_stack.state / "supervisor.pid").exists()
    own_stack.start()
    wait_until(lambda: own_stack.docker("logs", "box") == "said", 10, "what a container wrote while nobody looked")
    assert own_stack.docker("exec", "box", "echo", "yes") == "yes"
    supervisor = own_stack.supervisor_pid()
    own_stack.kill_daemon()
    os.kill(supervisor, 0)
    own_stack.start()
    assert own_stack.supervisor_pid() == supervisor
    assert own_stack.docker("images", "-q")


def test_a_dead_supervisor_is_replaced(own_stack):
    first = own_stack.supervisor_pid()
    own_stack.kill_supervisor()
    assert own_stack.docker("images", "-q")  # waits for the new one
    wait_until(lambda: own_stack.supervisor_pid() != first, 10, "another supervisor")


def test_several_sockets(own_stack):
    own_stack.stop()
    second = own_stack.directory / "second.sock"
    own_stack.flags += ["-H", f"unix://{second}"]
    own_stack.start()
    assert own_stack.docker("-H", f"unix://{second}", "version")
    own_stack.process.send_signal(signal.SIGINT)
    own_stack.process.wait(20)
    assert not second.exists() and not own_stack.socket.exists()
