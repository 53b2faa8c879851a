# SPDX-License-Identifier: Apache-2.0
"""Registries as users meet them: search, lists of tags, mirrors, insecure networks, Docker Hub."""
import json
import pathlib
import shutil

import pytest
from harness import REMOTE_ADDRESS, TOOLS, run
from registry_setup import HTTP, inspect
from small_registry import SmallRegistry


class TestSearch:
    def test_table(self, cli):
        with SmallRegistry() as registry:
            printed = cli("search", f"{registry.address}/tool").splitlines()
            assert printed[0].split() == ["NAME", "DESCRIPTION", "STARS", "OFFICIAL"]
            assert [line.split()[0] for line in printed[1:]] == ["tool1", "tool2", "tool3"]
            assert printed[1].endswith("[OK]") and "…" in printed[3]
            term = f"{registry.address}/tool"
            assert cli("search", "--limit", "1", "--format", "{{.Name}} {{.StarCount}}", term) == "tool1 10"
            assert cli("search", "-f", "stars=20", "--format", "{{.Name}}", term).split() == ["tool2", "tool3"]
            assert cli("search", "-f", "is-official=true", "--format", "{{.Name}}", term) == "tool1"
            assert "…" not in cli("search", "--no-trunc", term)

    @pytest.mark.parametrize("query, text", [
        ("term=x&limit=101", "limit 101 is outside the range of [1, 100]"),
        ('term=x&filters={"stars":["many"]}', "invalid filter 'stars=many'"),
        ('term=x&filters={"nonsense":["1"]}', "invalid filter 'nonsense'"),
    ])
    def test_refusals(self, stack, query, text):
        assert json.loads(stack.curl(f"/images/search?{query}"))["message"] == text


def test_distribution(stack, registries, repository):
    answer = json.loads(stack.curl(f"/distribution/{HTTP}/library/busybox:latest/json"))
    assert answer["Descriptor"]["digest"] == inspect(f"{HTTP}/library/busybox")["Digest"]
    assert [platform["os"] for platform in answer["Platforms"]] == ["linux"]
    missing = stack.curl(f"/distribution/{HTTP}/{repository}:1/json", "-w", "%{http_code}")
    assert missing.endswith("404") and "manifest unknown" in missing


def test_pull_all_tags(cli, cleaned, registries, repository):
    for tag in ("1", "2"):
        run("skopeo", "--insecure-policy", "copy", "-q", "--src-tls-verify=false", "--dest-tls-verify=false",
            f"docker://{HTTP}/library/busybox", f"docker://{HTTP}/{repository}:{tag}")
    printed = cli("pull", "-a", f"{HTTP}/{repository}").splitlines()
    assert sorted(line for line in printed if "Pulling from" in line) == [f"{tag}: Pulling from {repository}" for tag in "12"]
    assert printed[-2:] == [f"Status: Downloaded newer image for {HTTP}/{repository}", f"{HTTP}/{repository}"]
    listed = cleaned.docker("images", "--format", "{{.Tag}}", f"{HTTP}/{repository}").split()
    assert sorted(listed) == ["1", "2"]


class TestSettings:
    """--registry-mirror and --insecure-registry."""

    def test_the_mirror_serves_docker_hub(self, configured):
        printed = configured.docker("pull", "busybox").splitlines()
        assert printed[-1] == "docker.io/library/busybox:latest"
        digest = inspect(f"{HTTP}/library/busybox")["Digest"]
        assert configured.inspect("busybox")["RepoDigests"] == [f"busybox@{digest}"]
        assert configured.docker("info", "--format", "{{.RegistryConfig.Mirrors}}") == f"[http://127.0.0.1:1/ http://{HTTP}/]"
        # Somebody else's images do not come from there.
        assert "busybox" not in configured.docker("pull", "127.0.0.1:1/library/busybox", check=False)

    @pytest.mark.parametrize("port", [5100, 5101], ids=["http", "https"])
    def test_a_network_of_insecure_registries(self, configured, repository, port):
        name = f"{REMOTE_ADDRESS}:{port}/library/busybox"
        configured.docker("pull", "-q", name)
        configured.docker("tag", name, f"{REMOTE_ADDRESS}:{port}/{repository}")
        assert "digest: sha256:" in configured.docker("push", f"{REMOTE_ADDRESS}:{port}/{repository}")
        configured.docker("rmi", name, f"{REMOTE_ADDRESS}:{port}/{repository}")


class TestHub:
    """Under Docker Hub's names: a registry with tokens on 127.0.0.2."""

    @pytest.fixture(scope="class", autouse=True)
    def hub(self, registries, remote_registry):
        run("mount", "--bind", registries / "hosts", "/etc/hosts")
        for host in ("registry-1.docker.io", "auth.docker.io:5443"):
            directory = pathlib.Path("/etc/docker/certs.d") / host
            directory.mkdir()
            shutil.copy(registries / "ca.crt", directory)
        run(TOOLS / "registry-up", "--dir", registries, "--port", "5110", "start", "hub")
        yield
        run("umount", "/etc/hosts")

    def test_login_push_and_pull(self, cli, stack, logged_out, unique, repository):
        name = f"user/{repository}:1"
        unique(name)
        refused = cli("push", name, check=False)
        assert refused.code == 1 and "denied: requested access to the resource is denied" in refused.err
        assert cli("login", "-u", "user", "--password-stdin", input="secret") == "Login Succeeded"
        assert list(json.loads(logged_out.read_text())["auths"]) == ["https://index.docker.io/v1/"]
        assert cli("push", name).startswith(f"The push refers to repository [docker.io/user/{repository}]")
        stack.docker("rmi", name)
        assert cli("pull", name).splitlines()[-1] == f"docker.io/{name}"
        cli("logout")
        stack.docker("rmi", name)
        refused = cli("pull", name, check=False)
        assert f"pull access denied for user/{repository}, repository does not exist or may require" in refused.err

    def test_anonymous(self, cli, stack):
        cli("pull", "-q", "library/layers60")
        stack.docker("rmi", "layers60")
