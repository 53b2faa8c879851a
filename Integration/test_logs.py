# SPDX-License-Identifier: Apache-2.0
"""Container logs: what was written, in order, over rotation, by time, and while it is written."""
import json
import re
import subprocess
import time

import pytest
from harness import wait_until


@pytest.fixture(scope="module")
def written(stack):
    """A container that has written ten lines, even ones to stdout and odd ones to stderr, with a pause in the middle."""
    name = "logged"
    stack.docker("run", "--name", name, "busybox", "sh", "-c",
                 "for i in 0 1 2 3 4; do echo line $i >&$((i % 2 + 1)); sleep 0.02; done; sleep 1.5;"
                 "for i in 5 6 7 8 9; do echo line $i >&$((i % 2 + 1)); sleep 0.02; done")
    yield name
    stack.docker("rm", name)


def lines(*numbers):
    return "".join(f"line {number}\n" for number in numbers)


def test_streams(stack, written):
    result = stack.docker("logs", written)
    assert (result.out, result.err) == (lines(0, 2, 4, 6, 8), lines(1, 3, 5, 7, 9))


@pytest.mark.parametrize("tail, out, err", [("0", "", ""), ("3", lines(8), lines(7, 9)), ("100", lines(0, 2, 4, 6, 8), lines(1, 3, 5, 7, 9)),
                                            ("all", lines(0, 2, 4, 6, 8), lines(1, 3, 5, 7, 9))])
def test_tail(stack, written, tail, out, err):
    result = stack.docker("logs", "--tail", tail, written)
    assert (result.out, result.err) == (out, err)


def test_times(stack, written):
    result = stack.docker("logs", "-t", written)
    stamps = [line.split(" ", 1)[0] for line in sorted(result.out.splitlines() + result.err.splitlines())]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", stamp) for stamp in stamps)
    assert stack.docker("logs", "--since", stamps[5], written).err == lines(5, 7, 9)
    assert stack.docker("logs", "--until", stamps[4], written).out == lines(0, 2, 4)
    assert stack.docker("logs", "--since", stamps[2], "--until", stamps[6], written).out == lines(2, 4, 6)


def test_rotation_keeps_the_newest(stack, container_name):
    stack.docker("run", "--name", container_name, "--log-opt", "max-size=2k", "--log-opt", "max-file=3", "busybox", "sh", "-c",
                 "i=1; while [ $i -le 500 ]; do echo $i; i=$((i+1)); [ $((i % 10)) = 0 ] && sleep 0.02; done; true")
    kept = stack.docker("logs", container_name).split()
    assert kept == [str(number) for number in range(501 - len(kept), 501)]
    assert 20 < len(kept) < 200
    assert stack.docker("logs", "--tail", "40", container_name).split() == kept[-40:]


def test_following_over_rotation(stack, container_name):
    stack.docker("run", "-d", "--name", container_name, "--log-opt", "max-size=4k", "--log-opt", "max-file=3", "busybox", "sh", "-c",
                 "i=0; while [ $i -lt 400 ]; do echo line $i; i=$((i+1)); [ $((i % 20)) = 0 ] && sleep 0.05; done; true")
    assert stack.docker("logs", "-f", container_name).splitlines() == [f"line {i}" for i in range(400)]


def test_following_ends_with_the_container(stack, container_name):
    stack.docker("run", "-d", "--name", container_name, "busybox", "sh", "-c", "echo a; sleep 0.7; echo b")
    begin = time.monotonic()
    assert stack.docker("logs", "-f", container_name) == "a\nb"
    assert time.monotonic() - begin < 5


def test_a_follower_that_leaves_does_no_harm(stack, container_name):
    stack.docker("run", "-d", "--name", container_name, "busybox", "sh", "-c", "while :; do echo x; sleep 0.1; done")
    client = subprocess.Popen(["docker", "logs", "-f", container_name], env=stack.environment(), stdout=subprocess.PIPE)
    assert client.stdout.readline() == b"x\n"
    client.kill()
    client.wait()
    assert stack.inspect(container_name)["State"]["Running"]


def test_long_lines_and_odd_bytes(stack, container_name):
    stack.docker("run", "--name", container_name, "busybox", "sh", "-c",
                 "head -c 100000 /dev/zero | tr '\\0' x; echo; printf 'quote\" back\\\\ tab\\t é 中\\n'; printf 'no newline'")
    first, second, third = stack.docker("logs", container_name).out.split("\n")
    assert (first, second, third) == ("x" * 100000, 'quote" back\\ tab\t é 中', "no newline")


def test_a_terminal_s_log_is_plain(stack, container_name):
    stack.docker("run", "-t", "--name", container_name, "busybox", "sh", "-c", "echo out; echo err >&2")
    assert stack.docker("logs", container_name).out == "out\r\nerr\r\n"


def test_without_a_log(stack, container_name):
    assert stack.docker("run", "--log-driver", "none", "--name", container_name, "busybox", "echo", "seen") == "seen"
    result = stack.docker("logs", container_name, check=False)
    assert result.code == 1 and "does not support reading" in result.err


@pytest.mark.parametrize("flags, text", [
    (["--log-driver", "nosuch"], 'error looking up logging plugin nosuch: plugin "nosuch" not found'),
    (["--log-opt", "nosuch=1"], "unknown log opt 'nosuch' for json-file log driver"),
    (["--log-opt", "max-size=x"], "failed to create task for container: failed to initialize logging driver: invalid size: 'x'")])
def test_bad_settings_are_refused(stack, flags, text):
    result = stack.docker("run", "--rm", *flags, "busybox", "true", check=False)
    assert result.code == 125 and text in result.err


def log_files(stack, name):
    """Names and sizes of the files that a container's log is in."""
    directory = stack.root / "containers" / stack.inspect(name)["Id"]
    return {str(path.relative_to(directory)): path.stat().st_size for path in directory.rglob("*log*") if path.is_file()}


COUNT = "i=1; while [ $i -le 600 ]; do echo line $i; i=$((i+1)); [ $((i % 20)) = 0 ] && sleep 0.01; done; true"


def test_the_local_driver(stack, container_name):
    stack.docker("run", "--name", container_name, "--log-driver", "local", "busybox", "sh", "-c", "echo out; echo err >&2")
    result = stack.docker("logs", container_name)
    assert (result.out, result.err) == ("out\n", "err\n")
    assert stack.inspect(container_name)["LogPath"] == ""
    assert list(log_files(stack, container_name)) == ["local-logs/container.log"]


@pytest.mark.parametrize("driver", ["local", "json-file"])
def test_full_files_are_compressed(stack, container_name, driver):
    stack.docker("run", "-d", "--name", container_name, "--log-driver", driver, "--log-opt", "max-size=8k", "--log-opt", "max-file=9",
                 "--log-opt", "compress=true", "busybox", "sh", "-c", COUNT)
    expected = [f"line {number}" for number in range(1, 601)]
    assert stack.docker("logs", "-f", container_name).splitlines() == expected
    wait_until(lambda: not [name for name in log_files(stack, container_name) if name[-1].isdigit()])
    assert any(name.endswith(".gz") for name in log_files(stack, container_name))
    assert stack.docker("logs", container_name).splitlines() == expected
    assert stack.docker("logs", "--tail", "300", container_name).splitlines() == expected[-300:]
    stamps = [line.split()[0] for line in stack.docker("logs", "-t", container_name).splitlines()]
    late = stack.docker("logs", "--since", stamps[200], container_name).splitlines()
    assert late == expected[stamps.index(stamps[200]):]


@pytest.mark.parametrize("driver", ["local", "json-file"])
def test_a_busy_log_is_compressed_while_it_is_followed(stack, container_name, driver):
    for pause in ("0", "0.01", "0.02"):
        name = container_name + pause
        stack.docker("run", "-d", "--name", name, "--log-driver", driver, "--log-opt", "max-size=8k", "--log-opt", "max-file=60",
                     "--log-opt", "compress=true", "busybox", "sh", "-c", COUNT.replace("600", "3000").replace("20", "200").replace("0.01", pause))
        expected = [f"line {number}" for number in range(1, 3001)]
        assert stack.docker("logs", "-f", name).splitlines() == expected
        wait_until(lambda: not [file for file in log_files(stack, name) if file[-1].isdigit()])
        assert stack.docker("logs", name).splitlines() == expected
        stack.docker("rm", "-f", name)


def test_a_log_of_one_file_begins_anew(stack, container_name):
    stack.docker("run", "-d", "--name", container_name, "--log-opt", "max-size=8k", "busybox", "sh", "-c", COUNT)
    assert stack.docker("logs", "-f", container_name).splitlines()[-1] == "line 600"
    kept = stack.docker("logs", container_name).splitlines()
    assert kept == [f"line {number}" for number in range(601 - len(kept), 601)] and len(kept) < 300


def test_what_is_told_of_each_line(stack, container_name):
    stack.docker("run", "--name", container_name, "-l", "color=dark blue", "-l", "size=9", "-l", "xyz=1", "-e", "SHAPE=round", "-e", "OTHER=1",
                 "--log-opt", "labels=color", "--log-opt", "labels-regex=^si", "--log-opt", "env=SHAPE,NONE",
                 "--log-opt", "tag={{.Name}}/{{.ImageName}}", "busybox", "echo", "seen")
    attributes = {"SHAPE": "round", "color": "dark blue", "size": "9", "tag": f"{container_name}/busybox"}
    line = json.loads(open(stack.inspect(container_name)["LogPath"]).read())
    assert list(line) == ["log", "stream", "attrs", "time"] and line["attrs"] == attributes
    for client in (stack.docker, stack.swrun):
        assert client("logs", "--details", container_name) == f"SHAPE=round,color=dark+blue,size=9,tag={container_name}%2Fbusybox seen"
