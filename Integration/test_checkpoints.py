# SPDX-License-Identifier: Apache-2.0
"""`docker checkpoint` and `docker start --checkpoint`: containers saved by criu, and made of what was saved."""
import concurrent.futures
import json
import os
import shutil
import time

import pytest

from harness import BIN, fresh_stack, run, wait_until

COUNT = "i=0; while :; do i=$((i+1)); echo $i; echo $i > /next; mv /next /count; sleep 0.1; done"


@pytest.fixture(scope="module")
def experimental(images, criu, tmp_path_factory):
    """A stack whose runtime finds criu."""
    programs = tmp_path_factory.mktemp("programs")
    (programs / "criu").symlink_to(criu)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
        with fresh_stack(images, ["--experimental"]) as stack:
            stack.criu = programs / "criu"
            yield stack


@pytest.fixture(params=["docker", "swrun"])
def client(request, experimental):
    if request.param == "docker" and not shutil.which("docker"):
        pytest.skip("no docker client on this machine")
    return experimental.docker if request.param == "docker" else experimental.swrun


def numbers(client, name):
    return [int(line) for line in client("logs", name).split()]


@pytest.fixture
def counting(client, request):
    """The name of a container that counts, in its log and in a file."""
    name = "c" + str(abs(hash(request.node.name)) % 100000)
    client("run", "-d", "--name", name, "busybox", "sh", "-c", COUNT)
    wait_until(lambda: len(numbers(client, name)) > 3)
    yield name
    client("rm", "-f", name, check=False)


def test_a_container_goes_on_where_it_was(experimental, client, counting):
    assert client("checkpoint", "create", counting, "first") == "first"
    ended = experimental.inspect(counting)
    assert ended["State"]["Status"] == "exited" and ended["State"]["ExitCode"] == 137
    before = numbers(client, counting)
    saved = before[-1]
    assert client("checkpoint", "ls", counting).splitlines()[1:] == ["first"]
    for _ in range(2):  # a checkpoint can be used again
        assert client("start", "--checkpoint", "first", counting) == ""
        count = len(before)
        wait_until(lambda: len(numbers(client, counting)) > count + 3)
        after = numbers(client, counting)
        assert after[:count] == before and abs(after[count] - saved) <= 2, (saved, after[count:])
        assert int(client("exec", counting, "cat", "/count")) >= saved
        assert client("exec", counting, "cat", "/proc/1/cgroup") == client("exec", counting, "cat", "/proc/self/cgroup")
        client("kill", counting)
        before = numbers(client, counting)
        assert experimental.inspect(counting)["State"]["ExitCode"] == 137
    client("start", counting)  # and without one it begins anew
    wait_until(lambda: numbers(client, counting)[len(before):][:1] == [1])
    assert client("checkpoint", "rm", counting, "first") == ""
    assert client("checkpoint", "ls", counting) == "CHECKPOINT NAME"


def test_two_clients_that_want_the_same_name(experimental, client, counting):
    """One gets it, and what it has saved is not harmed by the other."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        command = ["checkpoint", "create", "--leave-running", counting, "same"]
        results = [job.result() for job in [pool.submit(client, *command, check=False) for _ in range(4)]]
    assert sorted(result.code for result in results) == [0, 1, 1, 1]
    assert all("already exists" in result.err for result in results if result.code)
    client("kill", counting)
    client("start", "--checkpoint", "same", counting)
    assert experimental.inspect(counting)["State"]["Running"]


def test_a_container_that_is_to_go_on_does(experimental, client, counting, tmp_path):
    pid = experimental.inspect(counting)["State"]["Pid"]
    client("checkpoint", "create", "--leave-running", "--checkpoint-dir", tmp_path, counting, "kept")
    count = len(numbers(client, counting))
    wait_until(lambda: len(numbers(client, counting)) > count + 2)
    assert experimental.inspect(counting)["State"]["Pid"] == pid
    assert client("checkpoint", "ls", "--checkpoint-dir", tmp_path, counting).splitlines() == ["CHECKPOINT NAME", "kept"]
    assert client("checkpoint", "ls", counting) == "CHECKPOINT NAME"
    assert (tmp_path / "kept/inventory.img").exists()
    client("checkpoint", "rm", "--checkpoint-dir", tmp_path, counting, "kept")
    assert list(tmp_path.iterdir()) == []
    time.sleep(1)  # docker's client asks for events until the last whole second
    events = client("events", "--since", "1m", "--until", "0s", "--filter", f"container={counting}", "--filter", "event=checkpoint")
    assert len(events.splitlines()) == 1


def test_network_and_input_of_a_restored_container(experimental, client):
    """Its address, its published port and its open stdin are there, though all of them are new."""
    client("run", "-di", "--name", "net", "-p", "127.0.0.1:18099:80", "busybox", "sh", "-c",
           "echo page > /index.html; while read word; do echo got $word; done")
    try:
        client("checkpoint", "create", "net", "one")
        client("start", "--checkpoint", "one", "net")
        run("bash", "-c", f"echo hello | timeout -s KILL 3 {shutil.which('docker') or BIN / 'swrun'} attach net",
            env=experimental.environment(), check=False)
        wait_until(lambda: "got hello" in client("logs", "net"))
        address = experimental.inspect("net")["NetworkSettings"]["Networks"]["bridge"]["IPAddress"]
        assert address in client("exec", "net", "ip", "-4", "-o", "address")
    finally:
        client("rm", "-f", "net")


def test_what_is_refused(experimental, client, counting):
    def failure(*arguments):
        failed = client(*arguments, check=False)
        assert failed.code == 1, arguments
        return failed.err

    client("checkpoint", "create", "--leave-running", counting, "one")
    assert f"checkpoint with name one already exists for container {counting}" in failure("checkpoint", "create", counting, "one")
    assert "Invalid checkpoint ID (-x/y), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed" in failure(
        "checkpoint", "create", "--", counting, "-x/y")
    assert f"checkpoint two does not exist for container {counting}" in failure("checkpoint", "rm", counting, "two")
    assert 'invalid checkpoint directory "here": use an absolute path' in failure(
        "checkpoint", "create", "--checkpoint-dir", "here", counting, "two")
    client("stop", "-t", "0", counting)
    assert "is not running" in failure("checkpoint", "create", counting, "three")
    assert f"checkpoint two does not exist for container {counting}" in failure("start", "--checkpoint", "two", counting)
    assert "custom checkpointdir is not supported" in failure(
        "start", "--checkpoint", "one", "--checkpoint-dir", "/tmp", counting)
    assert experimental.inspect(counting)["State"]["Status"] == "exited"


def test_a_terminal(experimental, client):
    client("run", "-dt", "--name", "tty", "busybox", "sh", "-c", "stty rows 7; " + COUNT)
    try:
        wait_until(lambda: len(numbers(client, "tty")) > 3)
        client("checkpoint", "create", "tty", "one")
        before = numbers(client, "tty")
        client("start", "--checkpoint", "one", "tty")
        wait_until(lambda: len(numbers(client, "tty")) > len(before) + 3)
        assert abs(numbers(client, "tty")[len(before)] - before[-1]) <= 2
        assert client("exec", "tty", "sh", "-c", "stty size < /dev/pts/0").split()[0] == "7"
    finally:
        client("rm", "-f", "tty")


def test_what_cannot_be_saved_goes_on(experimental, client, counting):
    criu = experimental.criu
    criu.rename(criu.with_name("away"))
    try:
        failed = client("checkpoint", "create", counting, "one", check=False)
    finally:
        criu.with_name("away").rename(criu)
    assert failed.code == 1 and f"Cannot checkpoint container {counting}: " in failed.err and "criu" in failed.err
    assert experimental.inspect(counting)["State"]["Running"]
    assert client("checkpoint", "ls", counting) == "CHECKPOINT NAME"


def test_a_checkpoint_that_is_damaged(experimental, client, counting):
    client("checkpoint", "create", counting, "bad")
    place = experimental.root / "containers" / experimental.inspect(counting)["Id"] / "checkpoints" / "bad"
    (place / "inventory.img").write_bytes(b"")
    failed = client("start", "--checkpoint", "bad", counting, check=False)
    assert failed.code == 1 and "OCI runtime restore failed" in failed.err and "criu failed" in failed.err
    assert f"log file: {place}/restore.log" in failed.err and (place / "restore.log").exists()
    assert experimental.inspect(counting)["State"]["Status"] == "exited"
    client("start", counting)  # nothing is in the way of a start without it
    wait_until(lambda: numbers(client, counting)[-1:] == [3])


def test_a_daemon_that_is_not_experimental(stack, cli, container_name):
    cli("create", "--name", container_name, "busybox", "true")
    for command, what in ((["checkpoint", "create", container_name, "c"], "docker checkpoint create"),
                          (["checkpoint", "ls", container_name], "docker checkpoint ls"),
                          (["start", "--checkpoint", "x", container_name], '"--checkpoint"')):
        failed = cli(*command, check=False)
        assert failed.code == 1
        assert f"{what} is only supported on a Docker daemon with experimental features enabled" in failed.err
    answer = json.loads(stack.curl(f"/containers/{container_name}/checkpoints"))
    assert answer["message"].startswith("This experimental feature is disabled by default.")
    answer = json.loads(stack.curl(f"/containers/{container_name}/start?checkpoint=x", "-X", "POST"))
    assert answer["message"] == "checkpoint is only supported in experimental mode"


@pytest.mark.parametrize("runtime", ["io.containerd.swrun.v2", "io.containerd.runc.v2"])
def test_checkpoints_as_images(experimental, runtime):
    """containerd's client saves a task to an image and makes a container of it, with either shim below the supervisor."""
    def ctr(*arguments, **options):
        return experimental.ctr("--namespace", "swrun", *arguments, **options)

    def count(name):
        return int(ctr("task", "exec", "--exec-id", "look", name, "cat", "/count", check=False) or 0)

    try:
        ctr("run", "--detach", "--cgroup", experimental.cgroup_parent + "/saved", "--runtime", runtime,
            "docker.io/library/busybox:latest", "saved", "sh", "-c", COUNT)
        wait_until(lambda: count("saved") > 3)
        ctr("containers", "checkpoint", "--image", "--rw", "--task", "saved", "example.test/checkpoint:1")
        before = count("saved")
        ctr("task", "delete", "--force", "saved")  # both have the cgroup that is in the spec
        ctr("containers", "restore", "--rw", "--live", "restored", "example.test/checkpoint:1")
        assert count("restored") >= before - 5
        wait_until(lambda: count("restored") > before + 5)
    finally:
        for name in ("saved", "restored"):
            ctr("task", "delete", "--force", name, check=False)
            ctr("containers", "delete", name, check=False)
        ctr("images", "delete", "--sync", "example.test/checkpoint:1", check=False)
