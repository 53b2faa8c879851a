# SPDX-License-Identifier: Apache-2.0
"""Additional processes in running containers."""
import json

import pytest
from harness import run, wait_until


@pytest.fixture(scope="module")
def box(stack):
    name = "execbox"
    stack.docker("run", "-d", "--name", name, "-e", "OF=container", "-w", "/tmp", "busybox", "sleep", "1000")
    yield name
    stack.docker("rm", "-f", name)


@pytest.mark.parametrize("flags, command, expected", [
    ([], "pwd; echo $OF", "/tmp\ncontainer"),
    (["-w", "/etc"], "pwd", "/etc"),
    (["-e", "OF=exec"], "echo $OF", "exec"),
    (["-u", "1000:1001"], "id -u; id -g", "1000\n1001"),
    (["-u", "nobody"], "id -un", "nobody"),
    ([], "grep CapEff /proc/self/status | cut -f2", "00000000a80425fb"),
    ([], "grep Seccomp: /proc/self/status | cut -f2", "2"),
    (["-u", "1000"], "grep CapEff /proc/self/status | cut -f2", "0000000000000000"),
    (["--privileged"], "grep CapInh /proc/self/status | cut -f2", "0000000000000000"),
    ([], "ls /proc/self/fd | wc -l", "4"),
])
def test_settings(stack, box, flags, command, expected):
    assert stack.docker("exec", *flags, box, "sh", "-c", command) == expected


def test_the_exit_code_is_the_process_s_own(stack, box):
    assert stack.docker("exec", box, "sh", "-c", "exit 7", check=False).code == 7
    assert stack.docker("exec", box, "sh", "-c", "kill -9 $$", check=False).code == 137


def test_streams_are_kept_apart(stack, box):
    result = stack.docker("exec", "-i", box, "sh", "-c", "cat; echo err >&2", input="in\n")
    assert (result.out, result.err) == ("in\n", "err\n")


def test_much_data(stack, box):
    data = bytes(range(256)) * 8000
    assert stack.docker("exec", "-i", box, "cat", input=data).raw == data


@pytest.mark.parametrize("command, text", [
    ("/nosuch", 'exec: "/nosuch": stat /nosuch: no such file or directory: unknown'),
    ("nosuch", 'exec: "nosuch": executable file not found in $PATH: unknown'),
])
def test_a_command_that_cannot_be_run(stack, box, command, text):
    result = stack.docker("exec", box, command, check=False)
    assert result.code in (126, 127)
    assert "OCI runtime exec failed: exec failed: unable to start container process: " + text in result.out + result.err


def test_a_container_that_does_not_run(stack, container_name):
    identifier = stack.docker("create", "--name", container_name, "busybox", "true")
    result = stack.docker("exec", container_name, "true", check=False)
    assert result.code == 1
    assert f"container {identifier} is not running" in result.err


def test_detached(stack, box):
    stack.docker("exec", "-d", box, "sh", "-c", "echo done > /tmp/detached")
    wait_until(lambda: stack.docker("exec", box, "cat", "/tmp/detached", check=False) == "done")


def post(stack, path, body):
    text = run("curl", "-s", "--unix-socket", stack.socket, "-X", "POST", "-H", "Content-Type: application/json", "-d",
               json.dumps(body), f"http://d{path}")
    return json.loads(text) if text else None


def test_inspect_and_only_one_start(stack, box):
    identifier = post(stack, f"/containers/{box}/exec", {"Cmd": ["sh", "-c", "exit 9"], "User": "1"})["Id"]
    path = f"/exec/{identifier}"
    before = json.loads(stack.curl(f"{path}/json"))
    assert (before["Running"], before["ExitCode"]) == (False, None)
    assert before["ProcessConfig"] == {"tty": False, "entrypoint": "sh", "arguments": ["-c", "exit 9"], "privileged": False,
                                       "user": "1"}
    post(stack, f"{path}/start", {"Detach": True})
    after = wait_until(lambda: (answer := json.loads(stack.curl(f"{path}/json")))["ExitCode"] is not None and answer)
    assert (after["Running"], after["ExitCode"]) == (False, 9)
    assert "has already run" in post(stack, f"{path}/start", {"Detach": True})["message"]


def test_execs_end_with_their_container(stack, container_name):
    stack.docker("run", "-d", "--name", container_name, "busybox", "sleep", "1000")
    stack.docker("exec", "-d", container_name, "sleep", "1000")
    wait_until(lambda: len(stack.inspect(container_name)["ExecIDs"] or []) == 1)
    stack.docker("kill", container_name)
    wait_until(lambda: not stack.inspect(container_name)["ExecIDs"])
