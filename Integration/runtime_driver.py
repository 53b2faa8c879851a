# SPDX-License-Identifier: Apache-2.0
"""Drives an OCI runtime's command line on bundles made here: swrunc, or Debian's runc as the judge of the tests."""
import json
import os
import pathlib
import shutil
import socket
import subprocess

MASKED = ["/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"]
READ_ONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
CAPABILITIES = ["CAP_CHOWN", "CAP_KILL", "CAP_NET_BIND_SERVICE"]


def make_rootfs(path):
    """A root file system of Debian's static busybox."""
    for name in ("bin", "etc", "proc", "sys", "dev", "tmp", "data"):
        (path / name).mkdir(parents=True)
    shutil.copy(shutil.which("busybox"), path / "bin" / "busybox")
    for applet in subprocess.run([path / "bin" / "busybox", "--list"], capture_output=True, text=True).stdout.split():
        if applet != "busybox":
            (path / "bin" / applet).symlink_to("busybox")
    (path / "etc" / "passwd").write_text("root:x:0:0::/root:/bin/sh\nu:x:1000:1000::/home/u:/bin/sh\n")


def config(*args):
    """A config.json as Docker's daemon writes them, for this program."""

    def mount(destination, kind, source, *options):
        return {"destination": destination, "type": kind, "source": source, "options": list(options)}

    sets = {name: CAPABILITIES for name in ("bounding", "effective", "permitted")}
    return {
        "ociVersion": "1.0.2",
        "process": {
            "args": list(args), "cwd": "/", "env": ["PATH=/bin"], "user": {"uid": 0, "gid": 0},
            "capabilities": sets, "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 512, "hard": 512}],
        },
        "root": {"path": "rootfs"},
        "hostname": "box",
        "mounts": [
            mount("/proc", "proc", "proc", "nosuid", "noexec", "nodev"),
            mount("/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
            mount("/dev/pts", "devpts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"),
            mount("/dev/shm", "tmpfs", "shm", "nosuid", "noexec", "nodev", "mode=1777", "size=1m"),
            mount("/dev/mqueue", "mqueue", "mqueue", "nosuid", "noexec", "nodev"),
            mount("/sys", "sysfs", "sysfs", "nosuid", "noexec", "nodev", "ro"),
            mount("/sys/fs/cgroup", "cgroup", "cgroup", "nosuid", "noexec", "nodev", "ro"),
        ],
        "linux": {
            "resources": {"devices": [{"allow": False, "access": "rwm"}]},
            "namespaces": [{"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount")],
            "maskedPaths": MASKED, "readonlyPaths": READ_ONLY,
        },
    }


def is_version_2():
    """Whether this machine has nothing but the unified hierarchy of cgroups."""
    return os.path.exists("/sys/fs/cgroup/cgroup.controllers")


def own_cgroup(pid, controller):
    """The directory of a process's cgroup, on version 1 in the hierarchy of this controller."""
    for line in open(f"/proc/{pid}/cgroup").read().splitlines():
        _, names, path = line.split(":", 2)
        if is_version_2() or controller in names.split(","):
            return pathlib.Path("/sys/fs/cgroup", "" if is_version_2() else controller, path[1:])
    raise AssertionError(f"no controller {controller}")


class Runtime:
    """One runtime with a root, a bundle and containers of its own."""

    def __init__(self, program, directory, rootfs):
        self.program, self.directory, self.bundle = str(program), directory, directory / "bundle"
        self.root, self.log = directory / "root", directory / "log"
        self.is_ours = pathlib.Path(program).name == "swrunc"
        self.bundle.mkdir(parents=True)
        shutil.copytree(rootfs, self.bundle / "rootfs", symlinks=True)
        self.prefix = "rt" + os.urandom(4).hex() + "-"

    def id(self, name):
        return self.prefix + name

    def __call__(self, *arguments, check=None, **options):
        """Runs a command; stdout and stderr go to files, which a container may keep open."""
        self.log.unlink(missing_ok=True)
        command = [self.program, "--root", self.root, "--log", self.log, "--log-format", "json", *map(str, arguments)]
        out, err = self.directory / "stdout", self.directory / "stderr"
        options.setdefault("stdin", subprocess.DEVNULL)
        with open(out, "w") as stdout, open(err, "w") as stderr:
            result = subprocess.run(command, stdout=stdout, stderr=stderr, timeout=60, **options)
        result.out, result.err = out.read_text(errors="replace"), err.read_text(errors="replace").strip()
        if check is not None:
            assert result.returncode == check, (command, result.returncode, result.err)
        return result

    def errors(self):
        """The messages of the last command's log."""
        if not self.log.exists():
            return []
        entries = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [entry["msg"] for entry in entries if entry["level"] == "error"]

    def write(self, value):
        text = value if isinstance(value, str) else json.dumps(value)
        (self.bundle / "config.json").write_text(text)

    def run(self, *args, change=None, check=0, flags=(), **options):
        """`run` of a program in the foreground, with the config changed by a function; its stdout."""
        value = config(*args)
        if change:
            change(value)
        self.write(value)
        name = self.id(os.urandom(2).hex())
        return self("run", "--bundle", self.bundle, *flags, name, check=check, **options).out

    def start(self, name, *args, change=None):
        """A container that runs in the background; its pid."""
        value = config(*(args or ("sleep", "1000")))
        if change:
            change(value)
        self.write(value)
        pid_file = self.directory / "pid"
        self("run", "--detach", "--bundle", self.bundle, "--pid-file", pid_file, self.id(name), check=0)
        return int(pid_file.read_text())

    def status(self, name):
        return json.loads(self("state", self.id(name), check=0).out)["status"]

    def clean(self):
        listed = self("list", "-q").out.split()
        for name in listed:
            self("delete", "--force", name)


def receive_terminal(listener):
    """The terminal that a runtime sends to a console socket."""
    connection, _ = listener.accept()
    with connection:
        data, descriptors, _, _ = socket.recv_fds(connection, 4096, 1)
    return data.decode(), descriptors[0]
