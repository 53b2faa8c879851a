# SPDX-License-Identifier: Apache-2.0
"""Commands of containers, networks, volumes and of the daemon with docker's own client 28.2.2 and with ours against the same
daemon: the same output, errors and exit codes. None of them changes anything that stays."""
import io
import shlex
import shutil
import signal
import subprocess
import tarfile
import time

import pytest
from harness import BIN, Stack
from test_same_as_docker import commands, outcome

pytestmark = pytest.mark.skipif(not shutil.which("docker"), reason="no docker client on this machine")

READING = """
version -f '{{.Client.APIVersion}} {{.Client.Platform}}'
version -f '{{.Server.APIVersion}} {{.Server.MinAPIVersion}} {{.Server.Experimental}}'
info -f '{{.HTTPProxy}}|{{.HTTPSProxy}}|{{.NoProxy}}'
info -f '{{.CPUCfsPeriod}} {{.CPUCfsQuota}} {{.IPv4Forwarding}}'
info -f '{{.Swarm.NodeID}}|{{.Swarm.ControlAvailable}}|{{.Swarm.Nodes}}'
info -f '{{.SystemStatus}} {{.ServerErrors}} {{.DefaultAddressPools}} {{.ProductLicense}} {{.FirewallBackend}}'
-H unix:///nonexistent info -f '{{.ServerErrors}}'
events --since 1 --until 2 --format '{{.Nosuch}}'
events --since 1 --until 2 --format '{{'
events --since 1 --until 2 --format '{{.Actor.ID}}'
inspect UPPER
inspect nosuch
inspect -f '{{.ID}}' up
inspect -f '{{.Id}}' up
inspect -f '{{.ID}}' busybox
inspect -f '{{.SizeRw}} {{.SizeRootFs}}' up
inspect -f '{{.HostConfig.CPUPeriod}} {{.HostConfig.DNS}}' up
inspect -f '{{.Nosuch}}' up
inspect -f '{{.Name}} {{.Peers}} {{.Services}} {{.ConfigFrom.Network}}' net
inspect -f '{{range .IPAM.Config}}{{.Subnet}} {{.IPRange}} {{.AuxAddress}}{{end}}' net
volume inspect -f '{{.Status}} {{.ClusterVolume}} {{.UsageData}}' vol
ps -a --format raw --no-trunc
ps -aq --format raw
ps -as --format raw
network ls --format raw
network ls -q --format raw
volume ls --format raw
volume ls -q --format raw
rename up up
rename up other
rename nosuch x
stats nosuch
stats nosuch other
stats --no-stream nosuch
create --device-cgroup-rule bad busybox
create --device-cgroup-rule 'c 1:3' busybox
create --device-cgroup-rule 'x 1:3 r' busybox
create --device-cgroup-rule 'c 1:3 rwx' busybox
create --dns-search 'bad domain' busybox
create --dns-search -x.example busybox
create --link a:b:c busybox
create --link '' busybox
inspect -f '{{.Config.Entrypoint}}|{{.Config.Volumes}}|{{.Config.OnBuild}}|{{.Config.StopTimeout}}' other
inspect -f '{{.HostConfig.CapAdd}} {{.HostConfig.PortBindings}} {{json .HostConfig.CapAdd}} {{.HostConfig.Binds}}' other
inspect -f '{{range .NetworkSettings.Networks}}{{.Links}} {{.IPAMConfig}} {{.DriverOpts}}{{end}} {{.ExecIDs}}' up
inspect -f '{{.NetworkSettings.SecondaryIPAddresses}} {{.ImageManifestDescriptor}} {{.State.Health}}' up
inspect -f '{{len .HostConfig.CapAdd}}{{if .HostConfig.CapAdd}}y{{end}}{{range .HostConfig.Links}}y{{end}}' up
inspect -f '{{.HostConfig.NoSuchMemberAtAll}}' up
image inspect -f '{{.Config.Entrypoint}}|{{.Config.Volumes}}|{{.Config.Labels}}|{{.Config.OnBuild}}|{{.Variant}}' busybox
image inspect -f '{{json .Config.Entrypoint}} {{.Config.ExposedPorts}} {{.Descriptor}} {{.Manifests}}' busybox
volume inspect -f '{{.Options}} {{json .Options}} {{json .Status}} {{.UsageData}}' vol
info -f '{{.Plugins.Authorization}} {{.Warnings}} {{.GenericResources}}'
create --expose 80-70 busybox
create --expose 80-x busybox
create --network '' busybox
create --env-file / busybox
create --label-file / busybox
exec --env-file / up true
create --cidfile / busybox
create --gpus nope busybox
network connect --link a:b:c net other
cp up:/etc/passwd /nonexistent/dir/
context create x --docker host=nope
context create x --docker host=bad://
create --blkio-weight-device /dev/x:bad busybox
create --device-read-bps /dev/null:bad busybox
create --device-write-iops /dev/null:-1 busybox
create --ulimit nofile=1:2:3 busybox
create --cidfile /nonexistent/x busybox
create --cidfile /nonexistent/x nosuch:1@bad
create --label kept=no --cidfile /nonexistent/x busybox
ps -aq -f label=kept=no
--tlsverify --tlscacert /nonexistent/ca.pem ps
--tls --tlscacert /nonexistent/ca.pem ps
--tls --tlscacert /nonexistent/ca.pem -H tcp://127.0.0.1:1 ps
--tlsverify --tlscacert /nonexistent/ca.pem -H tcp://127.0.0.1:1 ps
-c nosuch -H unix:///x ps
-H bad://x ps
-H tcp://h:x ps
"""


@pytest.fixture(scope="module")
def shared(scratch, images):
    stack = Stack(scratch / "same-containers", "own")
    stack.start()
    stack.docker("load", "-q", "-i", images / "archive" / "busybox.tar")
    stack.docker("network", "create", "net")
    stack.docker("volume", "create", "--label", "x=y", "vol")
    stack.docker("run", "-d", "--name", "up", "--network", "net", "-v", "vol:/v", "-l", "x=y", "busybox", "top")
    stack.docker("create", "--name", "other", "busybox", "true")
    yield stack
    stack.destroy()


@pytest.mark.parametrize("command", commands(READING))
def test_reading(shared, command):
    words = shlex.split(command)
    assert outcome(shared.swrun, words) == outcome(shared.docker, words)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_answers_a_question_with_no(shared, number):
    found = []
    for program in (shutil.which("docker"), BIN / "swrun"):
        with subprocess.Popen([program, "container", "prune"], env=shared.environment(), stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            asked = process.stdout.read(20)
            time.sleep(0.5)
            process.send_signal(number)
            found.append((process.wait(10), asked + process.stdout.read()))
    assert found[1] == found[0]
    assert found[1][0] == 0 and shared.docker("ps", "-aq", "-f", "name=other")


@pytest.mark.parametrize("flags", [[], ["-a"], ["--filter", "until=1h", "--keep-storage", "1g"]])
def test_there_is_no_cache_of_builds_to_prune(shared, flags):
    """Docker's client says on standard error that the builder is an old one."""
    found = [client("builder", "prune", "-f", *flags) for client in (shared.docker, shared.swrun)]
    assert found[0] == found[1] == "Total reclaimed space: 0B"


def test_an_image_of_another_platform_is_pulled(shared):
    """And when the registry has none either, its answer is the error."""
    for client in (shared.docker, shared.swrun):
        error = client("create", "--platform", "linux/arm64", "busybox", check=False).err
        assert error.startswith("Unable to find image 'busybox:latest' locally\n")


def test_a_context_with_an_old_endpoint(shared, tmp_path):
    """Contexts of old clients have keys for Kubernetes too."""
    path = tmp_path / "old.tar"
    with tarfile.open(path, "w") as archive:
        for name, text in (("meta.json", '{"Name":"old","Metadata":{},"Endpoints":{"docker":{"Host":"unix:///x"}}}'),
                           ("tls/kubernetes/ca.pem", "ca")):
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    shared.swrun("--config", tmp_path / "config", "context", "import", "old", path)
    assert "old" in shared.swrun("--config", tmp_path / "config", "context", "ls", "-q").split()
