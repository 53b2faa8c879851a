# SPDX-License-Identifier: Apache-2.0
"""swrun-shim on its real contract: driven over ttrpc as a supervisor does it, with swrunc or runc below it."""
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

import pytest

from harness import BIN
from shim_client import Attachment, Connection, EventSink, RPCError, Shim, decode

NOT_FOUND, ALREADY_EXISTS, FAILED_PRECONDITION, UNIMPLEMENTED, UNKNOWN, INVALID = 5, 6, 9, 12, 2, 3


@pytest.fixture
def place():
    """A short directory, since a socket's path holds 107 bytes for clients other than ours."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="shim-", dir="/tmp"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def events(place):
    sink = EventSink(place / "supervisor.sock.ttrpc")
    yield sink
    sink.close()


@pytest.fixture(params=["swrunc", "runc"])
def shim(request, place, events):
    if request.param == "runc" and not shutil.which("runc"):
        pytest.skip("no runc on this machine")
    shim = Shim(place, BIN, runtime=request.param)
    yield shim
    shim.destroy()


@pytest.fixture
def ours(place, events):
    shim = Shim(place, BIN)
    yield shim
    shim.destroy()


# MARK: life of a task


def test_whole_life_with_events_in_order(shim, events):
    pid = shim.run(["sh", "-c", "echo out; echo err >&2; exit 7"])
    assert shim.wait() == 7
    state = shim.call("State")
    assert (state[3][0], state[4][0], state[9][0]) == (pid, 3, 7)
    deleted = shim.call("Delete")
    assert (deleted[1][0], deleted[2][0]) == (pid, 7) and decode(deleted[3][0])[1][0] > 1_700_000_000
    events.wait_for("/tasks/delete")
    assert events.topics() == ["/tasks/create", "/tasks/start", "/tasks/exit", "/tasks/delete"]
    exit_event = events.wait_for("/tasks/exit")[2]
    assert (exit_event[1], exit_event[2], exit_event[3], exit_event[4]) == ([b"c1"], [b"c1"], [pid], [7])
    assert shim.output() == "out\n" and shim.output("stderr") == "err\n"
    assert not os.path.ismount(shim.bundle / "rootfs")
    shim.call("Shutdown")
    deadline = time.monotonic() + 5
    while os.path.exists(shim.socket) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not os.path.exists(shim.socket)


def test_states_on_the_way(shim):
    shim.write_spec(["sleep", "100"])
    shim.start_shim()
    shim.create()
    assert shim.call("State")[4] == [1]
    shim.call("Start")
    assert shim.call("State")[4] == [2]
    shim.call("Pause")
    assert shim.call("State")[4] == [4]
    shim.call("Resume")
    assert shim.call("State")[4] == [2]
    with pytest.raises(RPCError) as refused:
        shim.call("Delete")
    assert refused.value.code == FAILED_PRECONDITION
    shim.call("Kill", (3, signal.SIGKILL))
    assert shim.wait() == 137
    with pytest.raises(RPCError) as refused:
        shim.call("Kill", (3, 15))
    assert (refused.value.code, refused.value.message) == (NOT_FOUND, "process already finished")


@pytest.mark.parametrize("args, text", [
    (["nosuch"], 'exec: "nosuch": executable file not found in $PATH'),
    (["/etc/passwd"], "permission denied"),
])
def test_create_failure_is_told_and_taken_back(shim, args, text):
    shim.write_spec(args)
    shim.start_shim()
    with pytest.raises(RPCError) as failure:
        shim.create()
        shim.call("Start")
    assert failure.value.code == UNKNOWN
    if "create failed" in failure.value.message:
        assert failure.value.message.startswith("OCI runtime create failed: ")
    assert text in failure.value.message
    assert shim.output() == "" and shim.output("stderr") == ""


def test_bad_requests_are_refused_and_change_nothing(ours):
    ours.run(["sleep", "100"])
    for method, fields, code in [
        ("Start", [], FAILED_PRECONDITION),
        ("Resume", [], FAILED_PRECONDITION),
        ("State", [(2, "nosuch")], NOT_FOUND),
        ("Checkpoint", [], INVALID),
        ("Exec", [(2, "../../etc/x")], INVALID),
        ("NoSuchMethod", [], UNIMPLEMENTED),
    ]:
        with pytest.raises(RPCError) as refused:
            ours.call(method, *fields)
        assert refused.value.code == code, method
    with pytest.raises(RPCError) as refused:
        ours.create()
    assert refused.value.code == ALREADY_EXISTS
    with pytest.raises(RPCError) as refused:
        ours.connection.call("State", [(1, "other")])
    assert refused.value.code == NOT_FOUND
    with pytest.raises(RPCError) as refused:
        ours.connection.call("Exec", payload=b"\x0a\xff")
    assert refused.value.code == INVALID
    assert ours.connection.call("State", [(1, "c1")], service="containerd.task.v3.Task")[4] == [2]


def test_hostile_bytes_end_one_connection_only(ours):
    ours.run(["sleep", "100"])
    for junk in (b"\xff" * 4096, struct.pack(">IIBB", 5 << 20, 1, 1, 0) + b"x" * 100, os.urandom(20000)):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(ours.socket)
        sock.sendall(junk)
        sock.close()
    assert ours.call("State")[4] == [2]


def test_exit_before_start_returns_is_published_after_it(ours, events):
    for _ in range(3):
        ours.run(["true"]) if not ours.connection else None
    assert ours.wait() == 0
    assert events.wait_for("/tasks/exit") and events.topics()[:3] == ["/tasks/create", "/tasks/start", "/tasks/exit"]


def test_a_created_container_can_be_deleted_or_killed(shim):
    shim.write_spec(["sleep", "100"])
    shim.start_shim()
    shim.create()
    assert shim.call("Delete")[2] == [137]


def test_a_hanging_hook_blocks_nobody_else(shim):
    def hang(spec):
        spec["hooks"] = {"poststart": [{"path": "/bin/sleep", "args": ["sleep", "3"]}]}

    shim.write_spec(["sleep", "100"], edit=hang)
    shim.start_shim()
    shim.create()
    start = shim.begin("Start")
    time.sleep(0.3)
    began = time.monotonic()
    assert shim.call("State")[4][0] in (1, 2)
    shim.call("Kill", (3, signal.SIGKILL))
    assert time.monotonic() - began < 1.5
    try:
        shim.connection.finish(start)
    except RPCError:
        pass  # a runtime may say that the process died under its hands
    assert shim.wait() == 137


# MARK: output


def test_log_has_dockers_format(ours):
    ours.run(["sh", "-c", r"""printf 'a\tb<&>"\\\n\377x\nno newline'"""])
    ours.wait()
    text = ours.log_path.read_text()
    first, second, third = text.splitlines()
    assert first.startswith(r'{"log":"a\u0009b\u003c\u0026\u003e\"\\\n","stream":"stdout","time":"20')
    assert json.loads(second)["log"] == "�x\n"
    assert json.loads(third)["log"] == "no newline"
    assert first.endswith('Z"}')


def test_long_lines_are_split_at_16_kib(ours):
    ours.run(["sh", "-c", "head -c 40000 /dev/zero | busybox tr '\\0' x; echo"])
    ours.wait()
    assert [len(entry["log"]) for entry in ours.log()] == [16384, 16384, 40000 - 32768 + 1]


def test_rotation_keeps_every_line(ours):
    ours.write_spec(["seq", "1", "20000"])
    ours.start_shim()
    ours.create(stdout=ours.log_uri(max_size=200000, max_file=20))
    ours.call("Start")
    assert ours.wait() == 0
    files = sorted(ours.scratch.glob("c1-json.log*"), key=lambda f: -int(f.suffix[1:]) if f.suffix[1:].isdigit() else 0)
    assert len(files) > 3 and all(f.stat().st_size < 240000 for f in files)
    lines = [json.loads(line)["log"] for file in files for line in file.read_text().splitlines()]
    assert lines == [f"{n}\n" for n in range(1, 20001)]


def test_rotation_drops_the_oldest(ours):
    ours.write_spec(["seq", "1", "20000"])
    ours.start_shim()
    ours.create(stdout=ours.log_uri(max_size=100000, max_file=2))
    ours.call("Start")
    ours.wait()
    assert sorted(f.name for f in ours.scratch.glob("c1-json.log*")) == ["c1-json.log", "c1-json.log.1"]
    assert ours.log()[-1]["log"] == "20000\n"


def test_the_exit_comes_after_the_last_line(ours):
    ours.run(["sh", "-c", "seq 1 30000; exit 4"])
    assert ours.wait() == 4
    assert len(ours.log()) == 30000


def test_a_grandchild_that_keeps_the_output_open_does_not_delay_the_exit(ours):
    def host_pids(spec):
        spec["linux"]["namespaces"] = [n for n in spec["linux"]["namespaces"] if n["type"] != "pid"]

    ours.run(["sh", "-c", "echo hi; sleep 60 & exit 3"], edit=host_pids)
    began = time.monotonic()
    assert ours.wait() == 3
    assert time.monotonic() - began < 2
    assert ours.output() == "hi\n"


def test_file_and_binary_targets(ours, place):
    ours.write_spec(["sh", "-c", "echo one; echo two >&2"])
    ours.start_shim()
    with pytest.raises(RPCError) as refused:
        ours.create(stdout="binary:///bin/logger")
    assert refused.value.code == UNIMPLEMENTED and "binary" in refused.value.message
    ours.create(stdout=f"file://{place}/out", stderr=f"file://{place}/out")
    ours.call("Start")
    ours.wait()
    assert sorted((place / "out").read_text().split()) == ["one", "two"]


def test_fifos(shim, place):
    for name in ("in", "out", "err"):
        os.mkfifo(place / name)
    shim.write_spec(["sh", "-c", "cat; echo bye >&2"])
    shim.start_shim()
    shim.create(stdin=str(place / "in"), stdout=str(place / "out"), stderr=str(place / "err"))
    shim.call("Start")
    out, err = open(place / "out", "rb"), open(place / "err", "rb")
    with open(place / "in", "wb") as stdin:
        stdin.write(b"first ")
    time.sleep(0.2)
    with open(place / "in", "wb") as stdin:  # another client takes over: the first one's end was not the end
        stdin.write(b"second")
        shim.call("CloseIO", (3, True))
    assert out.read() == b"first second" and err.read() == b"bye\n"
    assert shim.wait() == 0


def test_a_full_fifo_holds_the_container_up_and_loses_nothing(ours, place):
    os.mkfifo(place / "out")
    ours.write_spec(["sh", "-c", "yes | head -c 3000000"])
    ours.start_shim()
    ours.create(stdout=str(place / "out"))
    ours.call("Start")
    time.sleep(1)
    assert ours.call("State")[4] == [2]
    with open(place / "out", "rb") as out:
        assert len(out.read()) == 3000000
    assert ours.wait() == 0


def test_a_reader_that_opens_its_fifo_late_misses_nothing(ours, place):
    os.mkfifo(place / "out")
    ours.write_spec(["echo", "hi"])
    ours.start_shim()
    ours.create(stdout=str(place / "out"))
    ours.call("Start")
    time.sleep(0.5)  # echo has long ended
    with open(os.open(place / "out", os.O_RDONLY | os.O_NONBLOCK), "rb") as out:
        assert out.read() == b"hi\n"
    assert ours.wait() == 0


def test_an_exit_is_told_though_nobody_reads_the_fifo(ours, place):
    os.mkfifo(place / "out")
    ours.write_spec(["echo", "hi"])
    ours.start_shim()
    ours.create(stdout=str(place / "out"))
    ours.call("Start")
    began = time.monotonic()
    assert ours.wait() == 0
    assert time.monotonic() - began < 5


def test_what_a_full_fifo_holds_up_at_the_end_is_not_lost(ours, place):
    size = 120000  # more than a FIFO and the shim's buffer hold: a part is still in the process's pipe when it ends
    os.mkfifo(place / "out")
    ours.write_spec(["sh", "-c", f"yes | head -c {size}"])
    ours.start_shim()
    ours.create(stdout=str(place / "out"))
    with open(os.open(place / "out", os.O_RDONLY | os.O_NONBLOCK), "rb") as out:
        ours.call("Start")
        time.sleep(1)
        os.set_blocking(out.fileno(), True)
        assert len(out.read()) == size
    assert ours.wait() == 0


# MARK: attach


def test_attach_before_start_sees_everything(ours):
    ours.write_spec(["sh", "-c", "echo out; echo err >&2; exit 2"])
    ours.start_shim()
    ours.create()
    clients = [Attachment(ours.attach_path) for _ in range(5)] + [Attachment(ours.attach_path, Attachment.STDERR)]
    ours.call("Start")
    outputs = [client.read_all() for client in clients]
    assert outputs[:5] == [{1: b"out\n", 2: b"err\n"}] * 5
    assert outputs[5] == {1: b"", 2: b"err\n"}
    assert ours.wait() == 2
    assert Attachment(ours.attach_path).read_all() == {1: b"", 2: b""}


def test_stdin_and_half_close(ours):
    ours.write_spec(["cat"])
    ours.start_shim()
    ours.create(stdin="attach:")
    client = Attachment(ours.attach_path, 1 | 2 | 4 | 8)
    data = os.urandom(3_000_000)
    writer = threading.Thread(target=lambda: (client.send(data), client.half_close()))
    writer.start()
    ours.call("Start")
    assert client.read_all()[1] == data
    writer.join()
    assert ours.wait() == 0


def test_stdin_stays_open_without_the_flag(ours):
    ours.run(["sh", "-c", "read a; read b; echo $a$b"], stdin="attach:")
    first = Attachment(ours.attach_path, 1)
    first.send(b"1\n")
    first.close()
    second = Attachment(ours.attach_path, 1 | 2)
    second.send(b"2\n")
    assert second.read_all()[1] == b"12\n"


def test_a_client_that_sends_and_goes_is_heard(ours):
    ours.write_spec(["busybox", "wc", "-c"])
    ours.start_shim()
    ours.create(stdin="attach:")
    client = Attachment(ours.attach_path, 1 | 8)
    sender = threading.Thread(target=lambda: (client.send(b"x" * 500_000), client.close()))
    sender.start()
    ours.call("Start")
    assert ours.wait() == 0
    sender.join()
    assert ours.output() == "500000\n"


def test_slow_client_blocks_nobody_for_ever(ours):
    ours.write_spec(["sh", "-c", "yes 0123456789abcde | head -c 8000000"])
    ours.start_shim()
    ours.create()
    slow, fast = Attachment(ours.attach_path), Attachment(ours.attach_path)
    fast_output = []
    reader = threading.Thread(target=lambda: fast_output.append(fast.read_all()))
    ours.call("Start")
    reader.start()
    began = time.monotonic()
    assert ours.wait(timeout=40) == 0
    assert 5 < time.monotonic() - began < 20  # held up once, for the patience that the slow one has
    reader.join()
    assert len(fast_output[0][1]) == 8000000
    assert sum(len(entry["log"]) for entry in ours.log()) == 8000000
    slow.close()


def test_slow_client_that_catches_up_misses_nothing(ours):
    ours.write_spec(["sh", "-c", "yes 0123456789abcde | head -c 6000000"])
    ours.start_shim()
    ours.create()
    client = Attachment(ours.attach_path)
    ours.call("Start")
    time.sleep(2)
    assert len(client.read_all()[1]) == 6000000
    assert ours.wait() == 0


def test_clients_that_come_and_go_leave_nothing(ours):
    ours.run(["sleep", "100"], stdin="attach:")
    pid = ours.pid
    before = len(os.listdir(f"/proc/{pid}/fd"))
    for number in range(300):
        client = Attachment(ours.attach_path, 1 | 2 | 4)
        if number % 3 == 0:
            client.half_close()
        if number % 3 == 1:
            client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
    time.sleep(0.3)
    assert len(os.listdir(f"/proc/{pid}/fd")) == before


# MARK: terminal


def test_terminal(shim):
    shim.write_spec(["sh", "-c", "stty size; read x; stty size; echo got $x; exit 6"], terminal=True)
    shim.start_shim()
    shim.create(terminal=True, stdin="attach:")
    client = Attachment(shim.attach_path, 1 | 2)
    shim.call("ResizePty", (3, 90), (4, 30))
    shim.call("Start")
    client.read_until(b"30 90\r\n")
    shim.call("ResizePty", (3, 120), (4, 40))
    client.send(b"hello\n")
    assert b"40 120\r\ngot hello\r\n" in client.read_all()[1]
    assert shim.wait() == 6
    assert "got hello\r\n" in shim.output()


# MARK: exec


def test_exec(shim, events):
    shim.run(["sleep", "100"])
    path = shim.bundle / "e1.sock"
    shim.exec("e1", ["sh", "-c", "cat; echo err >&2; exit 9"], stdin="attach:", stdout=f"attach://{path}")
    client = Attachment(path, 1 | 2 | 4 | 8)
    client.send(b"early ")
    pid = shim.call("Start", (2, "e1"))[1][0]
    assert shim.call("State", (2, "e1"))[4] == [2]
    with pytest.raises(RPCError) as refused:
        shim.exec("e1", ["true"])
    assert refused.value.code == ALREADY_EXISTS
    client.send(b"late")
    client.half_close()
    assert client.read_all() == {1: b"early late", 2: b"err\n"}
    assert shim.wait("e1") == 9
    assert shim.call("Delete", (2, "e1"))[2] == [9]
    assert not path.exists()
    assert events.wait_for("/tasks/exec-started")[2][3] == [pid]
    assert shim.call("State")[4] == [2]


def test_exec_with_terminal(shim):
    shim.run(["sleep", "100"])
    path = shim.bundle / "e1.sock"
    shim.exec("e1", ["sh"], terminal=True, stdin="attach:", stdout=f"attach://{path}")
    client = Attachment(path, 1 | 2)
    shim.call("Start", (2, "e1"))
    shim.call("ResizePty", (2, "e1"), (3, 77), (4, 11))
    client.send(b"stty size; exit 5\n")
    client.read_until(b"11 77\r\n")
    assert shim.wait("e1") == 5


@pytest.mark.parametrize("terminal", [True, False])
def test_the_request_decides_whether_an_exec_has_a_terminal(shim, terminal):
    """containerd's clients need not set it in the process spec, too."""
    shim.run(["sleep", "100"])
    path = shim.bundle / "e1.sock"
    shim.exec("e1", ["sh", "-c", "test -t 1"], terminal=terminal, stdout=f"attach://{path}", spec={"terminal": not terminal})
    shim.call("Start", (2, "e1"))
    assert shim.wait("e1") == (0 if terminal else 1)


def test_exec_of_nothing(shim):
    shim.run(["sleep", "100"])
    path = shim.bundle / "e1.sock"
    shim.exec("e1", ["nosuch"], stdout=f"attach://{path}")
    client = Attachment(path)
    with pytest.raises(RPCError) as failure:
        shim.call("Start", (2, "e1"))
    assert failure.value.message.startswith("OCI runtime exec failed: ")
    assert 'exec: "nosuch": executable file not found in $PATH' in failure.value.message
    assert client.read_all() == {1: b"", 2: b""}
    shim.call("Delete", (2, "e1"))


def test_kill_of_an_exec_leaves_init(shim):
    shim.run(["sleep", "100"])
    shim.exec("e1", ["sleep", "50"])
    pid = shim.call("Start", (2, "e1"))[1][0]
    listed = [decode(p) for p in shim.call("Pids")[1]]
    assert {p[1][0] for p in listed} >= {pid}
    assert [p for p in listed if p[1][0] == pid][0][2]
    shim.call("Kill", (2, "e1"), (3, 9))
    assert shim.wait("e1") == 137
    assert shim.call("State")[4] == [2]


def test_many_execs_at_once(ours):
    ours.run(["sleep", "100"])
    for number in range(30):
        ours.exec(f"e{number}", ["sh", "-c", f"exit {number}"])
    starts = [ours.begin("Start", (2, f"e{number}")) for number in range(30)]
    waits = [ours.begin("Wait", (2, f"e{number}")) for number in range(30)]
    for stream in starts:
        ours.connection.finish(stream)
    assert [ours.connection.finish(stream).get(1, [0])[0] for stream in waits] == list(range(30))


def test_execs_leave_nothing_in_the_shim(ours):
    ours.run(["sleep", "100"])

    def once(number):
        path = ours.bundle / "e.sock"
        ours.exec(f"e{number}", ["sh", "-c", "cat; seq 1000"], stdin="attach:", stdout=f"attach://{path}")
        client = Attachment(path, 1 | 2 | 8)
        ours.call("Start", (2, f"e{number}"))
        client.half_close()
        assert len(client.read_all()[1]) == 3893
        ours.wait(f"e{number}")
        ours.call("Delete", (2, f"e{number}"))
        return len(os.listdir(f"/proc/{ours.pid}/fd")), resident(ours.pid)

    for number in range(20):
        files, memory = once(number)
    for number in range(20, 100):
        files_after, memory_after = once(number)
    assert files_after == files and memory_after <= memory + 64


# MARK: faults


def resident(pid):
    """VmRSS in KiB."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))


def test_output_outlives_the_deletion_of_its_container(ours):
    """A client that reads late gets everything, although the container is gone and the shim told to end."""
    ours.write_spec(["sh", "-c", "yes 0123456789abcde | head -c 900000"])
    ours.start_shim()
    ours.create()
    client = Attachment(ours.attach_path)
    ours.call("Start")
    assert ours.wait() == 0
    ours.call("Delete")
    ours.call("Shutdown")
    time.sleep(0.5)
    assert len(client.read_all()[1]) == 900000


def little_memory(spec):
    spec["linux"].setdefault("resources", {})["memory"] = {"limit": 16 << 20}


def test_killed_for_want_of_memory_is_told(shim, events):
    shim.run(["sh", "-c", "busybox dd if=/dev/zero of=/dev/null bs=64M count=1"], edit=little_memory)
    assert shim.wait() == 137
    events.wait_for("/tasks/exit")
    assert events.topics()[-2:] == ["/tasks/oom", "/tasks/exit"]


def test_another_process_killed_for_want_of_memory_is_told_at_once(shim, events):
    shim.run(["sh", "-c", "busybox awk 'BEGIN { s = \"x\"; while (1) s = s s }'; exec sleep 1000"], edit=little_memory)
    events.wait_for("/tasks/oom")
    assert shim.call("State")[4] == [2]
    shim.call("Kill", (3, signal.SIGKILL))
    shim.wait()
    events.wait_for("/tasks/exit")


def test_the_supervisor_may_go_and_come_back(ours, events):
    pid = ours.run(["sh", "-c", "sleep 1; echo still; exit 8"])
    ours.connection.close()
    events.close()
    os.unlink(events.path)
    time.sleep(1.5)
    again = EventSink(events.path)
    ours.connection = Connection(ours.socket)
    assert ours.call("State")[3] == [pid]
    assert ours.wait() == 8
    assert ours.output() == "still\n"
    assert again.wait_for("/tasks/exit")[2][4] == [8]
    again.close()


def test_a_second_start_finds_the_first_shim(ours):
    ours.run(["sleep", "100"])
    done = subprocess.run(ours.command("start"), cwd=ours.bundle, env=ours.environment(), capture_output=True)
    assert done.stdout.decode() == "unix://" + ours.socket


def test_delete_command_after_the_shim_was_killed(ours):
    pid = ours.run(["sleep", "100"])
    os.kill(ours.pid, signal.SIGKILL)
    time.sleep(0.2)
    assert os.path.exists(f"/proc/{pid}")  # the container does not notice
    response = ours.delete_command()
    assert response[1] == [pid] and response[2] == [137]
    deadline = time.monotonic() + 5
    while os.path.exists(f"/proc/{pid}") and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not os.path.exists(f"/proc/{pid}") and not os.path.ismount(ours.bundle / "rootfs")
    ours.connection = None


def test_orphans_are_collected(ours):
    ours.run(["sleep", "100"])
    ours.exec("e1", ["sh", "-c", "for i in $(seq 100); do (sleep 0.01 &) ; done; sleep 0.5"])
    ours.call("Start", (2, "e1"))
    ours.wait("e1")
    time.sleep(0.2)
    children = pathlib.Path(f"/proc/{ours.pid}/task/{ours.pid}/children").read_text().split()
    states = [pathlib.Path(f"/proc/{child}/stat").read_text().split()[2] for child in children]
    assert "Z" not in states


def test_idle_memory_is_below_a_megabyte(ours):
    ours.run(["sleep", "100"])
    if (BIN / "swrun-shim").stat().st_size > 2 << 20:
        pytest.skip("not the static program")
    assert resident(ours.pid) < 1024


# MARK: docker-init


@pytest.fixture
def init(place):
    link = place / "docker-init"
    link.symlink_to(BIN / "swrun-shim")
    return str(link)


def test_init_passes_code_and_signals(init):
    assert subprocess.run([init, "--", "sh", "-c", "exit 3"]).returncode == 3
    assert subprocess.run([init, "sh", "-c", "kill -9 $$"]).returncode == 137
    assert subprocess.run([init, "--", "nosuchprogram"], capture_output=True).returncode == 127
    assert subprocess.run([init, "--", "/etc"], capture_output=True).returncode == 126
    child = subprocess.Popen([init, "--", "sh", "-c", "trap 'exit 44' TERM; echo up; while :; do sleep 0.1; done"],
                             stdout=subprocess.PIPE)
    child.stdout.readline()
    child.terminate()
    assert child.wait(10) == 44


def test_init_collects_orphans(init):
    script = "(sleep 0.2 & ) ; sleep 0.6; ps --ppid $PPID -o stat= | grep -c Z"
    done = subprocess.run(["unshare", "-pf", "--mount-proc", init, "--", "sh", "-c", script], capture_output=True)
    assert done.stdout.strip() == b"0"


# MARK: limits and statistics


def statistics(shim):
    """The type of the answer's metrics, and their fields."""
    answer = decode(shim.call("Stats")[1][0])
    return answer[1][0].decode(), decode(answer[2][0])


def test_statistics(shim):
    def limit(spec):
        spec["linux"].setdefault("resources", {})["pids"] = {"limit": 20}

    shim.run(["sh", "-c", "while :; do :; done"], edit=limit)
    time.sleep(0.5)
    kind, fields = statistics(shim)
    assert kind in ("io.containerd.cgroups.v1.Metrics", "io.containerd.cgroups.v2.Metrics")
    pids = fields[2 if "v1" in kind else 1][0]
    assert decode(pids) == {1: [1], 2: [20]}
    if "v1" in kind:
        total = decode(decode(fields[3][0])[1][0])[1][0]
        memory = decode(fields[4][0])
        assert total > 200_000_000 and decode(memory[33][0])[2][0] > 50_000
    shim.call("Kill", (3, signal.SIGKILL))
    shim.wait()
    shim.call("Delete")
    with pytest.raises(RPCError) as refused:
        shim.call("Stats")
    assert refused.value.code == NOT_FOUND


def test_update(shim):
    shim.run(["sleep", "1000"])
    shim.call("Update", (2, [(1, "types.containerd.io/opencontainers/runtime-spec/1/LinuxResources"),
                             (2, json.dumps({"pids": {"limit": 33}}))]))
    kind, fields = statistics(shim)
    assert decode(fields[2 if "v1" in kind else 1][0])[2] == [33]
    with pytest.raises(RPCError) as refused:
        shim.call("Update", (2, [(1, "x"), (2, json.dumps({"cpu": {"cpus": "999"}}))]))
    assert "OCI runtime update failed: " in refused.value.message
