# SPDX-License-Identifier: Apache-2.0
"""Restart policies: how often, after which pauses, and what of them a daemon that dies leaves to the next."""
import json

import pytest

from harness import wait_until


def events(stack, name, action):
    """When (in ms) the container did so, from the daemon's own record."""
    path = '/events?since=1&until=%d&filters={"container":["%s"],"event":["%s"]}' % (2 ** 33, name, action)
    lines = stack.curl(path, "--max-time", "1", check=False).splitlines()
    return [json.loads(line)["timeNano"] / 1e6 for line in lines]


def state(stack, name):
    found = stack.inspect(name)
    return found["State"]["Status"], found["RestartCount"]


def test_on_failure_ends_after_its_count_with_growing_pauses(stack, container_name):
    stack.docker("run", "-d", "--name", container_name, "--restart", "on-failure:3", "busybox", "sh", "-c", "exit 5")
    wait_until(lambda: state(stack, container_name) == ("exited", 3), 20, "the last restart")
    assert stack.inspect(container_name)["State"]["ExitCode"] == 5
    starts, ends = events(stack, container_name, "start"), events(stack, container_name, "die")
    assert len(starts) == len(ends) == 4
    pauses = [start - end for start, end in zip(starts[1:], ends)]
    assert all(pause >= least for pause, least in zip(pauses, (100, 200, 400))), pauses


@pytest.mark.parametrize("policy, code", [("on-failure", 0), ("no", 1)])
def test_what_is_not_restarted(stack, container_name, policy, code):
    stack.docker("run", "-d", "--name", container_name, "--restart", policy, "busybox", "sh", "-c", f"exit {code}")
    assert stack.docker("wait", container_name) == str(code)
    assert state(stack, container_name) == ("exited", 0)


def test_a_stop_ends_the_pause_before_a_restart(stack, container_name):
    stack.docker("run", "-d", "--name", container_name, "--restart", "always", "busybox", "false")
    wait_until(lambda: state(stack, container_name) >= ("restarting", 4), 20, "a longer pause")
    stack.docker("stop", container_name)
    status, count = state(stack, container_name)
    assert status == "exited"
    starts = events(stack, container_name, "start")
    stack.docker("run", "--rm", "busybox", "sleep", "2")
    assert events(stack, container_name, "start") == starts and state(stack, container_name) == ("exited", count)


@pytest.mark.parametrize("policy, again", [("always", True), ("unless-stopped", False)])
def test_what_the_user_stopped_after_a_new_daemon(own_stack, policy, again):
    own_stack.docker("run", "-d", "--name", "kept", "--restart", policy, "busybox", "sleep", "1000")
    own_stack.docker("stop", "-t", "0", "kept")
    own_stack.kill_daemon()
    own_stack.start()
    if again:
        wait_until(lambda: state(own_stack, "kept")[0] == "running", 20, "the start")
    own_stack.docker("run", "--rm", "busybox", "true")
    assert (state(own_stack, "kept")[0] == "running") == again


def test_a_planned_restart_outlives_the_daemon(own_stack):
    own_stack.docker("run", "-d", "--name", "failing", "--restart", "on-failure:6", "busybox", "false")
    wait_until(lambda: state(own_stack, "failing")[1] >= 4, 20, "a longer pause")
    own_stack.kill_daemon()
    own_stack.start()
    wait_until(lambda: state(own_stack, "failing") == ("exited", 6), 30, "the last restart")


def test_removal_on_exit_of_what_ended_without_a_daemon(own_stack):
    """Also if the user's client has gone, and the volume that it alone had goes with it."""
    own_stack.docker("run", "-d", "--rm", "--name", "short", "-v", "/anonymous", "busybox", "sleep", "1")
    volumes = own_stack.docker("volume", "ls", "-q").split()
    assert len(volumes) == 1
    own_stack.kill_daemon()
    own_stack.start()
    wait_until(lambda: own_stack.docker("ps", "-aq") == "", 20, "the removal")
    assert own_stack.docker("volume", "ls", "-q") == ""
