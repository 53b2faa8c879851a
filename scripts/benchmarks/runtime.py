# SPDX-License-Identifier: Apache-2.0
"""Single programs: swrunc, crun and runc on the same bundles, commands interleaved; and the client's start-up."""
import json
import os
import pathlib
import shutil
import subprocess
import time

from benchmarks.measure import BIN, Table
from benchmarks.rivals import Docker

LIMITED = ("seccomp", "maskedPaths", "readonlyPaths", "resources")


def make_bundle(directory, tar, rivals, like=None):
    """A bundle of `runc spec` for /bin/true; with docker's confinement where `like` is a config.json of docker's."""
    (directory / "rootfs").mkdir(parents=True)
    subprocess.run(["tar", "-xf", tar, "-C", directory / "rootfs"], check=True)
    subprocess.run([*rivals.command("runc"), "spec", "--bundle", directory], check=True)
    config = json.loads((directory / "config.json").read_text())
    config["process"].update(terminal=False, args=["/bin/true"])
    if like:
        for name in ("capabilities", "rlimits", "noNewPrivileges"):
            config["process"].pop(name, None)
            if name in like["process"]:
                config["process"][name] = like["process"][name]
        for name in LIMITED:
            config["linux"][name] = like["linux"][name]
    write(directory, config)
    return directory


def write(bundle, config):
    (bundle / "config.json").write_text(json.dumps(config))


def with_program(bundle, directory, *arguments):
    """The same bundle with another program."""
    config = json.loads((bundle / "config.json").read_text())
    config["process"]["args"] = list(arguments)
    config["root"]["path"] = str(bundle / "rootfs")
    directory.mkdir()
    write(directory, config)
    return directory


def docker_config(work, archive, rivals):
    """The config.json that dockerd writes for a container with no flags."""
    docker = Docker(work, rivals)

    def call(*arguments):
        return subprocess.run(["docker", *map(str, arguments)], env={**os.environ, **docker.environment}, check=True,
                              capture_output=True, text=True).stdout.strip()

    try:
        call("load", "-q", "-i", archive)
        ident = call("run", "-d", "--network", "none", "busybox", "sleep", "1000")
        found = list((docker.work / "exec").glob(f"**/{ident}/config.json"))
        config = json.loads(found[0].read_text())
        call("rm", "-f", ident)
        return config
    finally:
        docker.stop()
        shutil.rmtree(docker.work)


class Runtimes:
    """The three programs, each with a root of its own."""

    def __init__(self, work, rivals):
        self.work = work
        self.programs = {"swrunc": [BIN / "swrunc"], "crun": rivals.command("crun"), "runc": rivals.command("runc")}

    def command(self, name, *arguments):
        return [*self.programs[name], "--root", self.work / f"rt-{name}", *arguments]

    def call(self, name, *arguments):
        subprocess.run([str(part) for part in self.command(name, *arguments)], check=True, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL)

    def commands(self, *arguments):
        """For Table.measure; `ID` among the arguments becomes an id of the runtime's and the round's own."""
        def command(name, number):
            return (self.command(name, *(f"{name}-{number}" if part == "ID" else part for part in arguments)),)

        return {name: lambda number, name=name: command(name, number) for name in self.programs}


def floor(work, bundle):
    """The command of the same system calls in C; nothing where there is no compiler."""
    if not shutil.which("cc"):
        return {}
    program = work / "floor"
    subprocess.run(["cc", "-O2", "-o", program, pathlib.Path(__file__).parent / "floor.c"], check=True)
    mounts = [line.split()[1:3] for line in open("/proc/self/mounts")]
    hierarchies = [path for path, kind in mounts if kind in ("cgroup", "cgroup2") and path.startswith("/sys/fs/cgroup")]
    command = [program, bundle / "rootfs", *(f"{path}/swrun-floor" for path in hierarchies)]
    return {"the same system calls in C": lambda number: (command,)}


def peak_of_run(runtimes, name, bundle):
    """The largest resident set, in MB, of a `run` that waits for its container."""
    process = subprocess.Popen([str(part) for part in runtimes.command(name, "run", "--bundle", bundle, "peak")],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    try:
        process.stdout.readline()  # the container's program says that it is there
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024
    finally:
        runtimes.call(name, "kill", "peak", "KILL")
        process.communicate()


def bench_life(runtimes, table, bundle, rounds):
    """create, start and delete by force of a container, one after the other."""
    for number in range(rounds + 1):
        for name in runtimes.programs:
            ident, begin = f"{name}-{number}", time.perf_counter()
            runtimes.call(name, "create", "--bundle", bundle, ident)
            runtimes.call(name, "start", ident)
            runtimes.call(name, "delete", "--force", ident)
            if number:
                table.add(name, (time.perf_counter() - begin) * 1000)


def bench_runtime(work, tar, archive, rounds, rivals):
    runtimes = Runtimes(work, rivals)
    like = docker_config(work, archive, rivals)
    for number, (title, config) in enumerate((("bundle of `runc spec`", None), ("docker's default confinement", like))):
        bundle = make_bundle(work / f"bundle{number}", tar, rivals, config)
        run = Table(f"OCI runtime: run of /bin/true, {title}")
        commands = runtimes.commands("run", "--bundle", bundle, "ID")
        run.measure(rounds, commands if config else {**commands, **floor(work, bundle)})
        yield run
        sleeping = with_program(bundle, work / f"sleeping{number}", "/bin/sh", "-c", "echo; exec sleep 1000")
        life = Table(f"OCI runtime: create, start, delete --force, {title}")
        bench_life(runtimes, life, sleeping, rounds)
        yield life
        for name in runtimes.programs:
            runtimes.call(name, "run", "--detach", "--bundle", sleeping, f"{name}-0")
        exec_ = Table(f"OCI runtime: exec of /bin/true, {title}")
        exec_.measure(rounds, {
            name: lambda n, name=name: (runtimes.command(name, "exec", f"{name}-0", "/bin/true"),)
            for name in runtimes.programs})
        yield exec_
        memory = Table(f"OCI runtime: peak resident memory of run, {title}", "MB")
        for name in runtimes.programs:
            runtimes.call(name, "delete", "--force", f"{name}-0")
            memory.add(name, peak_of_run(runtimes, name, sleeping))
        yield memory
    version = Table("OCI runtime: --version")
    version.measure(rounds, {
        name: lambda n, path=path: ([*path, "--version"],) for name, path in runtimes.programs.items()})
    yield version


def bench_startup(rounds):
    table = Table("client start-up: --version")
    table.measure(rounds, {"swrun": lambda n: ([BIN / "swrun", "--version"],),
                           "docker": lambda n: (["docker", "--version"],)})
    yield table
