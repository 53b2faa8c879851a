# SPDX-License-Identifier: Apache-2.0
"""Health checks: what they run, what inspect, ps and events tell, and how they live through pauses and restarts."""
import time

import pytest
from harness import wait_until
from test_containers import api

FAST = ("--health-interval", "100ms")


@pytest.fixture(params=["docker", "swrun"])
def client(request, stack):
    return getattr(stack, request.param)


def health(stack, name):
    return stack.inspect(name)["State"].get("Health")


def wait_for_status(stack, name, status):
    return wait_until(lambda: (found := health(stack, name)) and found["Status"] == status and found, what=f"{name} is {status}")


def actions(stack, name, since):
    """The container's events since then, as its clients see them."""
    text = stack.docker("events", "--since", f"{since:.6f}", "--until", f"{time.time():.6f}", "--format",
                        "{{.Action}}", "--filter", f"container={name}")
    return text.splitlines()


def test_from_starting_over_healthy_to_unhealthy(stack, client, container_name):
    since = time.time()
    client("run", "-d", "--name", container_name, *FAST, "--health-cmd", "cat /state; echo more >&2", "--health-retries", "2",
           "busybox", "sh", "-c", "echo fine > /state; exec sleep 1000")
    found = wait_for_status(stack, container_name, "healthy")
    assert found["FailingStreak"] == 0 and found["Log"][-1]["ExitCode"] == 0
    assert sorted(found["Log"][-1]["Output"].splitlines()) == ["fine", "more"]
    assert found["Log"][-1]["Start"] < found["Log"][-1]["End"]
    assert "(healthy)" in client("ps", "--filter", f"name={container_name}", "--format", "{{.Status}}")
    assert client("ps", "-q", "--filter", "health=healthy", "--filter", f"name={container_name}")
    assert not client("ps", "-q", "--filter", "health=none", "--filter", f"name={container_name}")
    wait_until(lambda: "health_status: healthy" in actions(stack, container_name, since))
    stack.docker("stop", "-t", "0", container_name)
    assert health(stack, container_name)["Status"] == "unhealthy"


def test_failures_count_and_are_told(stack, container_name):
    since = time.time()
    stack.docker("run", "-d", "--name", container_name, *FAST, "--health-cmd", "echo bad; exit 3", "--health-retries", "2",
                 "busybox", "sleep", "1000")
    found = wait_for_status(stack, container_name, "unhealthy")
    assert found["FailingStreak"] >= 2
    assert (found["Log"][-1]["ExitCode"], found["Log"][-1]["Output"]) == (3, "bad\n")
    wait_until(lambda: len(health(stack, container_name)["Log"]) == 5)
    told = wait_until(lambda: (seen := actions(stack, container_name, since)) and "health_status: unhealthy" in seen and seen)
    assert "exec_create: /bin/sh -c echo bad; exit 3" in told and "exec_die" in told
    assert "(unhealthy)" in stack.docker("ps", "--filter", "health=unhealthy", "--format", "{{.Names}} {{.Status}}")
    assert stack.docker("events", "--since", f"{since:.6f}", "--until", f"{time.time():.6f}", "--filter", "event=health_status",
                        "--filter", f"container={container_name}", "--format", "{{.Action}}") == "health_status: unhealthy"


def test_a_probe_that_hangs_is_killed(stack, container_name):
    _, made = api(stack, "POST", f"/containers/create?name={container_name}", {
        "Image": "busybox", "Cmd": ["sleep", "1000"],
        "Healthcheck": {"Test": ["CMD", "sh", "-c", "echo logs; exec sleep 77"], "Interval": 100_000_000, "Timeout": 200_000_000, "Retries": 1}})
    stack.docker("start", container_name)
    found = wait_for_status(stack, container_name, "unhealthy")
    assert found["Log"][0]["ExitCode"] == -1
    assert found["Log"][0]["Output"] == "Health check exceeded timeout (200ms): logs\n"
    stack.docker("pause", container_name)
    stack.docker("unpause", container_name)
    wait_until(lambda: stack.docker("top", container_name).count("sleep 77") <= 1)


def test_output_is_cut_and_missing_programs_are_told(stack, container_name):
    stack.docker("run", "-d", "--name", container_name, *FAST, "--health-cmd", "head -c 9000 /dev/zero | tr '\\0' x", "busybox", "sleep", "1000")
    assert wait_for_status(stack, container_name, "healthy")["Log"][0]["Output"] == "x" * 4096 + "..."
    stack.docker("rm", "-f", container_name)
    api(stack, "POST", f"/containers/create?name={container_name}", {
        "Image": "busybox", "Cmd": ["sleep", "1000"], "Healthcheck": {"Test": ["CMD", "/nosuch"], "Interval": 100_000_000, "Retries": 1}})
    stack.docker("start", container_name)
    found = wait_for_status(stack, container_name, "unhealthy")
    assert found["Log"][0]["ExitCode"] == -1 and "no such file or directory" in found["Log"][0]["Output"]


def test_the_start_period(stack, container_name):
    stack.docker("run", "-d", "--name", container_name, "--health-cmd", "test -e /ready", "--health-interval", "1h", "--health-retries", "1",
                 "--health-start-period", "1h", "--health-start-interval", "100ms", "busybox", "sleep", "1000")
    found = wait_until(lambda: (found := health(stack, container_name)) and len(found["Log"]) > 2 and found)
    assert (found["Status"], found["FailingStreak"]) == ("starting", 0)
    assert "(health: starting)" in stack.docker("ps", "--filter", f"name={container_name}", "--format", "{{.Status}}")
    stack.docker("exec", container_name, "touch", "/ready")
    wait_for_status(stack, container_name, "healthy")


def test_pause_stops_probing_and_a_restart_begins_anew(stack, container_name):
    stack.docker("run", "-d", "--name", container_name, *FAST, "--health-cmd", "true", "busybox", "sleep", "1000")
    wait_for_status(stack, container_name, "healthy")
    stack.docker("pause", container_name)
    before = health(stack, container_name)
    assert before["Status"] == "unhealthy"
    time.sleep(0.4)
    assert health(stack, container_name) == before
    stack.docker("unpause", container_name)
    wait_for_status(stack, container_name, "healthy")
    stack.docker("restart", "-t", "0", container_name)
    wait_for_status(stack, container_name, "healthy")


def test_probing_goes_on_after_a_restart_of_the_daemon(own_stack):
    own_stack.docker("run", "-d", "--name", "probed", *FAST, "--health-cmd", "test ! -e /bad", "--health-retries", "1", "busybox", "sleep", "1000")
    wait_for_status(own_stack, "probed", "healthy")
    own_stack.kill_daemon()
    own_stack.start()
    wait_for_status(own_stack, "probed", "healthy")  # as docker has it, nothing is known at first
    own_stack.docker("exec", "probed", "touch", "/bad")
    wait_for_status(own_stack, "probed", "unhealthy")


def test_no_check(stack, client, container_name):
    client("run", "-d", "--name", container_name, "--no-healthcheck", "busybox", "sleep", "1000")
    assert health(stack, container_name) is None
    assert stack.inspect(container_name)["Config"]["Healthcheck"] == {"Test": ["NONE"]}
    assert client("ps", "-q", "--filter", "health=none", "--filter", f"name={container_name}")
    refused = client("ps", "--filter", "health=odd", check=False)
    assert refused.code == 1 and "unrecognized filter value for health: odd" in refused.err


@pytest.mark.parametrize("field, text", [
    ("Interval", "Interval in Healthcheck cannot be less than 1ms"), ("Timeout", "Timeout in Healthcheck cannot be less than 1ms"),
    ("StartPeriod", "StartPeriod in Healthcheck cannot be less than 1ms"), ("Retries", "Retries in Healthcheck cannot be negative")])
def test_bad_settings(stack, field, text):
    status, answer = api(stack, "POST", "/containers/create", {"Image": "busybox", "Healthcheck": {"Test": ["CMD", "x"], field: -1}})
    assert (status, answer) == (400, {"message": text})


def test_the_image_s_check_is_inherited(stack, images, container_name):
    tag = f"{container_name}:x"
    stack.docker("create", "--name", container_name, "busybox", "sleep", "1000")
    stack.docker("commit", "--change", "HEALTHCHECK --interval=100ms --retries=9 CMD test -e /etc/passwd", container_name, tag)
    stack.docker("rm", container_name)
    try:
        stack.docker("run", "-d", "--name", container_name, "--health-retries", "4", tag)
        wait_for_status(stack, container_name, "healthy")
        check = stack.inspect(container_name)["Config"]["Healthcheck"]
        assert check == {"Test": ["CMD-SHELL", "test -e /etc/passwd"], "Interval": 100_000_000, "Retries": 4}
    finally:
        stack.docker("rm", "-f", container_name)
        stack.docker("rmi", tag)
