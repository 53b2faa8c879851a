# SPDX-License-Identifier: Apache-2.0
"""Many containers and many clients at once.

`SWRUN_TEST_CONTAINERS` sets how many containers run (20); figures are printed (pytest -s).
"""
import concurrent.futures
import os
import time

from campaign import call, processes
from harness import BIN, UnixConnection, wait_until

CONTAINERS = int(os.environ.get("SWRUN_TEST_CONTAINERS", "20"))
CLIENTS = 10
CONTENDERS = 50
CONTESTS = int(os.environ.get("SWRUN_TEST_ROUNDS", "5"))


def proportional(pids):
    """Proportional set sizes in KiB."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup") as lines:
            total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total


def memory(stack):
    shims = [pid for pid, _ in processes(str(BIN / "swrun-shim"), str(stack.directory))]
    return proportional([stack.process.pid, stack.supervisor_pid(), *shims])


def milliseconds(action):
    begin = time.monotonic()
    action()
    return (time.monotonic() - begin) * 1000


def running(stack):
    status, content = call(stack, "GET", "/containers/json")
    assert status == 200
    return {entry["Id"]: entry["State"] for entry in content}


def test_they_all_run_and_outlive_the_daemons(own_stack):
    stack, figures = own_stack, {}

    def start(number):
        body = {"Image": "busybox", "Cmd": ["sleep", "100000"], "HostConfig": {"NetworkMode": ["none", "bridge"][number % 2]
                if number < 200 else "none"}}
        ident = call(stack, "POST", f"/containers/create?name=many{number}", body)[1]["Id"]
        assert call(stack, "POST", f"/containers/{ident}/start") == (204, b"")
        return ident
    before = memory(stack)
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        made = []
        figures["starts, s"] = milliseconds(lambda: made.extend(pool.map(start, range(CONTAINERS)))) / 1000
        pids = lambda: dict(pool.map(lambda ident: (ident, call(stack, "GET", f"/containers/{ident}/json")[1]["State"]["Pid"]), made))
        first = pids()
        figures["KiB each"] = (memory(stack) - before) / CONTAINERS
        figures["ps, ms"] = min(milliseconds(lambda: running(stack)) for _ in range(5))
        for victims in (["daemon"], ["daemon", "supervisor"]):
            stack.kill_daemon()
            if "supervisor" in victims:
                stack.kill_supervisor()
            figures["restart of " + "+".join(victims) + ", ms"] = milliseconds(stack.start)
            assert running(stack) == {ident: "running" for ident in made}
            assert pids() == first
        assert call(stack, "POST", f"/containers/{made[0]}/kill") == (204, b"")
        assert call(stack, "POST", f"/containers/{made[0]}/wait")[1]["StatusCode"] == 137
        remove = lambda ident: call(stack, "DELETE", f"/containers/{ident}?force=1")
        figures["removals, s"] = milliseconds(lambda: list(pool.map(remove, made))) / 1000
    assert call(stack, "GET", "/containers/json?all=1") == (200, [])
    print({name: round(value, 1) for name, value in figures.items()})


def test_exactly_one_of_many_gets_a_name(stack):
    """All ask at the same moment; the others are told who has it."""
    def create(connection, name):
        connection.request("POST", f"/containers/create?name={name}", '{"Image": "busybox", "Cmd": ["true"]}',
                           {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    with concurrent.futures.ThreadPoolExecutor(CONTENDERS) as pool:
        connections = [UnixConnection(stack.socket) for _ in range(CONTENDERS)]
        for number in range(CONTESTS):
            name = f"contest{number}"
            answers = list(pool.map(lambda connection: create(connection, name), connections))
            assert sorted({status for status, _ in answers}) == [201, 409]
            assert [status for status, _ in answers].count(201) == 1
            ident = stack.inspect(name)["Id"].encode()
            assert all(b'is already in use by container' in body and ident in body for status, body in answers if status == 409)
            assert call(stack, "DELETE", f"/containers/{name}")[0] == 204
        for connection in connections:
            connection.close()
    wait_until(lambda: not [entry for entry in call(stack, "GET", "/containers/json?all=1")[1]
                            if entry["Names"][0].startswith("/contest")], 10, "their removal")
