# SPDX-License-Identifier: Apache-2.0
"""What README promises, in the order in which a new user meets it, through both clients."""
import re

import pytest


def test_hello_through_all_five_programs(cli):
    assert cli("run", "--rm", "--network", "none", "busybox", "echo", "hi") == "hi"


def test_exit_code_is_the_containers_own(cli):
    assert cli("run", "--rm", "busybox", "sh", "-c", "exit 3", check=False).code == 3


def test_stdin_reaches_the_container_and_ends(cli):
    assert cli("run", "-i", "--rm", "busybox", "cat", input="one\ntwo\n") == "one\ntwo"


def test_output_and_errors_are_kept_apart(cli):
    result = cli("run", "--rm", "busybox", "sh", "-c", "echo out; echo err >&2")
    assert (result.out, result.err) == ("out\n", "err\n")


def test_detached_container_is_listed_logged_and_removed(cli, container_name):
    assert re.fullmatch("[0-9a-f]{64}", cli("run", "-d", "--name", container_name, "busybox", "sh", "-c",
                                            "echo started; sleep 1000"))
    assert container_name in cli("ps", "--format", "{{.Names}}").splitlines()
    assert cli("logs", container_name) == "started"
    assert cli("exec", container_name, "hostname") == cli("inspect", "-f", "{{.Config.Hostname}}", container_name)
    assert cli("rm", "-f", container_name) == container_name
    assert container_name not in cli("ps", "-a", "--format", "{{.Names}}").splitlines()


def test_parent_of_the_container_is_its_shim(stack, container_name):
    stack.docker("run", "-d", "--name", container_name, "busybox", "sleep", "1000")
    pid = stack.inspect(container_name)["State"]["Pid"]
    parent = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[1]
    assert open(f"/proc/{parent}/comm").read().startswith("swrun-shim")


def test_the_idle_shim_is_smaller_than_a_megabyte(stack, container_name):
    stack.docker("run", "-d", "--name", container_name, "busybox", "sleep", "1000")
    pid = stack.inspect(container_name)["State"]["Pid"]
    parent = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[1]
    resident = int(re.search(r"VmRSS:\s+(\d+) kB", open(f"/proc/{parent}/status").read()).group(1))
    assert resident < 1024


@pytest.mark.parametrize("flags, command, expected", [
    (["-e", "A=b c"], "echo $A", "b c"),
    (["-w", "/made/here"], "pwd", "/made/here"),
    (["-u", "1000:1001"], "id -u; id -g", "1000\n1001"),
    (["-u", "nobody"], "id -un", "nobody"),
    (["--hostname", "box"], "hostname", "box"),
    (["--read-only"], "touch /x 2>/dev/null || echo refused", "refused"),
    (["-m", "64m"], "cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max", str(64 << 20)),
    (["--pids-limit", "77"], "cat /sys/fs/cgroup/pids/pids.max 2>/dev/null || cat /sys/fs/cgroup/pids.max", "77"),
    (["--cap-drop", "ALL"], "grep CapEff /proc/self/status | cut -f2", "0000000000000000"),
    (["--cap-add", "SYS_ADMIN"], "grep CapEff /proc/self/status | cut -f2", "00000000a82425fb"),
    (["--init"], "cat /proc/1/comm", "docker-init"),
    (["--entrypoint", "echo"], None, "sh"),
])
def test_flags_take_effect_inside(cli, flags, command, expected):
    arguments = ["sh", "-c", command] if command else ["sh"]
    assert cli("run", "--rm", *flags, "busybox", *arguments) == expected


def test_bind_mount_read_write_and_read_only(cli, tmp_path):
    (tmp_path / "f").write_text("host\n")
    assert cli("run", "--rm", "-v", f"{tmp_path}:/data", "busybox", "sh", "-c",
               "cat /data/f; echo made > /data/g") == "host"
    assert (tmp_path / "g").read_text() == "made\n"
    assert cli("run", "--rm", "-v", f"{tmp_path}:/data:ro", "busybox", "touch", "/data/h", check=False).code == 1


def test_life_cycle_commands(cli, container_name):
    cli("create", "--name", container_name, "--label", "k=v", "busybox", "sh", "-c", "trap 'exit 9' TERM; while :; do sleep 0.1; done")
    cli("start", container_name)
    assert "sleep" in cli("top", container_name) or "sh" in cli("top", container_name)
    cli("pause", container_name)
    assert "(Paused)" in cli("ps", "--filter", f"name={container_name}", "--format", "{{.Status}}")
    cli("unpause", container_name)
    cli("rename", container_name, container_name + "x")
    cli("rename", container_name + "x", container_name)
    cli("stop", "-t", "5", container_name)
    assert cli("wait", container_name) == "9"
    cli("restart", "-t", "1", container_name)
    cli("kill", container_name)
    assert cli("wait", container_name) == "137"
    assert cli("ps", "-aq", "--filter", "label=k=v", "--filter", f"name={container_name}") != ""
    cli("rm", container_name)
