# SPDX-License-Identifier: Apache-2.0
"""The programs that swrun is compared with, and dockerd as a running engine."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

PACKAGES = ["docker.io", "containerd", "runc", "crun", "iptables", "iproute2", "ca-certificates"]
DIRECTORY = pathlib.Path(os.environ.get("SWRUN_BENCH_RIVALS", "/var/cache/swrun-bench"))


class Rivals:
    """The programs that we are compared with: those of a Debian release in a root directory of its own, or the host's."""

    def __init__(self, suite):
        self.root = None if suite == "host" else DIRECTORY / suite
        self.suite = suite

    def make(self):
        """Fetches the release's packages unless that was done before. To be called outside of our network namespace."""
        if not self.root or self.root.exists():
            return
        unfinished = self.root.with_suffix(".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mmdebstrap", "--quiet", "--mode=root", "--format=directory", "--variant=minbase",
                        "--include=" + ",".join(PACKAGES), self.suite, unfinished,
                        os.environ.get("DEBIAN_MIRROR", "http://deb.debian.org/debian")], check=True)
        unfinished.rename(self.root)

    def mount(self):
        """Makes the root directory usable, in our mount namespace: a mount point, as pivot_root(2) wants it."""
        if not self.root:
            return
        subprocess.run(["mount", "--bind", self.root, self.root], check=True)
        for directory in ("/proc", "/sys", "/dev", tempfile.gettempdir()):
            (self.root / directory[1:]).mkdir(parents=True, exist_ok=True)
            subprocess.run(["mount", "--rbind", directory, self.root / directory[1:]], check=True)
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", self.root / "run"], check=True)

    def command(self, program):
        return ["chroot", self.root, program] if self.root else [program]

    def versions(self):
        found = []
        for program in ("dockerd", "containerd", "runc", "crun"):
            output = subprocess.run([*self.command(program), "--version"], capture_output=True, text=True, check=True)
            found.append(output.stdout.splitlines()[0])
        return found


class Docker:
    """The real dockerd with directories of its own."""

    def __init__(self, work, rivals):
        self.work = work / "docker"
        self.socket = self.work / "docker.sock"
        self.environment = {"DOCKER_HOST": f"unix://{self.socket}", "DOCKER_CONFIG": str(self.work / "config")}
        self.work.mkdir()
        self.log = open(self.work / "log", "wb")
        self.process = subprocess.Popen(
            [*rivals.command("dockerd"), "--data-root", self.work / "root", "--exec-root", self.work / "exec", "-p", self.work / "pid",
             "-H", f"unix://{self.socket}"], stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + 60
        while not self.socket.exists() or subprocess.run(["docker", "version"], capture_output=True, env={**os.environ, **self.environment}).returncode:
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise SystemExit((self.work / "log").read_text())
            time.sleep(0.2)

    def stop(self):
        self.process.terminate()
        self.process.wait(60)

    def daemons(self):
        children = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True).stdout.split()
        return [self.process.pid, *map(int, children)]
