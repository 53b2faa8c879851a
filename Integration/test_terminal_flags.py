# SPDX-License-Identifier: Apache-2.0
"""Terminals without input, input without terminals, and the keys that leave a container: `-t`, `-i`, `-d`, `--detach-keys`."""
import json
import shutil

import pytest

from harness import BIN, wait_until
from terminal import Terminal


@pytest.fixture
def box(stack, container_name):
    stack.docker("run", "-d", "--name", container_name, "busybox", "sleep", "1000")
    return container_name


def test_a_terminal_without_input(cli, box):
    assert cli("exec", "-t", box, "sh", "-c", "tty; cat < /dev/null; echo end").raw == b"/dev/pts/0\r\nend\r\n"
    assert cli("run", "-t", "--rm", "busybox", "sh", "-c", "tty; echo end").raw == b"/dev/pts/0\r\nend\r\n"
    assert cli("exec", "-t", box, "sh", "-c", "exit 3", check=False).code == 3
    assert cli("run", "-t", "--rm", "busybox", "sh", "-c", "exit 4", check=False).code == 4


def test_a_terminal_with_input_wants_one(cli, box):
    for words in (["exec", "-it", box, "true"], ["run", "--rm", "-it", "busybox", "true"]):
        refused = cli(*words, input="", check=False)
        assert refused.code == 1 and "the input device is not a TTY" in refused.err


def test_detached_execs(cli, stack, box):
    assert cli("exec", "-d", box, "sh", "-c", "echo one > /one").raw == b""
    assert cli("exec", "-dt", box, "sh", "-c", "tty > /two; sleep 1000").raw == b""
    wait_until(lambda: stack.docker("exec", box, "cat", "/one", "/two", check=False) == "one\n/dev/pts/0")
    refused = cli("exec", "-d", box, "nosuch", check=False)
    assert refused.code == 1 and 'exec: "nosuch": executable file not found in $PATH: unknown' in refused.err
    assert len(stack.inspect(box)["ExecIDs"]) == 1


@pytest.mark.parametrize("program", ["docker", "swrun"])
@pytest.mark.parametrize("place", ["flag", "file"])
def test_keys_of_ones_own(stack, container_name, program, place):
    client = shutil.which("docker") if program == "docker" else BIN / "swrun"
    if not client:
        pytest.skip("no docker client on this machine")
    config = stack.home / ".docker" / "config.json"
    flags = ["--detach-keys", "ctrl-x,y"] if place == "flag" else []
    before = config.read_text() if config.exists() else None
    config.parent.mkdir(exist_ok=True)
    if not flags:
        config.write_text(json.dumps({"detachKeys": "ctrl-x,y"}))
    try:
        with Terminal([client, "run", "-it", *flags, "--name", container_name, "busybox", "sh"], stack.environment()) as shell:
            shell.read_until("/ # ")
            shell.type("\x10\x11")  # those that it is by default go to the shell
            shell.type("\x18z\x15echo a$((1+1))b\r")
            shell.read_until("a2b")
            shell.type("\x18y")
            assert shell.wait() == 0
        assert stack.inspect(container_name)["State"]["Running"]
        with Terminal([client, "exec", "-it", *flags, container_name, "sh"], stack.environment()) as shell:
            shell.read_until("/ # ")
            shell.type("\x18y")
            assert shell.wait() == 1 and "read escape sequence" in shell.shown
    finally:
        if before is not None:
            config.write_text(before)
        elif config.exists():
            config.unlink()


def test_keys_that_are_none(cli, box):
    refused = cli("attach", "--detach-keys", "ctrl-", box, check=False)
    assert refused.code == 1 and ("received 400" in refused.err or "Invalid escape keys (ctrl-)" in refused.err)
