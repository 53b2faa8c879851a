# SPDX-License-Identifier: Apache-2.0
"""podman runs containers with swrunc in place of crun: the runtime's seam, judged by another caller (conmon)."""
import shutil
import subprocess

import pytest
from harness import BIN, run

pytestmark = pytest.mark.skipif(not shutil.which("podman"), reason="podman is not installed")
# podman asks for the highest limits there are, which root without CAP_SYS_RESOURCE may not give: any runtime fails then.
LIMITS = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024", "--network", "none"]


@pytest.fixture(scope="module")
def podman(tmp_path_factory, images):
    base = tmp_path_factory.mktemp("podman")

    def call(*arguments, **options):
        return run("podman", "--root", base / "root", "--runroot", base / "run", "--runtime", BIN / "swrunc",
                   "--cgroup-manager", "cgroupfs", "--events-backend", "none", *arguments, **options)

    call("load", "-q", "-i", images / "archive" / "busybox.tar")
    yield call
    call("rm", "-f", "-t", "0", "--all")
    subprocess.run(["umount", "-l", base / "root" / "overlay"], capture_output=True)


def test_output_and_exit_code(podman):
    result = podman("run", "--rm", *LIMITS, "busybox", "sh", "-c", "echo hello; exit 7", check=False)
    assert (result, result.code) == ("hello", 7)


def test_exec_in_a_detached_container(podman):
    podman("run", "-d", "--name", "sleeper", *LIMITS, "busybox", "sleep", "100")
    assert podman("exec", "sleeper", "id", "-u") == "0"
    podman("rm", "-f", "-t", "0", "sleeper")


def test_missing_command_is_127(podman):
    assert podman("run", "--rm", *LIMITS, "busybox", "nosuchcommand", check=False).code == 127


def test_without_cgroups(podman, tmp_path, monkeypatch):
    """podman asks for that only from runtimes that its configuration names."""
    names = "\n".join(f'{key} = ["swrunc"]' for key in ("runtime_supports_nocgroup", "runtime_supports_nocgroups"))
    (tmp_path / "containers.conf").write_text("[engine]\n" + names + "\n")
    monkeypatch.setenv("CONTAINERS_CONF", str(tmp_path / "containers.conf"))
    for flags in ([], ["--tty"]):
        result = podman("run", "--rm", "--cgroups=disabled", *flags, *LIMITS, "busybox", "cat", "/proc/self/cgroup")
        assert "0::/" in result and "libpod" not in result
