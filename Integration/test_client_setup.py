# SPDX-License-Identifier: Apache-2.0
"""Contexts and shell completion: what the client does without, or before, a daemon."""
import os
import shutil
import subprocess

import pytest

from harness import BIN, run

CONTEXTS = [
    "context create foo --docker host=tcp://192.0.2.1:2376 --description words", "context create bar --docker host=unix:///x",
    "context ls", "context inspect foo bar", "context use foo", "context show", "context ls", "context rm foo",
    "context rm -f foo", "context rm nope", "context ls -q", "context create bar", "context create default",
    "context create x", "context update bar --description other", "context update bar --docker skip-tls-verify=true,host=tcp://h",
    "context inspect nope", "context use nope", "context export bar FILE", "context import baz FILE",
    "context import baz FILE", "context create copy --from bar", "context create yy --docker nope=1",
    "context ls --format json", "context ls --format {{.Name}}={{.Current}}", "context update nope", "context rm default",
    "context create zz --docker ca=/absent", "context use default", "context inspect baz", "--context nope ps",
    "context export bar FILE",
]


def test_contexts_as_docker_has_them(tmp_path):
    """The same commands with both clients in the same place: outputs, exit codes and files are equal."""
    if not shutil.which("docker"):
        pytest.skip("no docker client on this machine")
    found = {}
    for client in ("docker", BIN / "swrun"):
        home = tmp_path / "config"
        env = {"DOCKER_CONFIG": str(home), "HOME": str(tmp_path), "DOCKER_HOST": "unix:///nowhere"}
        answers = []
        for line in CONTEXTS:
            result = run(client, *line.replace("FILE", str(tmp_path / "export")).split(), env=env, check=False)
            answers.append((line, result.code, result.out, result.err))
        files = {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("meta.json")}
        found[str(client)] = answers, files
        shutil.rmtree(home)
        (tmp_path / "export").unlink()
    (docker, docker_files), (ours, our_files) = found.values()
    for expected, answer in zip(docker, ours):
        assert answer == expected
    assert our_files == docker_files


def test_a_context_with_docker_s_archive(tmp_path):
    if not shutil.which("docker"):
        pytest.skip("no docker client on this machine")
    for name in ("ca", "cert", "key"):
        (tmp_path / name).write_text(f"-----BEGIN {name}-----\n")
    env = {"DOCKER_CONFIG": str(tmp_path / "c"), "HOME": str(tmp_path)}
    keys = ",".join(f"{name}={tmp_path / name}" for name in ("ca", "cert", "key"))
    run(BIN / "swrun", "context", "create", "keys", "--docker", f"host=tcp://192.0.2.1:2376,{keys}", env=env)
    for writer, reader in ((BIN / "swrun", "docker"), ("docker", BIN / "swrun")):
        archive = run(writer, "context", "export", "keys", "-", env=env).raw
        name = "from-" + str(writer).rpartition("/")[2]
        run(reader, "context", "import", name, "-", env=env, input=archive)
        assert '"ca.pem"' in run("docker", "context", "inspect", name, env=env)


@pytest.mark.parametrize("words, wanted, unwanted", [
    ([""], {"run", "container", "completion"}, {"__complete"}),
    (["ru"], {"run"}, {"container"}),
    (["container", "st"], {"start", "stop", "stats"}, {"run"}),
    (["-H", "unix:///nowhere", "context", "u"], {"use", "update"}, {"ls"}),
    (["run", "--mem"], {"--memory", "--memory-swap"}, {"--rm"}),
    (["run", "busy"], {"busybox:latest"}, set()),
    (["start", "comp"], {"completed"}, set()),
    (["stop", "comp"], set(), {"completed"}),
    (["volume", "rm", "comp"], {"completed-volume"}, set()),
    (["context", "use", ""], {"default"}, set()),
])
def test_completion(stack, words, wanted, unwanted):
    if not stack.docker("ps", "-aq", "--filter", "name=completed"):
        stack.docker("create", "--name", "completed", "-v", "completed-volume:/v", "busybox")
    found = {line.split("\t")[0] for line in stack.swrun("__complete", *words).splitlines()}
    assert wanted <= found and not found & unwanted


def test_completion_in_bash(stack):
    """The script itself, asked as readline asks it."""
    script = ('source <(swrun completion bash); COMP_WORDS=(swrun image pr); COMP_CWORD=2; _swrun; echo "${COMPREPLY[*]}"; '
              'COMP_WORDS=(swrun run --rm busy); COMP_CWORD=3; _swrun; echo "${COMPREPLY[*]}"')
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True,
                          env={**stack.environment(), "PATH": f"{BIN}:/usr/bin:/bin"})
    assert done.stdout.split() == ["prune", "busybox:latest"], done.stderr
    for shell in ("zsh", "fish"):
        text = stack.swrun("completion", shell)
        assert "swrun __complete" in text
        if shutil.which(shell):
            assert subprocess.run([shell, "-n"], input=text, text=True, capture_output=True).returncode == 0
    stack.docker("rm", "-v", "completed", check=False)
    stack.docker("volume", "rm", "-f", "completed-volume", check=False)


@pytest.fixture
def remote(stack, tmp_path):
    """A machine "box" that ssh leads to, with swrun on it; what it runs is noted. Gives the environment of a client."""
    here, there = tmp_path / "here", tmp_path / "there"
    for path in (here, there):
        path.mkdir()
    (there / "swrun").symlink_to(BIN / "swrun")
    (there / "docker").symlink_to(BIN / "swrun")
    (here / "ssh").write_text(f"""#!/bin/sh
echo "$@" >> {tmp_path}/calls
while [ "$1" != -- ]; do shift; done
[ "$2" = box ] || {{ echo "no such machine: $2" >&2; exit 255; }}
shift 2
PATH={there}:$PATH DOCKER_HOST=unix://{stack.socket} exec sh -c "$*"
""")
    (here / "ssh").chmod(0o755)
    return {"PATH": f"{here}:{os.environ['PATH']}", "HOME": str(tmp_path), "DOCKER_HOST": "ssh://me@box:99"}


@pytest.mark.parametrize("client", ["docker", "swrun"])
def test_a_daemon_behind_ssh(remote, client, tmp_path, container_name):
    """docker's client finds `system dial-stdio` of ours there, and ours finds it as well."""
    if client == "docker" and not shutil.which("docker"):
        pytest.skip("no docker client on this machine")
    program = shutil.which("docker") if client == "docker" else BIN / "swrun"
    assert run(program, "run", "--rm", "-i", "--name", container_name, "busybox", "sh", "-c", "cat; echo err >&2; exit 3",
               env=remote, input="to and fro\n" * 1000, check=False).out == "to and fro\n" * 1000
    run(program, "create", "--name", container_name, "busybox", env=remote)
    (tmp_path / "file").write_bytes(b"x" * 3_000_000)
    run(program, "cp", tmp_path / "file", f"{container_name}:/file", env=remote)
    assert run(program, "cp", f"{container_name}:/file", "-", env=remote).raw.count(b"x") >= 3_000_000
    assert "-l me -p 99 -- box " in (tmp_path / "calls").read_text()


def test_a_machine_that_ssh_does_not_know(remote):
    failed = run(BIN / "swrun", "-H", "ssh://nowhere", "ps", env={**remote, "DOCKER_HOST": ""}, check=False)
    assert failed.code == 1 and "no such machine: nowhere" in failed.err and "make sure the URL is valid" in failed.err
    assert "dial-stdio" not in run(BIN / "swrun", "system", "--help")
