# SPDX-License-Identifier: Apache-2.0
"""The command line: every test runs with docker's client and with ours against the same daemon, so that a wrong
expectation shows with the former and a wrong client with the latter."""
import concurrent.futures
import json
import os
import re
import shutil
import stat
import subprocess
import time

import pexpect
import pytest

from harness import BIN


@pytest.fixture(params=["docker", "swrun"])
def program(request, stack):
    """The path of either client and its environment."""
    path = shutil.which("docker") if request.param == "docker" else str(BIN / "swrun")
    if not path:
        pytest.skip("no docker client on this machine")
    return path


@pytest.fixture
def terminal(program, stack):
    """Starts a client on a terminal of 33 rows and 111 columns."""
    sessions = []

    def start(*arguments):
        session = pexpect.spawn(program, list(arguments), timeout=20, dimensions=(33, 111), encoding="utf-8",
                                env={**os.environ, **stack.environment()})
        sessions.append(session)
        return session

    yield start
    for session in sessions:
        session.close(force=True)


def exit_code(session):
    session.expect(pexpect.EOF)
    session.close()
    return session.exitstatus


def neutral(text):
    """Docker's name in place of ours, ends of lines without blanks."""
    return "\n".join(line.rstrip() for line in text.replace("swrun", "docker").strip().split("\n"))


def usage(name, rest, verb="Run"):
    return f"\n\nUsage:  docker {name} {rest}\n\n{verb} 'docker {name} --help' for more information"


RUN = usage("run", "[OPTIONS] IMAGE [COMMAND] [ARG...]")
PS = usage("ps", "[OPTIONS]")
MISTAKES = [
    ("nosuch", 1, "docker: unknown command: docker nosuch\n\nRun 'docker --help' for more information"),
    ("container nosuch", 1, "docker: unknown command: docker container nosuch\n\nUsage:  docker container\n\n"
                            "Run 'docker container --help' for more information"),
    ("ps --bad", 125, "unknown flag: --bad" + PS),
    ("ps -x", 125, "unknown shorthand flag: 'x' in -x" + PS),
    ("ps extra", 1, "docker: 'docker ps' accepts no arguments" + PS),
    ("ps --last=x", 125, 'invalid argument "x" for "-n, --last" flag: strconv.ParseInt: parsing "x": invalid syntax' + PS),
    ("ps -f foo", 125, 'invalid argument "foo" for "-f, --filter" flag: bad format of filter (expected name=value)' + PS),
    ("run --name", 125, "flag needs an argument: --name" + RUN),
    ("run -m x busybox", 125, "invalid argument \"x\" for \"-m, --memory\" flag: invalid size: 'x'" + RUN),
    ("run -e = busybox", 125, 'invalid argument "=" for "-e, --env" flag: invalid environment variable: =' + RUN),
    ("run --mount foo busybox", 125,
     "invalid argument \"foo\" for \"--mount\" flag: invalid field 'foo' must be a key=value pair" + RUN),
    ("run -p x busybox", 125, "docker: invalid containerPort: x\n\nRun 'docker run --help' for more information"),
    ("run --rm --restart always busybox", 125, "docker: conflicting options: cannot specify both --restart and --rm\n\n"
                                              "Run 'docker run --help' for more information"),
    ("run -d -a stdout busybox", 1, "conflicting options: cannot specify both --attach and --detach"),
    ("run -it busybox sh", 1, "the input device is not a TTY"),
    ("image rm", 1, "docker: 'docker image rm' requires at least 1 argument"
     + usage("image rm", "[OPTIONS] IMAGE [IMAGE...]", "See")),
    ("tag a", 1, "docker: 'docker tag' requires 2 arguments"
     + usage("tag", "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]")),
    ("pull UPPER", 1, "invalid reference format: repository name (library/UPPER) must be lowercase"),
    ("-H unix:///nope.sock ps", 1,
     "Cannot connect to the Docker daemon at unix:///nope.sock. Is the docker daemon running?"),
    ("inspect -f {{if x", 64, "template parsing error: template: :1: unclosed action"),
    ("-H unix:///a -H unix:///b ps", 1,
     "Failed to initialize: unable to resolve docker endpoint: Specify only one -H"),
    ("-l foo ps", 1, "Unable to parse logging level: foo"),
    ("run --device /dev/null:/y:rz busybox", 125,
     "docker: bad mode specified: rz\n\nRun 'docker run --help' for more information"),
    ("run -v :/b busybox", 125,
     "docker: invalid spec: :/b: empty section between colons\n\nRun 'docker run --help' for more information"),
    ("run --ulimit foo=1 busybox", 125,
     'invalid argument "foo=1" for "--ulimit" flag: invalid ulimit type: foo' + RUN),
    ("run --network name=a,gw-priority=x busybox", 125,
     'invalid argument "name=a,gw-priority=x" for "--network" flag: invalid gw-priority (x): invalid syntax' + RUN),
    ("update nosuch", 1, "you must provide one or more flags when using this command"),
    ("rename a ", 1, "Error: Neither old nor new names may be empty"),
    ("save -o /tmp busybox", 1, "failed to save image: cannot write to a directory"),
    ("save -o /nosuch/x busybox", 1, "failed to save image: invalid output path: stat /nosuch: no such file or directory"),
    ("push busybox@sha256:" + 64 * "1", 1, "cannot push a digest reference"),
    ("commit nosuch busybox@sha256:" + 64 * "1", 1, "refusing to create a tag with a digest reference"),
    ("events --until foo", 1, 'failed to parse value as time or duration: "foo"'),
    ("network create --subnet 10.0.0.0/8 --subnet 10.1.0.0/16 n", 1,
     "multiple overlapping subnet configuration is not supported"),
    ("network create --subnet 10.0.0.0/8 --aux-address a=11.0.0.1 n", 1, "no matching subnet for aux-address 11.0.0.1"),
    ("network create --subnet 10.0.0.0/8 --gateway 10.0.0.1,10.0.0.2 n", 1,
     "every ip-range or gateway must have a corresponding subnet"),
    ("volume create --name a b", 1,
     "conflicting options: cannot specify a volume-name through both --name and as a positional arg"),
    ("volume prune -af --filter all=1", 1, "conflicting options: cannot specify both --all and --filter all=1"),
    ("system prune -f --volumes --filter until=1h", 1, 'ERROR: The "until" filter is not supported with "--volumes"'),
    ("inspect nosuch", 1, "Error: No such object: nosuch"),
    ("start nosuch", 1, "Error response from daemon: No such container: nosuch\nError: failed to start containers: nosuch"),
]


@pytest.mark.parametrize("words, code, text", MISTAKES, ids=[words for words, _, _ in MISTAKES])
def test_mistakes_have_known_texts_and_codes(cli, words, code, text):
    result = cli(*words.split(" "), check=False)
    assert (result.code, neutral(result.err)) == (code, text)


@pytest.mark.parametrize("script, code", [("exit 0", 0), ("exit 7", 7), ("sh -c 'kill -9 $$'; exit $?", 137)])
def test_exit_code_is_the_containers(cli, script, code):
    assert cli("run", "--rm", "busybox", "sh", "-c", script, check=False).code == code


@pytest.mark.parametrize("command, code", [("nosuch", 127), ("/etc", 126)])
def test_what_cannot_be_run_has_its_own_code(cli, command, code):
    result = cli("run", "--rm", "busybox", command, check=False)
    assert result.code == code
    assert neutral(result.err).startswith("docker: Error response from daemon: ")
    assert neutral(result.err).endswith("Run 'docker run --help' for more information")


def test_streams_stay_apart_and_input_ends(cli):
    result = cli("run", "-i", "--rm", "busybox", "sh", "-c", "cat; echo err >&2; exit 3", input="one\ntwo\n", check=False)
    assert (result.code, result.out, result.err) == (3, "one\ntwo\n", "err\n")


def test_much_data_goes_both_ways(cli):
    result = cli("run", "-i", "--rm", "busybox", "cat", input=os.urandom(3_000_000).hex())
    assert len(result.raw) == 6_000_000


@pytest.mark.parametrize("words", [["run", "-i", "--rm", "busybox", "cat"], ["exec", "-i", "{name}", "cat"]], ids=["run", "exec"])
def test_both_ways_at_once_many_times(stack, container_name, words):
    """Whoever sends waits for room that the other one makes by receiving; only one of many runs comes to that."""
    stack.docker("run", "-d", "--init", "--name", container_name, "busybox", "sleep", "1000")
    data = os.urandom(2_000_000).hex()
    for _ in range(3):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            command = [word.format(name=container_name) for word in words]
            results = list(pool.map(lambda _: stack.swrun(*command, input=data).out, range(12)))
        assert all(result == data for result in results)


def test_lists_and_formats(cli, container_name):
    identity = cli("run", "-d", "--name", container_name, "-l", "color=blue", "busybox", "sleep", "1000")
    assert re.fullmatch("[0-9a-f]{64}", identity)
    row = [line for line in cli("ps").split("\n") if container_name in line][0]
    assert row.startswith(f"{identity[:12]}   busybox") and '"sleep 1000"' in row
    assert cli("ps").split("\n")[0].split("   ")[0] == "CONTAINER ID"
    assert cli("ps", "-q", "--no-trunc", "-f", f"name={container_name}") == identity
    form = 'table {{.Names}}\\t{{.Label "color"}}|{{upper .State}}'
    assert cli("ps", "-f", f"name={container_name}", "--format", form).split("\n")[1].split() == [container_name, "blue|RUNNING"]
    assert json.loads(cli("ps", "-f", f"name={container_name}", "--format", "json"))["ID"] == identity[:12]
    assert cli("inspect", "-f", "{{.Name}} {{.State.Running}} {{index .Config.Labels \"color\"}}", container_name) == \
        f"/{container_name} true blue"
    assert cli("inspect", "-f", "{{range .Config.Cmd}}[{{.}}]{{end}}{{if .State.Health}}x{{end}}", container_name) == "[sleep][1000]"
    missing = cli("inspect", "-f", "{{.Nope}}", container_name, check=False)
    assert missing.code == 1 and 'map has no entry for key "Nope"' in missing.err


def test_one_failure_does_not_stop_the_others(cli, container_name):
    cli("create", "--name", container_name, "busybox")
    result = cli("rm", "nosuch1", container_name, "nosuch2", check=False)
    assert (result.code, result.out) == (1, container_name + "\n")
    assert result.err == "Error response from daemon: No such container: nosuch1\nError response from daemon: No such container: nosuch2\n"


def test_files_given_to_run(cli, container_name, tmp_path):
    (tmp_path / "env").write_text("# comment\nA=1\nHOME\nB=x y\n")
    (tmp_path / "labels").write_text("l1=v1\n")
    result = cli("run", "--name", container_name, "--cidfile", tmp_path / "cid", "--env-file", tmp_path / "env",
                 "--label-file", tmp_path / "labels", "-e", "A=2", "busybox", "sh", "-c", "echo $A $B")
    assert result == "2 x y"
    assert cli("inspect", "-f", "{{.Id}} {{.Config.Labels.l1}}", container_name) == (tmp_path / "cid").read_text() + " v1"
    again = cli("run", "--cidfile", tmp_path / "cid", "busybox", check=False)
    assert again.code == 125 and "container ID file found" in again.err


def test_events_have_docker_s_field_names(cli, container_name):
    begin = str(int(time.time()))
    identity = cli("create", "--name", container_name, "busybox")
    form = "{{.Type}} {{.Action}} {{.ID}} {{.Actor.Attributes.name}} {{.Scope}} {{.Time}}"
    lines = cli("events", "--since", begin, "--until", str(int(time.time()) + 1), "-f", "event=create",
                "-f", f"container={container_name}", "--format", form).split("\n")
    assert re.fullmatch(rf"container create {identity} {container_name} local \d{{10}}", lines[0])


def test_json_of_a_part_has_only_what_the_daemon_said(cli, container_name):
    cli("create", "--name", container_name, "busybox")
    assert "Health" not in json.loads(cli("inspect", "-f", "{{json .State}}", container_name))
    assert cli("inspect", "-f", "{{if .State.Health}}x{{else}}none{{end}}", container_name) == "none"


def test_help_is_everywhere(cli):
    for words in (["--help"], ["container"], ["container", "--help"], ["run", "--help"], ["image", "ls", "--help"]):
        result = cli(*words)
        assert "Usage:" in result.out + result.err
    assert neutral(cli("ps", "--help")).split("\n")[5] == "  docker container ls, docker container list, docker container ps, docker ps"


# --- the grammar of docker's client: its prose is its own, names and types are a contract


def page(path, words):
    """The layout of a help page, without prose: usage lines, aliases, flags and commands."""
    result = subprocess.run([path, *words, "--help"], capture_output=True, text=True, check=True)
    text = neutral(result.stdout + result.stderr)
    flags = {match.groups() for match in
             re.finditer(r"^  (?:-(\w), |    )--([\w-]+)(?: (\S+))?(?:   |$)", text, re.MULTILINE)}
    sections = re.findall(r"^(?:[A-Z]\w+ )?Commands:\n((?:  .*\n)+)", text, re.MULTILINE)
    commands = {line.split()[0].rstrip("*") for section in sections for line in section.splitlines()}
    return {"usage": text.split("\n\n")[0], "aliases": re.findall(r"^Aliases:\n(.*)", text, re.MULTILINE),
            "flags": flags, "commands": commands - {"buildx", "compose", "trust"}}


def is_planned(words):
    return "not implemented" in subprocess.run([BIN / "swrun", *words, "--x"], capture_output=True, text=True).stderr


def test_commands_and_flags_are_those_of_docker():
    docker = shutil.which("docker")
    if not docker:
        pytest.skip("no docker client on this machine")
    pending = [[]]
    while pending:
        words = pending.pop()
        theirs = page(docker, words)
        if words and not theirs["commands"] and is_planned(words):
            continue
        ours = page(BIN / "swrun", words)
        missing = {" ".join([*words, name]) for name in theirs["commands"] - ours["commands"]} - {"builder build"}
        assert (ours["usage"] if words else "", ours["aliases"], ours["flags"], missing) == \
            (theirs["usage"] if words else "", theirs["aliases"], theirs["flags"], set()), words
        pending += [[*words, name] for name in theirs["commands"] & ours["commands"]]


# --- on a terminal


def test_terminal_has_our_size_and_follows_it(terminal):
    session = terminal("run", "-it", "--rm", "busybox", "sh")
    session.expect("/ # ")
    session.sendline("stty size")
    session.expect("33 111")
    session.setwinsize(44, 122)
    time.sleep(0.5)
    session.sendline("stty size")
    session.expect("44 122")
    session.sendline("exit 3")
    assert exit_code(session) == 3


def test_detach_keys_leave_the_container_running(terminal, stack, container_name):
    session = terminal("run", "-it", "--name", container_name, "busybox", "sh")
    session.expect("/ # ")
    session.send("\x10\x11")
    assert exit_code(session) == 0
    assert stack.docker("inspect", "-f", "{{.State.Running}}", container_name) == "true"
    session = terminal("attach", container_name)
    time.sleep(0.5)
    session.sendline("echo a$((1+1))b")
    session.expect("a2b")
    session.sendline("exit 5")
    assert exit_code(session) == 5


def test_interrupt_reaches_the_container(terminal):
    script = 'trap "echo GOT; exit 9" INT; echo ready; while :; do sleep 0.1; done'
    for flags in (["-it"], []):
        session = terminal("run", *flags, "--rm", "busybox", "sh", "-c", script)
        session.expect("ready")
        session.send("\x03")
        session.expect("GOT")
        assert exit_code(session) == 9


def test_exec_on_a_terminal(terminal, stack, container_name):
    stack.docker("run", "-d", "--name", container_name, "busybox", "sleep", "1000")
    session = terminal("exec", "-it", container_name, "sh")
    session.expect("/ # ")
    session.sendline("stty size; exit 7")
    session.expect("33 111")
    assert exit_code(session) == 7


def test_prompt_takes_only_yes(terminal, stack, container_name):
    stack.docker("create", "--name", container_name, "busybox")
    for answer, left in (("n", 1), ("y", 0)):
        session = terminal("container", "prune")
        session.expect(r"\[y/N\] ")
        session.sendline(answer)
        assert exit_code(session) == 0
        assert len(stack.docker("ps", "-aq", "-f", f"name={container_name}").split()) == left


def test_terminal_is_put_back(program, stack):
    """The shell's own settings must survive a raw session that is killed by a wrong command."""
    script = f"before=$(stty -g); {program} run -it --rm busybox nosuch; test \"$before\" = \"$(stty -g)\" && echo SAME"
    session = pexpect.spawn("/bin/sh", ["-c", script], timeout=20, encoding="utf-8",
                            env={**os.environ, **stack.environment()})
    session.expect("SAME")


# --- only ours


def test_start_up_is_fast():
    times = []
    for _ in range(20):
        begin = time.perf_counter()
        subprocess.run([BIN / "swrun", "--version"], stdout=subprocess.DEVNULL, check=True)
        times.append(time.perf_counter() - begin)
    assert min(times) < 0.05


def test_commands_to_come_say_so(stack):
    result = stack.swrun("swarm", "init", "--force-new-cluster", check=False)
    assert (result.code, result.err) == (1, "swrun: 'swrun swarm init' is not implemented by swrun yet\n")


@pytest.mark.parametrize("words", [["volume", "ls", "--cluster"], ["volume", "create", "--group", "g"]])
def test_flags_to_come_are_not_ignored(stack, words):
    result = stack.swrun(*words, check=False)
    assert result.code != 0 and "is not supported by swrun yet" in result.err


def test_saving_never_replaces_what_is_no_file(stack, tmp_path):
    """A device, a pipe or a link at the output's place stays what it is."""
    device, pipe, link, target = (tmp_path / name for name in ("device", "pipe", "link", "target"))
    os.mknod(device, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    os.mkfifo(pipe)
    link.symlink_to(target)
    result = stack.swrun("save", "-o", device, "busybox", check=False)
    assert (result.code, result.err) == (1, "failed to save image: cannot write to a character device file\n")
    assert stat.S_ISCHR(os.lstat(device).st_mode)
    with subprocess.Popen(["/bin/sh", "-c", f"cat {pipe} >{tmp_path}/piped"]) as reader:
        stack.swrun("save", "-o", pipe, "busybox")
    assert reader.returncode == 0 and stat.S_ISFIFO(os.lstat(pipe).st_mode)
    target.write_text("old")
    stack.swrun("save", "-o", link, "busybox")
    assert link.is_symlink() and target.stat().st_size == (tmp_path / "piped").stat().st_size > 10000
