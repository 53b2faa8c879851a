# SPDX-License-Identifier: Apache-2.0
"""python-on-whales, which calls the docker command line. Run by test_clients.py."""
import shutil
import sys

from python_on_whales import docker
from python_on_whales.exceptions import DockerException

if not shutil.which("docker"):
    sys.exit(0)  # nothing to drive
assert docker.run("busybox", ["echo", "hello"], remove=True) == "hello"
with docker.run("busybox", ["sleep", "600"], detach=True, name="whales-smoke", labels={"a": "b"},
                stop_timeout=1) as container:
    assert container.state.running and container.config.labels == {"a": "b"}
    assert docker.execute(container, ["echo", "x"]) == "x"
    assert container.id in [one.id for one in docker.ps()]
    assert docker.image.inspect("busybox").repo_tags == ["busybox:latest"]
    container.pause()
    container.unpause()
    assert docker.container.stats([container])[0].container_name == "whales-smoke"
assert not docker.container.exists("whales-smoke")
volume = docker.volume.create("whales-smoke")
assert volume.driver == "local"
volume.remove()
network = docker.network.create("whales-smoke")
network.remove()
try:
    docker.run("busybox", ["false"])
    raise SystemExit("a failure was not told")
except DockerException as error:
    assert error.return_code == 1
docker.container.prune()
assert docker.system.info().id
