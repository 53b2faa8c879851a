# SPDX-License-Identifier: Apache-2.0
"""podman as a user who is not root, with swrunc as its runtime: podman's own user namespace, conmon, and binds."""
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest
from harness import BIN, run
from test_podman import LIMITS
from test_runtime_rootless import USER, subordinate_ids

pytestmark = pytest.mark.skipif(
    not (shutil.which("podman") and shutil.which("newuidmap")), reason="podman or newuidmap(1) is not installed")
CONFIGURATION = """
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
runtime_supports_nocgroup = ["swrunc"]
runtime_supports_nocgroups = ["swrunc"]
"""


@pytest.fixture(scope="module")
def podman(images):
    base = pathlib.Path(tempfile.mkdtemp(prefix="swrun-rootless-"))  # pytest's own are closed to other users
    base.chmod(0o755)
    for name, mode in (("home", 0o755), ("run", 0o700), ("tmp", 0o755)):
        (base / name).mkdir()
        os.chown(base / name, USER, USER)
        (base / name).chmod(mode)
    shutil.copy(BIN / "swrunc", base / "swrunc")
    shutil.copy(images / "archive" / "busybox.tar", base)
    (base / "busybox.tar").chmod(0o644)
    (base / "containers.conf").write_text(CONFIGURATION)
    variables = {"HOME": base / "home", "XDG_RUNTIME_DIR": base / "run", "TMPDIR": base / "tmp", "USER": "swrun-user",
                 "CONTAINERS_CONF": base / "containers.conf", "PATH": os.environ["PATH"]}

    def call(*arguments, **options):
        return run("setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "env", "-i",
                   *(f"{key}={value}" for key, value in variables.items()), "podman", "--runtime", base / "swrunc",
                   "--storage-driver", "vfs", *arguments, cwd=base, **options)

    with subordinate_ids():
        call("load", "-q", "-i", base / "busybox.tar")
        call.home = base / "home"
        yield call
        call("rm", "-f", "-t", "0", "--all")
        call("system", "migrate")  # ends the process that keeps podman's namespaces
        call("unshare", "rm", "-rf", base / "home" / ".local", check=False)
    subprocess.run(["rm", "-rf", base], check=True)


def test_ids(podman):
    maps = podman("run", "--rm", *LIMITS, "busybox", "cat", "/proc/self/uid_map").split()
    assert maps[:3] == ["0", str(USER), "1"] and maps[5] == "65536"
    assert podman("run", "--rm", *LIMITS, "--user", "33:44", "busybox", "sh", "-c", "id -u; id -g").split() == ["33", "44"]


def test_life(podman):
    podman("run", "-d", "--name", "a", *LIMITS, "busybox", "sleep", "1000")
    assert podman("exec", "a", "id", "-u") == "0"
    assert podman("exec", "--user", "33", "a", "id", "-u") == "33"
    assert podman("exec", "--tty", "a", "tty").strip() == "/dev/pts/0"
    assert podman("inspect", "--format", "{{.State.Status}} {{.OCIRuntime}}", "a").split()[0] == "running"
    podman("kill", "a")
    assert podman("wait", "a") == "137"
    podman("rm", "a")


def test_binds_and_exit_codes(podman):
    source = podman.home / "shared"
    source.mkdir()
    os.chown(source, USER, USER)
    result = podman("run", "--rm", *LIMITS, "-v", f"{source}:/m", "busybox", "sh", "-c", "id > /m/file; exit 3", check=False)
    assert result.code == 3 and (source / "file").stat().st_uid == USER
    refused = podman("run", "--rm", *LIMITS, "-v", f"{source}:/m:ro", "busybox", "touch", "/m/other", check=False)
    assert refused.code == 1 and "Read-only file system" in refused.err


def test_without_cgroups(podman):
    assert podman("run", "--rm", "--cgroups=disabled", *LIMITS, "busybox", "echo", "fine") == "fine"
