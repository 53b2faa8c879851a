# SPDX-License-Identifier: Apache-2.0
"""Pull, load and save of images, from a registry on loopback."""
import os
import pathlib
import subprocess

from benchmarks.measure import BIN, PROJECT, Table, peak_of, timed
from benchmarks.rivals import Docker


class ImageSide:
    """One engine as a client of the registry on loopback; `forget` makes its store cold again."""

    def __init__(self, name, environment, program, daemons):
        self.name, self.environment, self.program, self.daemons = name, environment, program, daemons

    def timed(self, *arguments):
        return timed([*self.program, *arguments], self.environment)


class DockerSide(ImageSide):
    def pull(self, reference):
        return self.timed("pull", "-q", reference)

    def forget(self, reference):
        self.timed("rmi", "-f", reference)


class CtrSide(ImageSide):
    def pull(self, reference):
        return self.timed("images", "pull", "--plain-http", reference)

    def forget(self, reference):
        self.timed("images", "rm", "--sync", reference)


def bench_images(work, rounds, rivals):
    """Pull with unpacking, load and save of a large image, one of 60 layers and a Debian, all from a cold store."""
    from harness import Stack
    images = pathlib.Path(os.environ["SWRUN_BENCH_IMAGES"])
    registry = [PROJECT / "Integration/tools/registry-up", "--dir", work / "registry"]
    subprocess.run([*registry, "--images", images, "start", "http"], check=True, stdout=subprocess.DEVNULL)
    stack = Stack(work / "image-stack", name="benchimages")
    stack.start()
    docker = Docker(work, rivals)
    containerd = work / "docker/exec/containerd/containerd.sock"
    sides = [
        DockerSide("swrun", stack.environment(), [BIN / "swrun"], [stack.process.pid, stack.supervisor_pid()]),
        DockerSide("dockerd", docker.environment, ["docker"], docker.daemons()),
        CtrSide("containerd (ctr)", {}, [*rivals.command("ctr"), "-a", containerd, "-n", "bench"], [])]
    try:
        for image in ("big", "layers60", "debian"):
            reference = f"127.0.0.1:5100/library/{image}:latest"
            pull, memory = Table(f"pull and unpack: {image}"), Table(f"pull of {image}: peak memory of the daemons", "MB")
            time_pulls(pull, sides, reference, rounds)
            for side in sides:
                if side.daemons:
                    memory.add(side.name, peak_of(side.daemons, lambda: side.pull(reference)))
                    side.forget(reference)
            yield from (pull, memory)
        yield bench_second_pull(work, sides, rounds)
        for image in ("big", "debian"):
            yield from bench_archives(work, images, image, sides[:2], rounds)
    finally:
        docker.stop()
        stack.destroy()
        subprocess.run([*registry, "stop"], check=True)


def time_pulls(table, sides, reference, rounds):
    """Pulls that begin without the image; the first round does not count."""
    for number in range(rounds + 1):
        for side in sides:
            elapsed = side.pull(reference)
            side.forget(reference)
            if number:
                table.add(side.name, elapsed)


def bench_second_pull(work, sides, rounds):
    """An image of which all layers but a small one are here already."""
    base, reference = "127.0.0.1:5100/library/big:latest", "127.0.0.1:5100/library/big-next:latest"
    ours = sides[0]
    (work / "new").write_text("new\n")
    ours.pull(base)
    ours.timed("create", "--name", "next", base, "true")
    ours.timed("cp", work / "new", "next:/new")
    ours.timed("commit", "next", reference)
    ours.timed("push", "-q", reference)
    ours.timed("rm", "next")
    ours.forget(reference)
    ours.forget(base)
    table = Table("second pull: all but a small layer is here")
    for side in sides:
        side.pull(base)
    time_pulls(table, sides, reference, rounds)
    for side in sides:
        side.forget(base)
    return table


def bench_archives(work, images, image, sides, rounds):
    load, save = Table(f"load: {image}"), Table(f"save: {image}")
    archive = work / f"{image}.tar"
    subprocess.run(["skopeo", "copy", "-q", f"oci:{images}/oci/{image}:latest", f"docker-archive:{archive}:bench/{image}:latest"],
                   check=True, stdout=subprocess.DEVNULL)
    for number in range(rounds + 1):
        for side in sides:
            loaded = side.timed("load", "-q", "-i", archive)
            saved = side.timed("save", "-o", work / "saved.tar", f"bench/{image}:latest")
            side.timed("rmi", "-f", f"bench/{image}:latest")
            if number:
                load.add(side.name, loaded)
                save.add(side.name, saved)
    return [load, save]
