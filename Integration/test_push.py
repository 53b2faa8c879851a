# SPDX-License-Identifier: Apache-2.0
"""Push, with both clients, to registries that behave and to those that do not."""
import json

import pytest
from harness import run
from registry_setup import BASIC, FAULT, HTTP, TOKEN, faults, inspect, lines, push, requests
from small_registry import SmallRegistry


class TestPush:
    def test_clients_print_dockers_lines_and_skopeo_finds_the_image(self, cli, cleaned, unique, registries, repository):
        name = f"{HTTP}/{repository}"
        layer = unique(f"{name}:1")["RootFS"]["Layers"][0].removeprefix("sha256:")[:12]
        printed = cli("push", f"{name}:1").splitlines()
        digest = inspect(f"{name}:1")["Digest"]
        assert printed[0] == f"The push refers to repository [{name}]"
        assert printed[1] == f"{layer}: Preparing" and printed[-2] == f"{layer}: Pushed"
        assert printed[-1].startswith(f"1: digest: {digest} size: ")
        assert cleaned.inspect(f"{name}:1")["RepoDigests"] == [f"{name}@{digest}"]
        again = cli("push", f"{name}:1").splitlines()
        assert again[2] == f"{layer}: Layer already exists" and again[-1] == printed[-1]
        assert cli("push", "-q", f"{name}:1") == f"{name}:1"

    def test_all_tags(self, cli, cleaned, registries, repository):
        name = f"{HTTP}/{repository}"
        for tag in ("b", "a"):
            cleaned.docker("tag", "busybox", f"{name}:{tag}")
        printed = cli("push", "-a", name).splitlines()
        assert [line.split(":")[0] for line in printed if "digest:" in line] == ["a", "b"]
        assert inspect(f"{name}:a")["Digest"] == inspect(f"{name}:b")["Digest"]

    def test_the_stream(self, cleaned, unique, registries, repository):
        name = f"{HTTP}/{repository}"
        unique(f"{name}:1", 3 << 20)
        answer = push(cleaned, name, 1)
        states = [line["status"] for line in answer if line.get("progressDetail") is not None and "status" in line]
        assert states[0] == "Preparing" and states[-1] == "Pushed" and set(states[1:-1]) == {"Pushing"}
        bar = next(line for line in answer if line.get("status") == "Pushing")
        assert bar["progressDetail"]["total"] > 0 and bar["progress"].startswith("[")
        aux = answer[-1]["aux"]
        assert aux["Tag"] == "1" and aux["Digest"] == inspect(f"{name}:1")["Digest"] and aux["Size"] > 0
        assert answer[-2]["status"] == f"1: digest: {aux['Digest']} size: {aux['Size']}"
        events = lines(cleaned.curl("/events?since=1&until=4000000000.0", "--max-time", "1", check=False).out)
        assert ("push", f"{name}:1") in [(event["Action"], event["Actor"]["ID"]) for event in events]

    def test_what_is_pushed_can_be_pulled(self, cleaned, registries, repository, tmp_path):
        name = f"{HTTP}/{repository}:1"
        cleaned.docker("pull", "-q", f"{HTTP}/library/layers60")
        identity = cleaned.inspect(f"{HTTP}/library/layers60")["Id"]
        cleaned.docker("tag", f"{HTTP}/library/layers60", name)
        cleaned.docker("push", "-q", name)
        run("skopeo", "--insecure-policy", "copy", "-q", "--src-tls-verify=false", f"docker://{name}", f"oci:{tmp_path}/out:1")
        cleaned.docker("rmi", name, f"{HTTP}/library/layers60")
        cleaned.docker("pull", "-q", name)
        assert cleaned.inspect(name)["Id"] == identity
        assert inspect(name)["Digest"] == inspect(f"{HTTP}/library/layers60")["Digest"]

    def test_a_blob_of_the_same_registry_is_mounted(self, cleaned, registries, repository):
        source = f"{FAULT}/library/layers60"
        cleaned.docker("pull", "-q", source)
        cleaned.docker("tag", source, f"{FAULT}/{repository}:1")
        faults()
        answer = push(cleaned, f"{FAULT}/{repository}", 1)
        states = {line["status"] for line in answer if "id" in line}
        assert states - {"Preparing", "Waiting"} == {"Mounted from library/layers60"}
        assert not [request for request in requests() if request[0] in ("PATCH", "PUT") and "/uploads/" in request[1]]
        assert inspect(f"{HTTP}/{repository}:1")["Digest"] == inspect(f"{HTTP}/library/layers60")["Digest"]

    def test_a_name_that_is_none(self, stack, registries):
        answer = stack.curl("/images/UPPER/push", "-X", "POST", "-w", "\n%{http_code}")
        body, _, code = answer.rpartition("\n")
        assert code == "400" and "repository name (library/UPPER) must be lowercase" in json.loads(body)["message"]

    @pytest.mark.parametrize("reference, repository, text", [
        (f"{HTTP}/nothing-here", f"{HTTP}/nothing-here",
         f"An image does not exist locally with the tag: {HTTP}/nothing-here"),
        ("busybox:nope", "docker.io/library/busybox", "tag does not exist: busybox:nope"),
    ])
    def test_an_image_that_is_not_here(self, cli, registries, reference, repository, text):
        result = cli("push", reference, check=False)
        assert result.code == 1 and result.err.strip().endswith(text)
        assert f"The push refers to repository [{repository}]" in result

    def test_a_registry_that_is_not_there(self, cli, cleaned):
        cleaned.docker("tag", "busybox", "127.0.0.1:1/x:1")
        result = cli("push", "127.0.0.1:1/x:1", check=False)
        assert result.code == 1 and "connection refused" in result.err

    def test_without_a_login(self, cli, cleaned, registries, repository):
        for registry, text in ((BASIC, "no basic auth credentials"), (TOKEN, "requested access to the resource is denied")):
            cleaned.docker("tag", "busybox", f"{registry}/{repository}:1")
            result = cli("push", f"{registry}/{repository}:1", check=False)
            assert result.code == 1 and text in result.err

    @pytest.mark.parametrize("rules", [
        [{"match": "^POST .*/uploads/$", "kind": "status", "status": 503, "times": 2}],
        [{"match": "^PATCH ", "kind": "status", "status": 500, "times": 1}],
        [{"match": "^PATCH ", "kind": "cutoff", "after": 1000000, "times": 1}],
        [{"match": "^PUT .*/uploads/", "kind": "status", "status": 429, "retry_after": 1, "times": 1}],
        [{"match": "^PUT .*/manifests/", "kind": "status", "status": 502, "times": 1}],
    ])
    def test_a_registry_that_fails_now_and_then(self, cleaned, unique, registries, repository, rules):
        unique(f"{FAULT}/{repository}:1", 3 << 20)
        faults(*rules)
        answer = push(cleaned, f"{FAULT}/{repository}", 1)
        assert "error" not in answer[-1], answer[-1]
        assert answer[-1]["aux"]["Digest"] == inspect(f"{HTTP}/{repository}:1")["Digest"]

    def test_an_upload_goes_on_where_it_broke_off(self, cleaned, unique, repository):
        with SmallRegistry() as registry:
            name = f"{registry.address}/{repository}"
            unique(f"{name}:1", 3 << 20)
            registry.cut = 1000000
            answer = push(cleaned, name, 1)
            assert "error" not in answer[-1], answer[-1]
            assert registry.uploads == ["PATCH 0", "GET", "PATCH 1000000"]
            assert answer[-1]["aux"]["Digest"] in registry.manifests

    def test_a_registry_that_wants_smaller_pieces(self, cleaned, unique, repository):
        """As a proxy with a limit does: it answers 413 and closes while we still send."""
        with SmallRegistry() as registry:
            name = f"{registry.address}/{repository}"
            unique(f"{name}:1", 9 << 20)
            registry.limit = 5 << 20
            answer = push(cleaned, name, 1)
            assert "error" not in answer[-1], answer[-1]
            assert registry.uploads[-3:] == ["PATCH 0", f"PATCH {4 << 20}", f"PATCH {8 << 20}"]
            assert answer[-1]["aux"]["Digest"] in registry.manifests

    def test_a_registry_that_fails_for_good(self, cleaned, unique, registries, repository):
        unique(f"{FAULT}/{repository}:1")
        faults({"match": "^PATCH |^PUT ", "kind": "status", "status": 403})
        answer = push(cleaned, f"{FAULT}/{repository}", 1)
        assert answer[-1]["error"] == answer[-1]["errorDetail"]["message"]
        assert "fault injected" in answer[-1]["error"]
