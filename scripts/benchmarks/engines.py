# SPDX-License-Identifier: Apache-2.0
"""Commands of the client against both engines, and the memory that the engines take."""
import time
from benchmarks.containers import API, bench_containers
from benchmarks.measure import BIN, Table, memory_of, processes_named, timed
from benchmarks.rivals import Docker


def bench_engines(work, archive, wanted, rounds, rivals):
    from harness import Stack
    stack = Stack(work / "stack", name="bench")
    stack.start()
    docker = Docker(work, rivals)
    ours, theirs = stack.environment(), docker.environment
    try:
        timed(["docker", "load", "-q", "-i", archive], theirs)
        timed([BIN / "swrun", "load", "-q", "-i", archive], ours)
        image = "busybox"
        if "memory" in wanted:
            yield from bench_memory(stack, docker, image)
        if "run" in wanted:
            for title, flags in (("default network", []), ("--network none", ["--network", "none"])):
                table = Table(f"run --rm {title}: busybox true")
                table.measure(rounds, {
                    "swrun + swrund": lambda n: ([BIN / "swrun", "run", "--rm", *flags, image, "true"], ours),
                    "docker CLI + swrund": lambda n: (["docker", "run", "--rm", *flags, image, "true"], ours),
                    "docker CLI + dockerd": lambda n: (["docker", "run", "--rm", *flags, image, "true"], theirs)})
                yield table
        if "exec" in wanted:
            timed([BIN / "swrun", "run", "-d", "--name", "sleeper", image, "sleep", "1000"], ours)
            timed(["docker", "run", "-d", "--name", "sleeper", image, "sleep", "1000"], theirs)
            table = Table("exec of true in a running container")
            table.measure(rounds, {
                "swrun + swrund": lambda n: ([BIN / "swrun", "exec", "sleeper", "true"], ours),
                "docker CLI + swrund": lambda n: (["docker", "exec", "sleeper", "true"], ours),
                "docker CLI + dockerd": lambda n: (["docker", "exec", "sleeper", "true"], theirs)})
            yield table
            timed([BIN / "swrun", "rm", "-f", "sleeper"], ours)
            timed(["docker", "rm", "-f", "sleeper"], theirs)
        if "containers" in wanted:
            sides = [API("swrund", stack.socket), API("dockerd", docker.socket)]
            clients = {"swrun + swrund": ("swrund", BIN / "swrun", ours), "docker CLI + swrund": ("swrund", "docker", ours),
                       "docker CLI + dockerd": ("dockerd", "docker", theirs)}
            yield from bench_containers(sides, clients, stack, docker, work, rounds)
    finally:
        docker.stop()
        stack.destroy()


def bench_memory(stack, docker, image):
    time.sleep(15)  # both sides give memory back after a while of rest
    ours = [stack.process.pid, stack.supervisor_pid()]
    daemons = Table("idle daemons, proportional memory", "MB")
    daemons.add("swrund + swrun-supervisor", memory_of(ours))
    daemons.add("dockerd + containerd", memory_of(docker.daemons()))
    count = 5
    for number in range(count):
        timed([BIN / "swrun", "run", "-d", "--name", f"m{number}", image, "sleep", "1000"], stack.environment())
        timed(["docker", "run", "-d", "--name", f"m{number}", image, "sleep", "1000"], docker.environment)
    container = Table("per running container: its shim, proportional memory", "MB")
    container.add("swrun-shim", memory_of(processes_named(str(BIN / "swrun-shim"))) / count)
    container.add("containerd-shim-runc-v2", memory_of(processes_named("containerd-shim")) / count)
    for number in range(count):
        timed([BIN / "swrun", "rm", "-f", f"m{number}"], stack.environment())
        timed(["docker", "rm", "-f", f"m{number}"], docker.environment)
    return [daemons, container]
