# SPDX-License-Identifier: Apache-2.0
"""Containers through the real docker client: life cycle, conflicts, listing, waiting, attaching, restart policies."""
import json
import re
import subprocess
import threading
import time

import pytest
from harness import run, wait_until


def api(stack, method, path, body=None):
    """One request; returns status and JSON."""
    options = ["-X", method, "-w", "\n%{http_code}"]
    if body is not None:
        options += ["-H", "Content-Type: application/json", "-d", json.dumps(body)]
    text = run("curl", "-s", "--max-time", "20", "--unix-socket", stack.socket, *options, f"http://d{path}")
    content, _, status = text.rpartition("\n")
    return int(status), json.loads(content) if content.strip() else None


class TestErrors:
    """Status, text and exit code are docker's, and nothing is left behind."""

    @pytest.mark.parametrize("arguments, code, text", [
        (["/nosuchcmd"], 127, 'exec: "/nosuchcmd": stat /nosuchcmd: no such file or directory: unknown'),
        (["nosuchcmd"], 127, 'exec: "nosuchcmd": executable file not found in $PATH: unknown'),
        (["/etc"], 126, 'exec: "/etc": is a directory: unknown'),
        (["/etc/passwd"], 126, 'exec: "/etc/passwd": permission denied: unknown'),
    ])
    def test_a_command_that_cannot_be_run(self, stack, arguments, code, text):
        result = stack.docker("run", "--rm", "--network", "none", "busybox", *arguments, check=False)
        assert result.code == code
        assert ("failed to create task for container: failed to create shim task: OCI runtime create failed: "
                "runc create failed: unable to start container process: " + text) in result.err

    def test_a_failed_start_is_recorded(self, stack, container_name):
        stack.docker("run", "--name", container_name, "--network", "none", "busybox", "/nosuch", check=False)
        state = stack.inspect(container_name)["State"]
        assert (state["ExitCode"], state["Running"]) == (127, False)
        assert "no such file or directory" in state["Error"]
        assert stack.docker("start", container_name, check=False).code == 1

    @pytest.mark.parametrize("flags, text", [
        (["-u", "nosuchuser"], "unable to find user nosuchuser: no matching entries in passwd file"),
        (["-u", "1:nosuchgroup"], "unable to find group nosuchgroup: no matching entries in group file"),
        (["-u", "4294967296"], "uids and gids must be in range 0-2147483647"),
        (["-m", "1m"], "Minimum memory limit allowed is 6MB"),
        (["-m", "16m", "--memory-swap", "8m"], "Minimum memoryswap limit should be larger than memory limit, see usage"),
        (["--name", "!bad"], "Invalid container name (!bad), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"),
        (["-w", "relative"], "the working directory 'relative' is invalid, it needs to be an absolute path"),
        (["--cap-add", "nonsense"], 'unknown capability: "CAP_NONSENSE"'),
        (["--network", "container:nosuch"], "No such container: nosuch"),
        (["--restart", "always", "--rm"], None),
        (["--security-opt", "nonsense"], "nvalid --security-opt"),
        (["--sysctl", "kernel.core_pattern=x"], "is not allowed"),
        (["--userns", "nonsense"], None),
        (["-v", "/nosuch:relative"], "mount path must be absolute"),
        (["--mount", "type=bind,src=/nosuch/source,dst=/x"], "bind source path does not exist: /nosuch/source"),
    ])
    def test_a_request_that_is_refused(self, stack, flags, text):
        before = stack.docker("ps", "-aq")
        result = stack.docker("run", "--rm", *flags, "busybox", "true", check=False)
        assert result.code == 125
        assert text is None or text in result.err
        assert stack.docker("ps", "-aq") == before

    def test_a_name_conflict(self, stack, container_name):
        owner = stack.docker("create", "--name", container_name, "busybox", "true")
        result = stack.docker("create", "--name", container_name, "busybox", "true", check=False)
        assert result.code == 1
        assert (f'Conflict. The container name "/{container_name}" is already in use by container "{owner}". You have to '
                "remove (or rename) that container to be able to reuse that name.") in result.err

    def test_a_name_may_be_taken_only_once_at_a_time(self, stack, container_name):
        body = {"Image": "busybox", "Cmd": ["true"]}
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(
            api(stack, "POST", f"/containers/create?name={container_name}", body)[0])) for _ in range(8)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        assert sorted(answers) == [201] + [409] * 7

    @pytest.mark.parametrize("method, path, status, text", [
        ("POST", "/containers/nosuch/start", 404, "No such container: nosuch"),
        ("POST", "/containers/nosuch/kill", 404, "cannot kill container: nosuch: No such container: nosuch"),
        ("GET", "/containers/nosuch/json", 404, "No such container: nosuch"),
        ("DELETE", "/containers/nosuch", 404, "No such container: nosuch"),
        ("GET", "/exec/nosuch/json", 404, "No such exec instance: nosuch"),
        ("GET", '/containers/json?filters=%7B%22nosuch%22%3A%5B%22x%22%5D%7D', 400, "invalid filter 'nosuch'"),
    ])
    def test_a_thing_that_is_missing(self, stack, method, path, status, text):
        assert api(stack, method, path) == (status, {"message": text})

    @pytest.mark.parametrize("body, text", [
        ({"Image": "busybox", "Tty": "yes"}, "cannot unmarshal string into Go struct field"),
        ({"Image": "busybox", "HostConfig": {"Memory": "1m"}}, "cannot unmarshal string into Go struct field"),
        ([], "cannot unmarshal array"),
    ])
    def test_a_body_of_the_wrong_shape(self, stack, body, text):
        status, answer = api(stack, "POST", "/containers/create", body)
        assert status == 400 and text in answer["message"]


class TestLifeCycle:
    def test_answers_of_repeated_operations(self, stack, container_name):
        stack.docker("create", "--name", container_name, "busybox", "sleep", "1000")
        path = f"/containers/{container_name}"
        assert api(stack, "POST", f"{path}/stop")[0] == 304
        assert api(stack, "POST", f"{path}/start")[0] == 204
        assert api(stack, "POST", f"{path}/start")[0] == 304
        assert api(stack, "DELETE", path)[0] == 409
        assert api(stack, "POST", f"{path}/unpause")[0] == 409
        assert api(stack, "POST", f"{path}/pause")[0] == 204
        assert api(stack, "POST", f"{path}/pause")[0] == 409
        assert api(stack, "POST", f"{path}/exec", {"Cmd": ["true"]})[0] == 409
        assert api(stack, "POST", f"{path}/unpause")[0] == 204
        assert api(stack, "POST", f"{path}/kill?signal=NONSENSE")[0] == 400
        assert api(stack, "POST", f"{path}/kill")[0] == 204
        assert api(stack, "POST", f"{path}/kill")[0] == 409
        assert api(stack, "DELETE", path)[0] == 204
        assert api(stack, "DELETE", path)[0] == 404

    def test_a_paused_container_can_be_stopped(self, stack, container_name):
        stack.docker("run", "-d", "--name", container_name, "--init", "busybox", "sleep", "1000")
        stack.docker("pause", container_name)
        stack.docker("stop", "-t", "5", container_name)
        assert stack.inspect(container_name)["State"]["Status"] == "exited"

    def test_a_running_container_is_removed_by_force(self, stack, container_name):
        stack.docker("run", "-d", "--name", container_name, "busybox", "sleep", "1000")
        pid = stack.inspect(container_name)["State"]["Pid"]
        stack.docker("rm", "-f", container_name)
        assert run("test", "-e", f"/proc/{pid}", check=False).code == 1

    def test_rename_frees_the_old_name(self, stack, container_name):
        first = stack.docker("create", "--name", container_name, "busybox", "true")
        stack.docker("rename", container_name, container_name + "2")
        second = stack.docker("create", "--name", container_name, "busybox", "true")
        assert stack.inspect(container_name + "2")["Id"] == first
        stack.docker("rm", first, second)

    @pytest.mark.parametrize("condition, code", [("next-exit", 7), ("not-running", 7), ("removed", 7)])
    def test_wait(self, stack, container_name, condition, code):
        stack.docker("run", "-d", "--name", container_name, "busybox", "sh", "-c", "read x < /dev/null; sleep 0.6; exit 7")
        answers = []
        thread = threading.Thread(
            target=lambda: answers.append(api(stack, "POST", f"/containers/{container_name}/wait?condition={condition}")))
        thread.start()
        wait_until(lambda: not stack.inspect(container_name)["State"]["Running"])
        if condition == "removed":
            time.sleep(0.1)
            assert not answers
            stack.docker("rm", container_name)
        thread.join(5)
        assert answers == [(200, {"StatusCode": code})]

    def test_events_tell_the_whole_life(self, stack, container_name):
        since = time.time()
        stack.docker("run", "-d", "--rm", "--name", container_name, "-l", "k=v", "busybox", "sh", "-c", "exit 3")
        wait_until(lambda: container_name not in stack.docker("ps", "-a", "--format", "{{.Names}}").splitlines())
        lines = stack.docker("events", "--since", f"{since:.6f}", "--until", f"{time.time() + 0.01:.6f}", "--filter",
                             f"container={container_name}", "--format", "{{json .}}").splitlines()
        events = [json.loads(line) for line in lines]
        assert [event["Action"] for event in events] == ["create", "start", "die", "destroy"]
        attributes = events[2]["Actor"]["Attributes"]
        assert (attributes["exitCode"], attributes["image"], attributes["name"], attributes["k"]) == (
            "3", "busybox", container_name, "v")

    def test_top(self, stack, container_name):
        stack.docker("run", "-d", "--name", container_name, "busybox", "sh", "-c", "sleep 1000; true")
        wait_until(lambda: "sleep 1000" in stack.docker("top", container_name, "-o", "pid,args"))
        titles, *rows = stack.docker("top", container_name).splitlines()
        assert titles.split() == ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"]
        assert len(rows) == 2 and rows[0].endswith("sh -c sleep 1000; true")
        refused = stack.docker("top", container_name, "--no-such-option", check=False)
        assert refused.code == 1 and refused.err == "Error response from daemon: ps: error: unknown gnu long option\n"


class TestRestartPolicy:
    def test_on_failure_gives_up(self, stack, container_name):
        stack.docker("run", "-d", "--restart", "on-failure:2", "--name", container_name, "busybox", "sh", "-c", "exit 5")
        wait_until(lambda: stack.inspect(container_name)["State"]["Status"] == "exited"
                   and stack.inspect(container_name)["RestartCount"] == 2)
        assert stack.inspect(container_name)["State"]["ExitCode"] == 5

    def test_always_starts_again_until_stopped(self, stack, container_name):
        stack.docker("run", "-d", "--restart", "always", "--name", container_name, "busybox", "sh", "-c", "sleep 0.1")
        wait_until(lambda: stack.inspect(container_name)["RestartCount"] >= 2)
        stack.docker("stop", container_name)
        count = stack.inspect(container_name)["RestartCount"]
        time.sleep(1)
        inspect = stack.inspect(container_name)
        assert (inspect["RestartCount"], inspect["State"]["Status"]) == (count, "exited")

    def test_the_policy_can_be_changed(self, stack, container_name):
        stack.docker("create", "--name", container_name, "busybox", "true")
        stack.docker("update", "--restart", "unless-stopped", "-m", "64m", "--memory-swap", "128m", container_name)
        config = stack.inspect(container_name)["HostConfig"]
        assert (config["RestartPolicy"]["Name"], config["Memory"]) == ("unless-stopped", 64 << 20)


class TestListing:
    def test_filters(self, stack, container_name):
        identifier = stack.docker("run", "-d", "--name", container_name, "-l", f"mine={container_name}", "-v", "/anonymous",
                                  "busybox", "sleep", "1000")
        other = stack.docker("create", "-l", f"mine={container_name}", "busybox", "true")
        exited = stack.docker("run", "-d", "-l", f"mine={container_name}", "busybox", "sh", "-c", "exit 4")
        stack.docker("wait", exited)

        def ids(*filters):
            flags = [part for item in (f"label=mine={container_name}",) + filters for part in ("--filter", item)]
            return stack.docker("ps", "-aq", "--no-trunc", *flags).split()

        assert ids() == [exited, other, identifier]
        assert ids("status=running") == [identifier]
        assert ids("status=created") == [other]
        assert ids("exited=4") == [exited]
        assert ids(f"name={container_name[:5]}") == [identifier]
        assert ids(f"id={other[:12]}") == [other]
        assert ids(f"before={other}") == [identifier]
        assert ids(f"since={other}") == [exited]
        assert ids("ancestor=busybox") == [exited, other, identifier]
        assert ids("ancestor=nosuch") == []
        assert ids("volume=/anonymous") == [identifier]
        assert ids("network=bridge") == [exited, other, identifier]
        assert ids("network=host") == []
        stack.docker("rm", other, exited)

    def test_status_and_command(self, stack, container_name):
        stack.docker("run", "-d", "--name", container_name, "busybox", "sh", "-c", "exit 3")
        stack.docker("wait", container_name)
        line = stack.docker("ps", "-a", "--no-trunc", "--filter", f"name={container_name}", "--format",
                            "{{.Status}}|{{.Command}}|{{.State}}")
        assert re.fullmatch(r"Exited \(3\) (Less than a|1) second ago\|\"sh -c 'exit 3'\"\|exited", line)

    def test_size(self, stack, container_name):
        stack.docker("run", "--name", container_name, "busybox", "dd", "if=/dev/zero", "of=/file", "bs=1M", "count=3")
        inspect = json.loads(stack.docker("inspect", "-s", container_name))[0]
        assert 3 << 20 <= inspect["SizeRw"] < 4 << 20 < inspect["SizeRootFs"]

    def test_inspect_has_every_member_of_docker(self, stack, container_name):
        stack.docker("run", "-d", "--name", container_name, "--hostname", "box", "-e", "A=b", "-m", "64m", "--cpus", "0.5",
                     "-l", "k=v", "--stop-signal", "SIGINT", "busybox", "sleep", "1000")
        inspect = stack.inspect(container_name)
        assert list(inspect) == [
            "Id", "Created", "Path", "Args", "State", "Image", "ResolvConfPath", "HostnamePath", "HostsPath", "LogPath", "Name",
            "RestartCount", "Driver", "Platform", "MountLabel", "ProcessLabel", "AppArmorProfile", "ExecIDs", "HostConfig",
            "GraphDriver", "Mounts", "Config", "NetworkSettings"]
        assert inspect["Path"] == "sleep" and inspect["Args"] == ["1000"]
        host, config = inspect["HostConfig"], inspect["Config"]
        assert (host["Memory"], host["MemorySwap"], host["NanoCpus"], host["ShmSize"]) == (64 << 20, 128 << 20, 500_000_000, 64 << 20)
        assert (host["MemorySwappiness"], host["PidsLimit"], host["IpcMode"], host["NetworkMode"]) == (None, None, "private", "bridge")
        assert (config["Hostname"], config["StopSignal"], config["Labels"], config["Volumes"]) == ("box", "SIGINT", {"k": "v"}, None)
        assert config["Env"][0] == "A=b" and config["Env"][-1].startswith("PATH=")
        assert inspect["NetworkSettings"]["IPAddress"].startswith(stack.subnet)

    def test_prune_removes_what_does_not_run(self, own_stack):
        own_stack.docker("run", "-d", "--name", "kept", "busybox", "sleep", "1000")
        own_stack.docker("run", "--name", "gone", "busybox", "true")
        own_stack.docker("create", "--name", "labelled", "-l", "x=y", "busybox", "true")
        own_stack.docker("container", "prune", "-f", "--filter", "label!=x=y")
        assert own_stack.docker("ps", "-a", "--format", "{{.Names}}").split() == ["labelled", "kept"]


class TestAttach:
    def test_two_clients_see_the_same_output(self, stack, container_name):
        stack.docker("run", "-d", "--name", container_name, "-i", "busybox", "sh", "-c",
                     "read x; for i in 1 2 3; do echo $x $i; done")
        clients = [subprocess.Popen(["docker", "attach", "--no-stdin", container_name], env={**stack.environment()},
                                    stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) for _ in range(2)]
        time.sleep(0.5)
        stack.docker("attach", container_name, input="go\n")
        assert [client.communicate(timeout=10)[0] for client in clients] == [b"go 1\ngo 2\ngo 3\n"] * 2

    def test_much_data_both_ways(self, stack):
        data = bytes(range(256)) * 20000
        assert stack.docker("run", "--rm", "-i", "--network", "none", "busybox", "cat", input=data).raw == data

    def test_start_attached_with_input(self, stack, container_name):
        stack.docker("create", "-i", "--name", container_name, "busybox", "sh", "-c", "read x; echo got $x; exit 4")
        for word in "first", "again", "and again":  # the first start, and those after an end
            result = stack.docker("start", "-a", "-i", container_name, input=word + "\n", check=False)
            assert (result, result.code) == ("got " + word, 4)

    def test_shared_namespaces(self, stack, container_name):
        stack.docker("run", "-d", "--name", container_name, "--ipc", "shareable", "busybox", "sh", "-c",
                     "echo shared > /dev/shm/f; exec sleep 1000")
        output = stack.docker("run", "--rm", "--pid", f"container:{container_name}", "--ipc", f"container:{container_name}",
                              "--network", f"container:{container_name}", "busybox", "sh", "-c",
                              "cat /dev/shm/f; ps | grep -c 'sleep 1000'; hostname -i")
        shared, count, address = output.splitlines()
        assert shared == "shared" and int(count) >= 1
        assert address == stack.inspect(container_name)["NetworkSettings"]["IPAddress"]


def test_a_process_killed_for_want_of_memory(stack, container_name):
    result = stack.docker("run", "--name", container_name, "-m", "16m", "--memory-swap", "16m", "busybox", "sh", "-c",
                          "head -c 100000000 /dev/zero | tail", check=False)
    assert result.code == 137
    state = stack.inspect(container_name)["State"]
    assert (state["OOMKilled"], state["ExitCode"]) == (True, 137)


GROW = """awk 'BEGIN { s = "x"; while (1) s = s s }'"""


def test_out_of_memory_is_told_while_the_container_runs(stack, cli, container_name):
    """Of any process of it, each time, and also where the kernel must not kill."""
    begin = time.time()
    stack.docker("run", "-d", "--init", "--name", container_name, "-m", "16m", "--memory-swap", "16m", "busybox", "sh", "-c",
                 f"for i in 1 2; do {GROW}; sleep 0.2; echo killed $i; done; exec sleep 1000")
    wait_until(lambda: "killed 2" in stack.docker("logs", container_name))
    state = stack.inspect(container_name)["State"]
    assert (state["Running"], state["OOMKilled"]) == (True, True)

    def told(name):
        time.sleep(1)  # docker's client asks for whole seconds
        words = cli("events", "--since", str(begin), "--until", "0s", "-f", f"container={name}", "-f", "event=oom", "--format", "{{.Action}}")
        return len(words.split())

    before = told(container_name)
    assert before in (1, 2)  # two at once are one
    if stack.docker("info", "-f", "{{.OomKillDisable}}") != "true":
        return
    stack.docker("rm", "-f", container_name)
    stack.docker("run", "-d", "--name", container_name, "-m", "16m", "--memory-swap", "16m", "--oom-kill-disable", "busybox", "sh", "-c", GROW)
    wait_until(lambda: stack.inspect(container_name)["State"]["OOMKilled"])
    assert stack.inspect(container_name)["State"]["Running"] and told(container_name) > before


def test_many_at_once_leave_nothing(stack):
    commands = [subprocess.Popen(["docker", "run", "--rm", "busybox", "sh", "-c", f"echo {n}; exit {n}"],
                                 env=stack.environment(), stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
                for n in range(16)]
    assert [(int(command.communicate(timeout=60)[0]), command.returncode) for command in commands] == [(n, n) for n in range(16)]
    assert {path.name for path in (stack.state / "containers").iterdir()} <= set(stack.docker("ps", "-q", "--no-trunc").split())
    assert {path.name for path in (stack.root / "containers").iterdir()} == set(stack.docker("ps", "-aq", "--no-trunc").split())


@pytest.mark.parametrize("path, body, status", [
    ("/containers/create", {"Image": "busybox", "HostConfig": {"Memory": 2 ** 62 + 1}}, None),
    ("/containers/{name}/logs?stdout=1&since=-9223372036854775808", None, None),
    ("/containers/{name}/stop?t=9223372036854775807", {}, 204),
    ("/containers/{name}/stop?signal=BOGUS", {}, 400),
])
def test_numbers_out_of_bounds_hurt_nobody(stack, container_name, path, body, status):
    stack.docker("run", "-d", "--name", container_name, "busybox", "sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done")
    daemon = stack.process.pid
    answer = run("curl", "-s", "--max-time", "20", "--unix-socket", stack.socket, "-o", "/dev/null", "-w", "%{http_code}",
                 *(["-X", "POST", "-H", "Content-Type: application/json", "-d", json.dumps(body)] if body is not None else []),
                 "http://d" + path.format(name=container_name))
    assert answer == str(status) if status else answer != "000"
    assert stack.process.poll() is None and stack.process.pid == daemon and stack.docker("version")


class TestStopAgainstRestartPolicy:
    def test_between_an_exit_and_the_next_start(self, stack, container_name):
        stack.docker("run", "-d", "--restart", "always", "--name", container_name, "busybox", "false")
        for _ in range(5):
            wait_until(lambda: stack.inspect(container_name)["RestartCount"] >= 1)
            assert api(stack, "POST", f"/containers/{container_name}/stop")[0] in (204, 304)
            state = stack.inspect(container_name)["State"]
            assert (state["Running"], state["Restarting"]) == (False, False)
            count = stack.inspect(container_name)["RestartCount"]
            time.sleep(0.5)
            assert stack.inspect(container_name)["RestartCount"] == count
            stack.docker("start", container_name)

    def test_a_bad_signal_changes_nothing(self, stack, container_name):
        stack.docker("run", "-d", "--restart", "always", "--name", container_name, "busybox", "sleep", "1000")
        assert stack.docker("stop", "-s", "BOGUS", container_name, check=False).code == 1
        pid = stack.inspect(container_name)["State"]["Pid"]
        run("kill", "-9", str(pid))
        wait_until(lambda: stack.inspect(container_name)["State"]["Pid"] not in (0, pid))


def test_a_removed_container_stays_removed(stack, container_name):
    stack.docker("run", "-d", "--name", container_name, "busybox", "sleep", "1000")
    identifier = stack.inspect(container_name)["Id"]
    removal = subprocess.Popen(["docker", "rm", "-f", identifier], env=stack.environment(), stdout=subprocess.DEVNULL)
    for number in range(20):
        api(stack, "POST", f"/containers/{identifier}/rename?name={container_name}x{number}")
    assert removal.wait(30) == 0
    assert api(stack, "GET", f"/containers/{identifier}/json")[0] == 404
    assert not [line for line in stack.docker("ps", "-a").splitlines() if container_name in line]


def test_remove_with_force_while_it_starts(stack, container_name):
    for _ in range(5):
        stack.docker("create", "--name", container_name, "busybox", "sleep", "1000")
        start = subprocess.Popen(["docker", "start", container_name], env=stack.environment(), stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        wait_until(lambda: stack.inspect(container_name)["State"]["Status"] == "running" or start.poll() is None)
        stack.docker("rm", "-f", container_name)
        start.wait(30)
        assert not stack.docker("ps", "-aq", "--filter", f"name={container_name}")


def test_restart_of_a_container_with_auto_removal(stack, container_name):
    stack.docker("run", "-d", "--rm", "--name", container_name, "busybox", "sleep", "1000")
    first = stack.inspect(container_name)["State"]["Pid"]
    stack.docker("restart", "-t", "0", container_name)
    assert stack.inspect(container_name)["State"]["Pid"] not in (0, first)
    stack.docker("kill", container_name)
    wait_until(lambda: not stack.docker("ps", "-aq", "--filter", f"name={container_name}"))


def test_a_start_right_behind_an_exit_finds_nothing_of_the_last_run(stack, container_name):
    stack.docker("run", "-d", "--name", container_name, "busybox", "sleep", "1000")
    for _ in range(10):
        assert api(stack, "POST", f"/containers/{container_name}/restart?t=0")[0] == 204
        assert api(stack, "POST", f"/containers/{container_name}/kill")[0] == 204
        assert api(stack, "POST", f"/containers/{container_name}/start")[0] == 204
    assert stack.docker("exec", container_name, "hostname", "-i") == stack.inspect(container_name)["NetworkSettings"]["IPAddress"]
