# SPDX-License-Identifier: Apache-2.0
"""Compose's own programs against our daemon: version 2 (docker's plugin) and version 1.29, which speaks through
docker-py. Either is skipped where it is not installed; `SWRUN_COMPOSE` may name the plugin's file."""
import json
import os
import shutil
import subprocess

import pytest
from harness import run, wait_until

PLUGINS = [os.environ.get("SWRUN_COMPOSE", ""), "/usr/libexec/docker/cli-plugins/docker-compose",
           "/usr/lib/docker/cli-plugins/docker-compose", "/usr/local/lib/docker/cli-plugins/docker-compose"]
PROJECT_FILE = """
version: "3.8"
services:
  web:
    image: busybox
    command: sh -c "mkdir -p /w && cd /w && cp /conf/index.html . && exec httpd -f -p 80"
    ports: ["18099:80"]
    depends_on: [db]
    environment: {COLOR: "${COLOR:-red}"}
    env_file: [app.env]
    volumes: ["data:/data", "./conf:/conf:ro"]
    networks: [front, back]
    links: ["db:mydb"]
    extra_hosts: ["outside:192.0.2.1"]
  db:
    image: busybox
    command: sh -c "trap 'exit 0' TERM; echo ready; while :; do sleep 0.1; done"
    networks: {back: {aliases: [database]}}
    ulimits: {nofile: 512}
    sysctls: {net.core.somaxconn: "77"}
  extra:
    image: busybox
    profiles: [debug]
    command: sleep 100
    networks: [back]
networks:
  front: {}
  back: {internal: true}
volumes:
  data: {}
"""


@pytest.fixture(params=["v2", "v1"])
def compose(request, stack, tmp_path):
    """Runs compose in a project of its own, which is taken down afterwards."""
    if request.param == "v2":
        plugin = next((path for path in PLUGINS if path and os.access(path, os.X_OK)), None)
        command = [plugin, "--ansi", "never"]
    else:
        command = [shutil.which("docker-compose"), "--ansi", "never"]
    if not command[0]:
        pytest.skip("this compose is not installed")
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/index.html").write_text("hello compose\n")
    (tmp_path / "app.env").write_text("FILEVAR=fromfile\n")
    (tmp_path / "docker-compose.yml").write_text(PROJECT_FILE)
    project = "p" + os.urandom(3).hex()

    def call(*arguments, start=None, **options):
        words = [*command, "-p", project, *arguments]
        environment = {**stack.environment(), "COMPOSE_IGNORE_ORPHANS": "1"}
        if start:
            return start(words, cwd=tmp_path, env={**os.environ, **environment})
        return run(*words, cwd=tmp_path, env=environment, **options)

    call.project, call.directory, call.separator = project, tmp_path, "-" if request.param == "v2" else "_"
    yield call
    call("--profile", "debug", "down", "-v", "-t", "0", check=False)


def test_a_project_lives_and_goes(compose, stack):
    name = compose.separator.join([compose.project, "{}", "{}"])
    assert set(compose("config", "--services").split()) >= {"web", "db"}
    compose("up", "-d")
    assert compose("port", "web", "80") == "0.0.0.0:18099"
    wait_until(lambda: run("curl", "-s", "http://127.0.0.1:18099/", check=False) == "hello compose", 10, "the page")
    output = compose("exec", "-T", "web", "sh", "-c", "echo $COLOR $FILEVAR; cat /etc/hosts;"
                     "for name in db database mydb; do ping -c1 $name; done")
    assert "red fromfile" in output and "192.0.2.1\toutside" in output
    assert output.count("1 packets received") == 3
    assert "ready" in compose("logs", "db")
    assert "httpd -f -p 80" in compose("top")
    assert compose("exec", "-T", "db", "sh", "-c", "ulimit -n; cat /proc/sys/net/core/somaxconn").split() == ["512", "77"]
    assert compose("run", "--rm", "db", "echo", "run-ok") == "run-ok"

    compose("up", "-d", "--scale", "db=3")
    output = compose("exec", "-T", "web", "nslookup", "-type=a", "db", "127.0.0.11")
    addresses = {line.split()[1] for line in output.splitlines() if line.startswith("Address: ")}
    assert addresses == {stack.inspect(name.format("db", n))["NetworkSettings"]["Networks"][f"{compose.project}_back"][
        "IPAddress"] for n in (1, 2, 3)}

    compose("down", "-v", "-t", "0")
    assert stack.docker("ps", "-aq", "--filter", f"label=com.docker.compose.project={compose.project}") == ""
    assert compose.project not in stack.docker("network", "ls") + stack.docker("volume", "ls")


@pytest.mark.parametrize("compose", ["v2"], indirect=True)
def test_the_other_commands(compose, stack):
    name = compose.separator.join([compose.project, "{}", "{}"])
    compose("up", "-d")
    events = compose("events", "--json", start=lambda words, **options: subprocess.Popen(
        words, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, **options))
    try:
        # The listener is there when it has seen something: pauses go on until it has.
        os.set_blocking(events.stdout.fileno(), False)
        wait_until(lambda: compose("pause", "web") + compose("unpause", "web") + "x" and events.stdout.read(), 20, "an event")
    finally:
        events.kill()
        events.wait()
        events.stdout.close()

    started = stack.inspect(name.format("db", 1))["State"]["StartedAt"]
    compose("restart", "-t", "5", "db")
    assert stack.inspect(name.format("db", 1))["State"]["StartedAt"] != started
    compose("stop", "-t", "0", "web")
    assert not stack.inspect(name.format("web", 1))["State"]["Running"]
    compose("start", "web")
    compose("kill", "db")
    compose("--profile", "debug", "up", "-d", "-t", "0")
    assert stack.inspect(name.format("extra", 1))["State"]["Running"]
    compose("cp", "web:/w/index.html", compose.directory / "out.html")
    assert (compose.directory / "out.html").read_text() == "hello compose\n"
    states = [json.loads(line) for line in compose("ps", "--format", "json").splitlines()]
    assert {state["Service"] for state in states} == {"web", "db", "extra"}



def test_a_changed_project_is_made_again_with_its_volume(compose, stack):
    name = compose.separator.join([compose.project, "web", "1"])
    compose("up", "-d")
    compose("exec", "-T", "web", "sh", "-c", "echo kept > /data/file")
    old = stack.inspect(name)["Id"]
    compose("up", "-d")
    assert stack.inspect(name)["Id"] == old
    project = compose.directory / "docker-compose.yml"
    project.write_text(project.read_text().replace("extra_hosts: [", "hostname: renewed\n    extra_hosts: ["))
    compose("up", "-d", "-t", "0")
    assert stack.inspect(name)["Id"] != old
    assert compose("exec", "-T", "web", "sh", "-c", "cat /data/file; hostname").split() == ["kept", "renewed"]
