# SPDX-License-Identifier: Apache-2.0
"""Pulls from registries that misbehave."""
import json
import time

import pytest
from archives import digest_of, random_archive
from harness import run, wait_until
from registry_setup import FAULT, HTTP, blobs, faults, lines, requests
from small_registry import SmallRegistry


class TestPullsThatFail:
    def blob(self, image="big"):
        return blobs(f"{HTTP}/library/{image}")[0]

    @pytest.fixture(scope="class", autouse=True)
    def big(self, registries, tmp_path_factory):
        """An image of one layer of 6 MB."""
        path = tmp_path_factory.mktemp("big") / "big.tar"
        path.write_bytes(random_archive("big:1", 6 << 20))
        run("skopeo", "--insecure-policy", "copy", "-q", "--dest-tls-verify=false", f"docker-archive:{path}",
            f"docker://{HTTP}/library/big:latest")

    def pull(self, stack, *rules):
        faults(*rules)
        return lines(stack.curl(f"/images/create?fromImage={FAULT}/library/big&tag=latest", "-X", "POST"))

    def test_a_dropped_download_goes_on_where_it_stopped(self, configured):
        answer = self.pull(configured, {"match": "GET .*" + self.blob(), "kind": "drop", "after": 3000000, "times": 1})
        assert answer[-1]["status"].startswith("Status: Downloaded newer image"), answer[-1]
        ranges = [request[2] for request in requests() if request[0] == "GET" and self.blob() in request[1]]
        assert ranges[0] is None and len(ranges) == 2 and int(ranges[1].removeprefix("bytes=").rstrip("-")) > 0

    def test_a_stalled_download_goes_on_after_the_timeout(self, configured):
        answer = self.pull(configured, {"match": "GET .*" + self.blob(), "kind": "stall", "after": 3000000, "seconds": 5, "times": 1})
        assert answer[-1]["status"].startswith("Status: Downloaded newer image"), answer[-1]
        ranges = [request[2] for request in requests() if request[0] == "GET" and self.blob() in request[1]]
        assert [start for start in ranges if start and int(start.removeprefix("bytes=").rstrip("-")) > 0], ranges

    def test_a_registry_that_says_nothing_is_given_up(self, configured):
        answer = self.pull(configured, {"match": "(GET|HEAD) .*/manifests/", "kind": "stall", "after": 0, "seconds": 5})
        assert "timeout" in answer[-1]["error"], answer[-1]
        assert configured.docker("images", "-aq", f"{FAULT}/library/big") == ""

    def test_also_after_a_restart_of_the_supervisor(self, configured):
        faults({"match": "GET .*" + self.blob(), "kind": "stall", "after": 4000000, "times": 1})
        client = configured.background("pull", f"{FAULT}/library/big")
        ingest = configured.root / "supervisor" / "content" / "ingest"
        wait_until(lambda: [data for data in ingest.glob("*/data") if data.stat().st_size > 2000000], 10, "half a blob")
        configured.kill_supervisor()
        client.wait(20)
        wait_until(lambda: configured.ctr("version", check=False).code == 0, 10, "a supervisor")
        answer = self.pull(configured)
        assert answer[-1]["status"].startswith("Status: Downloaded newer image"), answer[-1]
        ranges = [request[2] for request in requests() if request[0] == "GET" and self.blob() in request[1]]
        assert len(ranges) == 1 and int(ranges[0].removeprefix("bytes=").rstrip("-")) > 2000000

    @pytest.mark.parametrize("rule, text", [
        ({"kind": "corrupt", "at": 5000}, "filesystem layer verification failed for digest"),
        ({"kind": "status", "status": 403}, "unknown: fault injected"),
    ], ids=["corrupt", "forbidden"])
    def test_what_cannot_be_helped_is_said(self, configured, rule, text):
        answer = self.pull(configured, {"match": "GET .*" + self.blob(), **rule})
        assert text in answer[-1]["error"]
        assert configured.docker("images", "-aq", f"{FAULT}/library/big") == ""
        # Nothing bad stays: the next try is fine.
        assert self.pull(configured)[-1]["status"].startswith("Status: Downloaded newer image")

    def test_a_busy_registry_is_asked_again_when_it_wants(self, configured):
        began = time.monotonic()
        answer = self.pull(configured, {"match": "GET .*" + self.blob(), "kind": "status", "status": 429, "retry_after": 1, "times": 1},
                           {"match": "manifests", "kind": "status", "status": 503, "times": 1})
        assert answer[-1]["status"].startswith("Status: Downloaded newer image"), answer[-1]
        assert time.monotonic() - began > 1

    def test_the_pauses_are_counted_down(self, configured):
        answer = self.pull(configured, {"match": "GET .*" + self.blob(), "kind": "status", "status": 503, "retry_after": 2, "times": 1},
                           {"match": "GET .*" + self.blob(), "kind": "status", "status": 503, "times": 1})
        identity = self.blob().removeprefix("sha256:")[:12]
        said = [line["status"] for line in answer if line.get("id") == identity and line["status"] != "Downloading"]
        assert said[:4] == ["Pulling fs layer", "Retrying in 2 seconds", "Retrying in 1 second", "Retrying in 1 second"]
        assert "Download complete" in said

    def test_leaving_ends_the_transfer_within_a_second(self, configured):
        faults({"match": "GET .*" + self.blob(), "kind": "stall", "after": 2000000, "seconds": 20})
        client = configured.background("pull", f"{FAULT}/library/big")
        port = FAULT.rpartition(":")[2]
        connections = lambda: run("ss", "-Htn", "state", "established", f"dport = :{port}").splitlines()
        ingest = configured.root / "supervisor" / "content" / "ingest"
        wait_until(lambda: [data for data in ingest.glob("*/data") if data.stat().st_size > 1000000], 10, "a download")
        before = len(connections())
        client.terminate()
        client.wait(5)
        wait_until(lambda: len(connections()) < before, 1, "the end of the transfer")

    def test_schema_1_is_refused(self, stack):
        with SmallRegistry() as registry:
            body = b'{"schemaVersion":1,"name":"x","tag":"1","fsLayers":[],"history":[]}'
            registry.manifests["1"] = registry.manifests[digest_of(body)] = (
                "application/vnd.docker.distribution.manifest.v1+prettyjws", body)
            result = stack.docker("pull", f"{registry.address}/x:1", check=False)
            assert result.code == 1 and "schema 1 support has been removed" in result.err

    def test_a_foreign_layer_comes_from_its_url(self, configured):
        with SmallRegistry() as registry:
            name = f"{registry.address}/x:1"
            configured.docker("load", "-q", input=random_archive(name, 1000))
            configured.docker("push", "-q", name)
            configured.docker("rmi", name)
            manifest = json.loads(registry.manifests["1"][1])
            layer = manifest["layers"][0]
            layer["urls"] = [f"http://{registry.address}/elsewhere/blobs/layer"]
            layer["mediaType"] = "application/vnd.docker.image.rootfs.foreign.diff.tar"
            registry.blobs["layer"] = registry.blobs.pop(layer["digest"])
            registry.manifests["1"] = (registry.manifests["1"][0], json.dumps(manifest).encode())
            registry.manifests[digest_of(registry.manifests["1"][1])] = registry.manifests["1"]
            configured.docker("pull", "-q", name)
            assert len(configured.inspect(name)["RootFS"]["Layers"]) == 1

    @pytest.fixture
    def pushed(self, configured):
        """An image in a registry of its own, and the digest of its only layer."""
        with SmallRegistry() as registry:
            name = f"{registry.address}/x:1"
            configured.docker("load", "-q", input=random_archive(name, 3 << 20))
            configured.docker("push", "-q", name)
            configured.docker("rmi", name)
            yield registry, name, json.loads(registry.manifests["1"][1])["layers"][0]["digest"]

    def test_a_slow_registry_is_waited_for(self, configured):
        answer = self.pull(configured, {"match": "GET .*" + self.blob(), "kind": "slow", "rate": 3 << 20, "times": 1})
        assert answer[-1]["status"].startswith("Status: Downloaded newer image"), answer[-1]
        bars = [line["progressDetail"]["current"] for line in answer if line.get("status") == "Downloading"]
        assert len(bars) > 4 and bars == sorted(bars)

    @pytest.mark.parametrize("change, text", [
        (lambda data: data[:-10], "is shorter than its"), (lambda data: data + b"x", "is larger than its"),
        (lambda data: data[:-1] + bytes([data[-1] ^ 1]), "filesystem layer verification failed for digest"),
    ], ids=["short", "long", "wrong"])
    def test_a_blob_that_is_not_what_the_manifest_says(self, configured, pushed, change, text):
        registry, name, layer = pushed
        right = registry.blobs[layer]
        registry.blobs[layer] = change(right)
        began = time.monotonic()
        result = configured.docker("pull", name, check=False)
        assert result.code == 1 and text in result.err and time.monotonic() - began < 5
        assert configured.docker("images", "-aq") == ""
        assert configured.ctr("-n", "swrun", "content", "ls", "-q").find(layer) < 0
        registry.blobs[layer] = right
        configured.docker("pull", "-q", name)

    def test_a_redirect_takes_no_password_along(self, configured, pushed, logged_out, monkeypatch):
        registry, name, layer = pushed
        with SmallRegistry() as elsewhere:
            registry.password, registry.blobs_are_at, elsewhere.blobs = "user:secret", elsewhere.address, registry.blobs
            configured.docker("login", "-u", "user", "--password-stdin", registry.address, input="secret")
            configured.docker("pull", "-q", name)
            configured.docker("logout", registry.address)
            assert any(authorization for _, path, authorization in registry.seen if layer in path)
            fetched = [(path, authorization) for _, path, authorization in elsewhere.seen]
            assert any(layer in path for path, _ in fetched)
            assert {authorization for _, authorization in fetched} == {None}
