# SPDX-License-Identifier: Apache-2.0
"""testcontainers, without its helper container (whose image is not here). Run by test_clients.py."""
import os

os.environ["TESTCONTAINERS_RYUK_DISABLED"] = "true"

from testcontainers.core.container import DockerContainer  # noqa: E402
from testcontainers.core.waiting_utils import wait_for_logs  # noqa: E402

with (DockerContainer("busybox:latest").with_command("sh -c 'echo ready; exec httpd -f -p 8080'")
      .with_exposed_ports(8080).with_env("A", "b")) as container:
    wait_for_logs(container, "ready", timeout=20)
    assert int(container.get_exposed_port(8080)) > 0
    code, output = container.exec("sh -c 'echo $A'")
    assert (code, output) == (0, b"b\n"), output
