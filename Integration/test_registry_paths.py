# SPDX-License-Identifier: Apache-2.0
"""The ways to a registry: through proxies, and with certificates on both sides."""
import pathlib
import shutil
import subprocess

import pytest
from archives import random_archive
from harness import REMOTE_ADDRESS, Stack, run, wait_until
from http_proxy import Proxy
from registry_setup import HTTP
from shim_client import Connection, RPCError, encode

PLAIN, TLS, MUTUAL = (f"{REMOTE_ADDRESS}:{port}" for port in (5100, 5101, 5107))


@pytest.fixture
def proxied(tmp_path, remote_registry, registries, monkeypatch):
    """Starts a stack whose daemons have proxies in their environment."""
    stacks = []

    def start(**environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        stack = Stack(tmp_path / "proxied", "own", ["--insecure-registry", "192.0.2.0/24"])
        stacks.append(stack)
        stack.start()
        return stack

    yield start
    for stack in stacks:
        stack.destroy()


class TestProxies:
    def test_both_kinds_of_registries_and_exceptions(self, proxied, repository):
        with Proxy() as proxy:
            stack = proxied(HTTP_PROXY=f"http://{proxy.address}", HTTPS_PROXY=f"http://{proxy.address}",
                            NO_PROXY=f"192.0.2.11,{HTTP.partition(':')[0]}")
            stack.docker("pull", "-q", f"{TLS}/library/busybox")
            assert proxy.asked and set(proxy.asked) == {("CONNECT", TLS)}
            proxy.asked.clear()
            stack.docker("tag", f"{TLS}/library/busybox", f"{TLS}/{repository}")
            stack.docker("push", "-q", f"{TLS}/{repository}")
            assert set(proxy.asked) <= {("CONNECT", TLS)}
            # Plain http goes through a tunnel, too.
            proxy.asked.clear()
            stack.docker("load", "-q", input=random_archive(f"{PLAIN}/{repository}:1", 3 << 20))
            stack.docker("push", "-q", f"{PLAIN}/{repository}:1")
            stack.docker("rmi", f"{PLAIN}/{repository}:1")
            stack.docker("pull", "-q", f"{PLAIN}/{repository}:1")
            assert proxy.asked and set(proxy.asked) == {("CONNECT", PLAIN)}
            proxy.asked.clear()
            stack.docker("pull", "-q", f"{HTTP}/library/layers60")
            assert proxy.asked == []

    def test_a_proxy_with_a_password(self, proxied):
        with Proxy("user:secret") as proxy:
            stack = proxied(HTTP_PROXY=f"http://user:secret@{proxy.address}", HTTPS_PROXY=f"http://user:secret@{proxy.address}")
            stack.docker("pull", "-q", f"{TLS}/library/busybox")
            stack.docker("pull", "-q", f"{PLAIN}/library/busybox")
            assert {target for _, target in proxy.asked} == {TLS, PLAIN}

    def test_a_proxy_that_is_not_there(self, proxied):
        stack = proxied(HTTPS_PROXY="http://127.0.0.1:1", HTTP_PROXY="http://127.0.0.1:1")
        result = stack.docker("pull", f"{TLS}/library/busybox", check=False)
        assert result.code == 1 and "proxyconnect tcp: dial tcp 127.0.0.1:1: connect: connection refused" in result.err


@pytest.fixture(scope="module")
def mutual(remote_registry, scratch):
    """A registry that wants a certificate from its clients; the directory has `client.cert` and `client.key`."""
    path, server = scratch / "mutual", remote_registry
    path.mkdir()
    run("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=user", "-keyout", path / "client.key", "-out", path / "csr")
    run("openssl", "x509", "-req", "-in", path / "csr", "-CA", server / "ca.crt", "-CAkey", server / "ca.key",
        "-CAcreateserial", "-days", "30", "-out", path / "client.cert")
    (path / "config.yml").write_text(f"""
version: 0.1
log: {{level: warn, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {server}/data}}}}
http:
  addr: {MUTUAL}
  secret: test
  tls: {{certificate: {server}/server.crt, key: {server}/server.key, clientcas: [{server}/ca.crt]}}
""")
    process = subprocess.Popen(["docker-registry", "serve", path / "config.yml"], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    shutil.copy(server / "ca.crt", path)
    wait_until(lambda: run("ss", "-Hltn", f"sport = :{MUTUAL.rpartition(':')[2]}").out, what="the registry")
    yield path
    process.kill()
    process.wait()


class TestCertificates:
    def test_of_the_client_in_certs_d(self, stack, mutual, repository):
        name = f"{MUTUAL}/library/busybox"
        directory = pathlib.Path("/etc/docker/certs.d") / MUTUAL
        directory.mkdir()
        try:
            shutil.copy(mutual / "ca.crt", directory)
            refused = stack.docker("pull", name, check=False)
            assert refused.code == 1 and "certificate" in refused.err.lower()
            for file in ("client.cert", "client.key"):
                shutil.copy(mutual / file, directory)
            stack.docker("pull", "-q", name)
            stack.docker("tag", name, f"{MUTUAL}/{repository}:1")
            stack.docker("push", "-q", f"{MUTUAL}/{repository}:1")
            stack.docker("rmi", name, f"{MUTUAL}/{repository}:1")
            (directory / "client.key").unlink()
            assert stack.docker("pull", name, check=False).code == 1
        finally:
            shutil.rmtree(directory)

    @pytest.mark.parametrize("client", ['[["client.cert", "client.key"]]', '"both.pem"', None], ids=["pair", "one file", "none"])
    def test_in_hosts_toml(self, stack, mutual, tmp_path, client):
        """What a transfer request of containerd's API names as its directory."""
        directory = tmp_path / MUTUAL
        directory.mkdir()
        for file in ("ca.crt", "client.cert", "client.key"):
            shutil.copy(mutual / file, directory)
        (directory / "both.pem").write_bytes((mutual / "client.cert").read_bytes() + (mutual / "client.key").read_bytes())
        for file, new in (("ca.crt", "own.pem"), ("client.cert", "c.pem"), ("client.key", "k.pem")):
            (directory / file).rename(directory / new)
        text = f'server = "https://{MUTUAL}"\n[host."https://{MUTUAL}"]\n  ca = "own.pem"\n'
        if client:
            text += "  client = " + client.replace("client.cert", "c.pem").replace("client.key", "k.pem") + "\n"
        (directory / "hosts.toml").write_text(text)
        name = f"{MUTUAL}/library/busybox:latest"
        source = encode([(1, name), (2, [(3, str(tmp_path))])])
        target = encode([(1, name)])
        request = [(1, [(1, "containerd.types.transfer.OCIRegistry"), (2, source)]),
                   (2, [(1, "containerd.types.transfer.ImageStore"), (2, target)])]
        connection = Connection(f"{stack.supervisor_socket}.ttrpc")
        try:
            call = lambda: connection.call("Transfer", request, service="containerd.services.transfer.v1.Transfer", namespace="mutual")
            if client:
                call()
                assert name in stack.ctr("-n", "mutual", "images", "ls", "-q").split()
                stack.ctr("-n", "mutual", "images", "rm", name)
            else:
                with pytest.raises(RPCError, match="(?i)certificate"):
                    call()
        finally:
            connection.close()
            stack.ctr("namespaces", "rm", "mutual", check=False)
