# SPDX-License-Identifier: Apache-2.0
"""The events of a container's life, in docker 26's order and with its attributes."""
import json
import time

from harness import wait_until


class Recorder:
    """What `docker events` tells of a span of time."""

    def __init__(self, stack):
        self.stack, self.since = stack, time.time()

    def events(self, *filters):
        words = [word for text in filters for word in ("--filter", text)]
        text = self.stack.docker("events", "--since", f"{self.since:.6f}", "--until", f"{time.time():.6f}", "--format", "{{json .}}", *words)
        return [json.loads(line) for line in text.splitlines()]

    def actions(self, *filters):
        return [f"{event['Type']} {event['Action']}" for event in self.events(*filters)]


def test_networks_and_volumes_of_a_run(stack):
    seen = Recorder(stack)
    stack.docker("volume", "create", "eventful")
    stack.docker("run", "--rm", "--name", "eventful", "-l", "k=v", "-v", "eventful:/v", "busybox", "sh", "-c", "exit 5", check=False)
    stack.docker("volume", "rm", "eventful")
    wait_until(lambda: "container destroy" in seen.actions())
    assert [action for action in seen.actions() if action != "volume destroy"] == [
        "volume create", "container create", "container attach", "network connect", "volume mount", "container start",
        "network disconnect", "volume unmount", "container die", "container destroy"]
    by_action = {f"{event['Type']} {event['Action']}": event["Actor"] for event in seen.events()}
    identifier = by_action["container die"]["ID"]
    assert by_action["container die"]["Attributes"] == {"execDuration": "0", "exitCode": "5", "image": "busybox", "k": "v", "name": "eventful"}
    assert by_action["network connect"]["Attributes"] == {"container": identifier, "name": "bridge", "type": "bridge"}
    assert by_action["network disconnect"] == by_action["network connect"]
    assert by_action["volume mount"] == {"ID": "eventful", "Attributes": {
        "container": identifier, "destination": "/v", "driver": "local", "propagation": "", "read/write": "true"}}
    assert by_action["volume unmount"]["Attributes"] == {"container": identifier, "driver": "local"}


def test_stop_comes_before_die_and_restart_last(stack, container_name):
    stack.docker("run", "-d", "--name", container_name, "--network", "none", "busybox", "sleep", "1000")
    seen = Recorder(stack)
    stack.docker("restart", "-t", "0", container_name)
    stack.docker("stop", "-t", "0", container_name)
    assert seen.actions("type=container", f"container={container_name}") == [
        "container kill", "container kill", "container stop", "container die", "container start", "container restart",
        "container kill", "container kill", "container stop", "container die"]
    assert seen.actions("event=stop", f"container={container_name}") == ["container stop"] * 2
    seen = Recorder(stack)
    stack.docker("start", container_name)
    stack.docker("kill", container_name)
    wait_until(lambda: "container die" in seen.actions())
    assert seen.actions("type=container", "label=nosuch") == []
    assert seen.actions("type=container") == ["container start", "container kill", "container die"]


def test_prunes_are_told(stack):
    kinds = ("container", "volume", "network")
    for kind in kinds:
        stack.docker(kind, "prune", "-f")  # what others left
    seen = Recorder(stack)
    for kind in kinds:
        stack.docker(kind, "prune", "-f")
    told = [event for event in seen.events("event=prune")]
    assert [(event["Type"], event["Actor"]["Attributes"]) for event in told] == [
        (kind, {"reclaimed": "0"}) for kind in kinds]
