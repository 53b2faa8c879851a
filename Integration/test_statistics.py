# SPDX-License-Identifier: Apache-2.0
"""`stats` and `update` through both clients, and what they do to the container's cgroups."""
import json
import pathlib
import subprocess
import time

import pytest
from harness import wait_until
from test_containers import api

EMPTY_CPU = {"cpu_usage": {"total_usage": 0, "usage_in_kernelmode": 0, "usage_in_usermode": 0},
             "throttling_data": {"periods": 0, "throttled_periods": 0, "throttled_time": 0}}


@pytest.fixture(params=["docker", "swrun"])
def client(request, stack):
    return getattr(stack, request.param)


def limit_file(stack, name, controller, file):
    """A file of the container's v1 cgroup."""
    pid = stack.inspect(name)["State"]["Pid"]
    for line in open(f"/proc/{pid}/cgroup").read().splitlines():
        _, names, path = line.split(":", 2)
        if controller in names.split(","):
            return pathlib.Path("/sys/fs/cgroup", controller, path[1:], file).read_text().strip()
    pytest.skip("no cgroup version 1 here")


def start(stack, name, *options, command=("sleep", "1000")):
    stack.docker("run", "-d", "--name", name, *options, "busybox", *command)


# stats


def test_a_busy_container(stack, container_name):
    start(stack, container_name, "--network", "none", "-m", "64m", "--pids-limit", "20", "--cpus", "0.5",
          command=("sh", "-c", "while :; do :; done"))
    status, stats = api(stack, "GET", f"/containers/{container_name}/stats?stream=false")
    assert status == 200
    spent = stats["cpu_stats"]["cpu_usage"]["total_usage"] - stats["precpu_stats"]["cpu_usage"]["total_usage"]
    passed = stats["cpu_stats"]["system_cpu_usage"] - stats["precpu_stats"]["system_cpu_usage"]
    share = spent / passed * stats["cpu_stats"]["online_cpus"]
    assert 0.2 < share < 0.8, stats
    assert stats["cpu_stats"]["throttling_data"]["throttled_periods"] > 0
    assert stats["memory_stats"]["limit"] == 64 << 20
    assert stats["pids_stats"] == {"current": 1, "limit": 20}
    assert stats["name"] == "/" + container_name and len(stats["id"]) == 64
    assert stats["preread"] < stats["read"] and "networks" not in stats


def test_memory_and_network(stack, container_name):
    start(stack, container_name, command=("sh", "-c", "head -c 30m /dev/zero > /dev/shm/x; sleep 1000"))

    def stats():
        return api(stack, "GET", f"/containers/{container_name}/stats?stream=false&one-shot=true")[1]

    wait_until(lambda: stats()["memory_stats"]["usage"] > 28 << 20)
    before = stats()
    assert before["memory_stats"]["usage"] < 60 << 20
    assert before["preread"] == "0001-01-01T00:00:00Z" and before["precpu_stats"] == EMPTY_CPU
    address = stack.inspect(container_name)["NetworkSettings"]["Networks"]["bridge"]["Gateway"]
    stack.docker("exec", container_name, "ping", "-c", "3", "-i", "0.2", address, check=False)
    after = stats()
    assert list(after["networks"]) == ["eth0"]
    assert after["networks"]["eth0"]["tx_packets"] >= before["networks"]["eth0"]["tx_packets"] + 3
    assert after["networks"]["eth0"]["rx_bytes"] > before["networks"]["eth0"]["rx_bytes"]


def test_a_stopped_container_has_zeros(stack, container_name):
    stack.docker("create", "--name", container_name, "busybox", "true")
    for query in ("stream=false", "stream=0&one-shot=1"):
        status, stats = api(stack, "GET", f"/containers/{container_name}/stats?{query}")
        assert (status, stats["read"], stats["cpu_stats"]) == (200, "0001-01-01T00:00:00Z", EMPTY_CPU)
        assert (stats["memory_stats"], stats["pids_stats"], stats["storage_stats"]) == ({}, {}, {})
        assert set(stats["blkio_stats"].values()) == {None}
    assert api(stack, "GET", "/containers/nosuch/stats?stream=false")[0] == 404
    status, answer = api(stack, "GET", f"/containers/{container_name}/stats?one-shot=1")
    assert (status, answer["message"]) == (400, "cannot have stream=true and one-shot=true")


def test_the_stream_goes_on_over_a_restart_and_ends_with_the_container(stack, container_name):
    start(stack, container_name, "--network", "none")
    command = ["curl", "-sN", "--unix-socket", str(stack.socket), f"http://d/containers/{container_name}/stats"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as stream:
        first, second = json.loads(stream.stdout.readline()), json.loads(stream.stdout.readline())
        assert second["preread"] == first["read"] and second["precpu_stats"] == first["cpu_stats"]
        stack.docker("kill", container_name)
        wait_until(lambda: json.loads(stream.stdout.readline())["read"].startswith("0001"))
        stack.docker("start", container_name)
        wait_until(lambda: json.loads(stream.stdout.readline())["read"].startswith("2"))
        stack.docker("rm", "-f", container_name)
        stream.stdout.read()
        assert stream.wait(10) == 0


def test_the_clients_table(stack, client, container_name):
    start(stack, container_name, "--network", "none", "-m", "64m")
    lines = client("stats", "--no-stream", container_name).splitlines()
    assert lines[0].split("  ")[0] == "CONTAINER ID" and len(lines) == 2
    assert lines[1].split()[1] == container_name and "/ 64MiB" in lines[1]
    row = json.loads(client("stats", "--no-stream", "--format", "json", container_name))
    assert (row["Name"], row["PIDs"]) == (container_name, "1") and row["MemUsage"].endswith("/ 64MiB")
    identifier = stack.inspect(container_name)["Id"]
    assert identifier in client("stats", "--no-stream", "--no-trunc", container_name)


def test_both_clients_print_the_same(stack, container_name):
    stack.docker("create", "--name", container_name, "busybox", "true")
    for options in (["-a"], [], ["--format", "json"], ["--no-trunc"], ["--format", "{{.Container}} {{.MemPerc}}"]):
        names = [] if "-a" in options else [container_name]
        words = ["stats", "--no-stream", *options, *names]
        assert stack.docker(*words) == stack.swrun(*words)
    ours, theirs = (client("stats", "--no-stream", "nosuch", check=False) for client in (stack.swrun, stack.docker))
    assert (ours.code, ours.err) == (theirs.code, theirs.err)


# update


def test_limits_of_a_running_container(stack, client, container_name):
    start(stack, container_name, "--network", "none", "-m", "64m", "--pids-limit", "20")
    client("update", "-m", "128m", "--memory-swap", "256m", "--cpus", "0.5", "--pids-limit", "30", container_name)
    assert limit_file(stack, container_name, "memory", "memory.limit_in_bytes") == str(128 << 20)
    assert limit_file(stack, container_name, "memory", "memory.memsw.limit_in_bytes") == str(256 << 20)
    assert limit_file(stack, container_name, "cpu", "cpu.cfs_quota_us") == "50000"
    assert limit_file(stack, container_name, "pids", "pids.max") == "30"
    host = stack.inspect(container_name)["HostConfig"]
    assert (host["Memory"], host["NanoCpus"], host["PidsLimit"]) == (128 << 20, 500_000_000, 30)
    client("update", "-m", "32m", "--memory-swap", "64m", "--pids-limit", "-1", container_name)
    assert limit_file(stack, container_name, "memory", "memory.memsw.limit_in_bytes") == str(64 << 20)
    assert limit_file(stack, container_name, "pids", "pids.max") == "max"
    stack.docker("restart", "-t", "0", container_name)
    assert limit_file(stack, container_name, "memory", "memory.limit_in_bytes") == str(32 << 20)
    assert limit_file(stack, container_name, "cpu", "cpu.cfs_quota_us") == "50000"


def test_an_updated_limit_has_effect(stack, container_name):
    start(stack, container_name, "--network", "none", "--pids-limit", "50")
    fork = ("exec", container_name, "sh", "-c", "sleep 0.1 & sleep 0.1 & sleep 0.1 & sleep 0.1 & wait")
    stack.docker(*fork)
    stack.docker("update", "--pids-limit", "4", container_name)
    assert "can't fork" in stack.docker(*fork, check=False).err


def test_a_stopped_container_is_updated_too(stack, client, container_name):
    stack.docker("create", "--name", container_name, "--network", "none", "busybox", "sleep", "1000")
    client("update", "-m", "50m", "--memory-swap", "80m", "--restart", "on-failure:3", container_name)
    stack.docker("start", container_name)
    assert limit_file(stack, container_name, "memory", "memory.limit_in_bytes") == str(50 << 20)
    host = stack.inspect(container_name)["HostConfig"]
    assert host["RestartPolicy"] == {"Name": "on-failure", "MaximumRetryCount": 3}


@pytest.mark.parametrize("flags, text", [
    (["-m", "1m", "--memory-swap", "1g"], "Minimum memory limit allowed is 6MB"),
    (["-m", "1g"], "Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the "
                   "same time"),
    (["--cpu-quota", "50000"], "Conflicting options: CPU Quota cannot be updated as NanoCPUs has already been set"),
    (["--cpuset-cpus", "99"], "Requested CPUs are not available"),
])
def test_what_cannot_be_updated(stack, client, container_name, flags, text):
    start(stack, container_name, "--network", "none", "-m", "64m", "--cpus", "1")
    result = client("update", *flags, container_name, check=False)
    assert result.code == 1 and text in result.err
    assert stack.inspect(container_name)["HostConfig"]["Memory"] == 64 << 20


def test_an_update_is_an_event_and_has_warnings(stack, container_name):
    start(stack, container_name, "--network", "none")
    before = time.time()
    status, answer = api(stack, "POST", f"/containers/{container_name}/update", {"CpuShares": 512})
    assert (status, answer) == (200, {"Warnings": None})
    events = stack.docker("events", "--since", f"{before:.6f}", "--until", f"{time.time():.6f}", "--format",
                          "{{.Action}}", "--filter", f"container={container_name}")
    assert events.split() == ["update"]
    if not any(pathlib.Path("/sys/fs/cgroup/blkio").glob("blkio*.weight")):
        text = "Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded."
        _, answer = api(stack, "POST", f"/containers/{container_name}/update", {"BlkioWeight": 500})
        assert answer == {"Warnings": [text]}
        _, answer = api(stack, "POST", "/containers/create",
                        {"Image": "busybox", "HostConfig": {"BlkioWeight": 500}})
        assert answer["Warnings"] == [text]
        stack.docker("rm", answer["Id"])
    status, answer = api(stack, "POST", "/containers/nosuch/update", {"CpuShares": 512})
    assert (status, answer["message"]) == (404, "No such container: nosuch")
