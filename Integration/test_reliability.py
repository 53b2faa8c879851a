# SPDX-License-Identifier: Apache-2.0
"""Daemons are killed at any moment; containers, their output and their exit codes are not lost."""
import os
import time

import pytest
from harness import wait_until

COUNTER = "i=0; while [ $i -lt 60 ]; do echo line $i; i=$((i+1)); sleep 0.05; done; exit 42"


def alive(pid):
    """Whether the process still runs: one that only waits to be reaped does not."""
    try:
        return open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def kill(stack, victims):
    if "daemon" in victims:
        stack.kill_daemon()
    if "supervisor" in victims:
        stack.kill_supervisor()


def revive(stack):
    if stack.process.poll() is not None:
        stack.start()


def test_a_log_that_is_compressed_loses_nothing_when_the_daemon_is_killed(own_stack):
    own_stack.docker("run", "-d", "--name", "count", "--log-driver", "local", "--log-opt", "max-size=4k", "--log-opt", "max-file=900",
                     "busybox", "sh", "-c", "i=1; while [ $i -le 20000 ]; do echo line $i; i=$((i+1)); [ $((i % 100)) = 0 ] && sleep 0.02; done; true")
    directory = own_stack.root / "containers" / own_stack.inspect("count")["Id"] / "local-logs"
    for pause in range(8):
        wait_until(lambda: any(directory.glob("*.gz")))
        time.sleep(pause * 0.07)
        kill(own_stack, ["daemon"])
        revive(own_stack)
    assert own_stack.docker("wait", "count") == "0"
    assert own_stack.docker("logs", "count").splitlines() == [f"line {number}" for number in range(1, 20001)]
    wait_until(lambda: all(path.suffix == ".gz" for path in directory.iterdir() if path.name != "container.log"))


@pytest.mark.parametrize("victims", [["daemon"], ["supervisor"], ["daemon", "supervisor"]], ids="+".join)
class TestKill:
    def test_running_containers_keep_their_pids(self, own_stack, victims):
        own_stack.docker("run", "-d", "--name", "kept", "busybox", "sleep", "1000")
        pid = own_stack.inspect("kept")["State"]["Pid"]
        kill(own_stack, victims)
        assert alive(pid)
        revive(own_stack)
        assert own_stack.inspect("kept")["State"]["Pid"] == pid
        assert own_stack.docker("exec", "kept", "echo", "alive") == "alive"
        own_stack.docker("kill", "kept")
        assert own_stack.docker("wait", "kept") == "137"

    def test_output_and_exit_during_the_absence_are_not_lost(self, own_stack, victims):
        own_stack.docker("run", "-d", "--name", "counting", "busybox", "sh", "-c", COUNTER)
        time.sleep(0.5)
        pid = own_stack.inspect("counting")["State"]["Pid"]
        kill(own_stack, victims)
        wait_until(lambda: not alive(pid), 20, "the container's end")
        revive(own_stack)
        assert own_stack.docker("wait", "counting") == "42"
        assert own_stack.docker("logs", "counting").splitlines() == [f"line {i}" for i in range(60)]
        state = own_stack.inspect("counting")["State"]
        assert (state["Status"], state["ExitCode"]) == ("exited", 42)

    def test_auto_remove_is_kept_as_a_promise(self, own_stack, victims):
        own_stack.docker("run", "-d", "--rm", "--name", "short", "busybox", "sleep", "1")
        pid = own_stack.inspect("short")["State"]["Pid"]
        kill(own_stack, victims)
        wait_until(lambda: not alive(pid), 20, "the container's end")
        revive(own_stack)
        wait_until(lambda: own_stack.docker("ps", "-aq") == "", 20, "the removal")


def test_killed_in_turn_under_load(own_stack):
    """Every acknowledged container is there afterwards, however often either daemon died."""
    acknowledged = []
    for number in range(6):
        name = f"load{number}"
        if own_stack.docker("run", "-d", "--name", name, "busybox", "sleep", "1000", check=False).code == 0:
            acknowledged.append(name)
        kill(own_stack, [["daemon"], ["supervisor"]][number % 2])
        revive(own_stack)
    running = own_stack.docker("ps", "--format", "{{.Names}}").splitlines()
    assert set(acknowledged) <= set(running)
    assert len(acknowledged) >= 3


def test_killed_shim_takes_its_container_along(own_stack):
    own_stack.docker("run", "-d", "--name", "orphan", "busybox", "sleep", "1000")
    pid = own_stack.inspect("orphan")["State"]["Pid"]
    shim = int(open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[1])
    os.kill(shim, 9)
    wait_until(lambda: own_stack.inspect("orphan")["State"]["Status"] == "exited", 20, "the exit to be recorded")
    assert own_stack.inspect("orphan")["State"]["ExitCode"] == 137
    assert not alive(pid)
    own_stack.docker("rm", "orphan")
