# SPDX-License-Identifier: Apache-2.0
"""The engines that people have besides ours, and an image of two platforms: fixtures that conftest.py hands on."""
import hashlib
import json
import shutil
import signal
import subprocess

import pytest
from harness import BIN, run, wait_until


@pytest.fixture(scope="module")
def podman_engine(tmp_path_factory):
    base = tmp_path_factory.mktemp("podman")

    def call(*arguments, **options):
        verify = ["--tls-verify=false"] if arguments[0] in ("pull", "push") else []
        return run("podman", "--root", base / "root", "--runroot", base / "run", "--runtime", BIN / "swrunc",
                   "--cgroup-manager", "cgroupfs", "--events-backend", "none", *arguments[:1], *verify, *arguments[1:],
                   **options)

    yield call
    subprocess.run(["umount", "-l", base / "root" / "overlay"], capture_output=True)


@pytest.fixture(scope="module")
def docker_engine(tmp_path_factory):
    """Debian's dockerd with directories of its own; None where it is not installed."""
    if not shutil.which("dockerd"):
        yield None
        return
    base = tmp_path_factory.mktemp("dockerd")
    socket = f"unix://{base}/docker.sock"
    with open(base / "log", "wb") as log:
        daemon = subprocess.Popen(
            ["dockerd", "--data-root", base / "root", "--exec-root", base / "exec", "-H", socket, "--pidfile", base / "pid",
             "--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver=overlay2"], stdout=log, stderr=log)

    def call(*arguments, **options):
        return run("docker", "-H", socket, *arguments, env={"DOCKER_CONFIG": str(base)}, **options)

    wait_until(lambda: call("version", check=False).code == 0 or daemon.poll() is not None, 60, f"dockerd, see {base}/log")
    yield call
    daemon.send_signal(signal.SIGTERM)
    daemon.wait(30)
    run("umount", "-q", base / "root", check=False)  # dockerd leaves it mounted on itself


@pytest.fixture(scope="module")
def layout(tmp_path_factory, images):
    """An OCI layout with one index of two platforms, amd64 and arm64."""
    path = tmp_path_factory.mktemp("layout")
    blobs = path / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    manifests = []
    for image, architecture in (("busybox", "amd64"), ("zstd", "arm64")):
        shutil.copytree(images / "oci" / image / "blobs" / "sha256", blobs, dirs_exist_ok=True)
        entry = json.loads((images / "oci" / image / "index.json").read_text())["manifests"][0]
        del entry["annotations"]
        manifests.append({**entry, "platform": {"os": "linux", "architecture": architecture}})
    media_type = "application/vnd.oci.image.index.v1+json"
    index = json.dumps({"schemaVersion": 2, "mediaType": media_type, "manifests": manifests}).encode()
    digest = hashlib.sha256(index).hexdigest()
    (blobs / digest).write_bytes(index)
    top = {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(index),
           "annotations": {"org.opencontainers.image.ref.name": "interop/index:1"}}
    (path / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [top]}))
    (path / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    return path
