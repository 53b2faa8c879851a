# SPDX-License-Identifier: Apache-2.0
"""Registries from both sides: push, login, mirrors, and pulls from registries that misbehave.

`registries` has every mode of tools/registry-up on loopback with one set of images; what is pushed is judged by
skopeo.
"""
import json
import os
import pathlib
import shutil
import time

import pytest
from harness import REMOTE_ADDRESS, TOOLS, Stack, run, wait_until
from small_registry import SmallRegistry, archive, digest_of

HTTP, HTTPS, BASIC, TOKEN, FAULT = (f"127.0.0.1:{port}" for port in (5110, 5111, 5112, 5113, 5115))
CREDENTIALS = "user:secret"


@pytest.fixture(scope="module")
def registries(scratch, images):
    """http, https, basic, token and fault on 5110 and the ports after it."""
    path = scratch / "registries"
    up = [TOOLS / "registry-up", "--dir", path, "--port", "5110"]
    run(*up, "start", "http", "https", "basic", "token", "fault")
    for name in ("busybox", "layers60"):
        run("skopeo", "--insecure-policy", "copy", "-q", "--dest-tls-verify=false", f"oci:{images}/oci/{name}:latest",
            f"docker://{HTTP}/library/{name}:latest")
    yield path
    run(*up, "stop")


@pytest.fixture
def repository():
    """A repository name that no other test uses."""
    return "t" + os.urandom(4).hex()


@pytest.fixture
def unique(cleaned):
    """Loads an image under a name, as big as asked for."""
    def load(name, size=1000):
        cleaned.docker("load", "-q", input=archive(name, size))
        return cleaned.inspect(name)
    return load


@pytest.fixture
def cleaned(stack):
    """Removes the names of the registries from the shared stack afterwards."""
    yield stack
    names = [line for line in stack.docker("images", "--format", "{{.Repository}}:{{.Tag}}").split() if "127.0.0.1:" in line]
    if names:
        stack.docker("rmi", "-f", *names)


def inspect(reference, *options):
    """What skopeo says of an image in a registry."""
    return json.loads(run("skopeo", "inspect", "--tls-verify=false", *options, f"docker://{reference}"))


def blobs(reference):
    manifest = json.loads(run("skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{reference}"))
    return [layer["digest"] for layer in manifest["layers"]]


def lines(text):
    return [json.loads(line) for line in text.splitlines() if line]


def push(stack, name, tag, *options):
    return lines(stack.curl(f"/images/{name}/push?tag={tag}", "-X", "POST", *options))


def faults(*rules):
    run("curl", "-s", "-X", "DELETE", f"http://{FAULT}/_fault")
    run("curl", "-s", "-X", "POST", "--data", json.dumps(rules), f"http://{FAULT}/_fault")


def requests():
    return json.loads(run("curl", "-s", f"http://{FAULT}/_fault"))["requests"]


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

    @pytest.mark.parametrize("reference, status, text", [
        (f"{HTTP}/nothing-here", 404, f"An image does not exist locally with the tag: {HTTP}/nothing-here"),
        ("busybox?tag=nope", 404, "tag does not exist: busybox:nope"),
        ("UPPER", 400, "repository name (library/UPPER) must be lowercase"),
    ])
    def test_failures_before_the_first_line(self, stack, registries, reference, status, text):
        name, _, query = reference.partition("?")
        answer = stack.curl(f"/images/{name}/push?{query}", "-X", "POST", "-w", "\n%{http_code}")
        body, _, code = answer.rpartition("\n")
        assert int(code) == status and text in json.loads(body)["message"]

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

    def test_a_registry_that_fails_for_good(self, cleaned, unique, registries, repository):
        unique(f"{FAULT}/{repository}:1")
        faults({"match": "^PATCH |^PUT ", "kind": "status", "status": 403})
        answer = push(cleaned, f"{FAULT}/{repository}", 1)
        assert answer[-1]["error"] == answer[-1]["errorDetail"]["message"]
        assert "fault injected" in answer[-1]["error"]


@pytest.fixture
def logged_out(stack):
    """No configuration of the client before and after."""
    config = stack.home / ".docker" / "config.json"
    config.unlink(missing_ok=True)
    yield config
    config.unlink(missing_ok=True)


class TestLogin:
    def test_basic(self, cli, stack, registries, logged_out, unique, repository):
        name = f"{BASIC}/{repository}:1"
        unique(name)
        result = cli("login", "-u", "user", "-p", "secret", BASIC)
        assert result == "Login Succeeded" and "Using --password via the CLI is insecure" in result.err
        assert f"WARNING! Your credentials are stored unencrypted in '{logged_out}'" in result.err
        assert json.loads(logged_out.read_text()) == {"auths": {BASIC: {"auth": "dXNlcjpzZWNyZXQ="}}}
        assert logged_out.stat().st_mode & 0o777 == 0o600
        cli("push", "-q", name)
        stack.docker("rmi", name)
        assert cli("pull", "-q", name) == name
        assert "existing credentials" in cli("login", BASIC).err
        assert cli("logout", BASIC) == f"Removing login credentials for {BASIC}"
        assert json.loads(logged_out.read_text()) == {"auths": {}}
        assert "no basic auth credentials" in cli("pull", name, check=False).err

    def test_token(self, cli, stack, registries, logged_out, unique, repository):
        name = f"{TOKEN}/{repository}:1"
        unique(name)
        assert cli("login", "--username", "user", "--password-stdin", TOKEN, input="secret\n") == "Login Succeeded"
        entry = json.loads(logged_out.read_text())["auths"][TOKEN]
        assert entry["identitytoken"] and entry["auth"] == "dXNlcjo="
        cli("push", "-q", name)
        stack.docker("rmi", name)
        # create pulls by itself
        cli("create", "--name", repository, "--network", "none", name)
        stack.docker("rm", repository)
        cli("logout", TOKEN)
        assert inspect(name, "--creds", CREDENTIALS)["Digest"]

    @pytest.mark.parametrize("registry, text", [
        (BASIC, f"login attempt to https://{BASIC}/v2/ failed with status: 401 Unauthorized"),
        (TOKEN, "unauthorized"),
    ])
    def test_wrong_password(self, cli, registries, logged_out, registry, text):
        result = cli("login", "-u", "user", "--password-stdin", registry, input="wrong", check=False)
        assert result.code == 1 and text in result.err and not logged_out.exists()

    @pytest.mark.parametrize("options, text", [
        (["--password-stdin"], "the --password-stdin option requires --username to be set"),
        (["-p", "x", "--password-stdin", "-u", "x"], "conflicting options: cannot specify both --password and --password-stdin"),
        (["-u", "x"], "Error: Cannot perform an interactive login from a non TTY device"),
    ])
    def test_wrong_options(self, cli, logged_out, options, text):
        assert text in cli("login", *options, BASIC, check=False).err

    def test_credential_helper(self, cli, registries, logged_out, tmp_path, monkeypatch):
        program = tmp_path / "docker-credential-test"
        program.write_text(f"""#!/bin/sh
            file={tmp_path}/kept
            case $1 in
                store) cat >$file ;;
                get) [ -e $file ] && cat $file || {{ echo credentials not found in native keychain; exit 1; }} ;;
                erase) rm -f $file ;;
            esac""")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        logged_out.parent.mkdir(exist_ok=True)
        logged_out.write_text(json.dumps({"credHelpers": {BASIC: "test"}, "psFormat": "x"}))
        result = cli("login", "-u", "user", "--password-stdin", BASIC, input="secret")
        assert result == "Login Succeeded" and "unencrypted" not in result.err
        assert json.loads((tmp_path / "kept").read_text()) == {"ServerURL": BASIC, "Username": "user", "Secret": "secret"}
        saved = json.loads(logged_out.read_text())
        assert saved["auths"] == {BASIC: {}} and saved["psFormat"] == "x"
        # The secret comes from the helper: the answer is about the image, not about the password.
        assert "not found" in cli("pull", f"{BASIC}/none:1", check=False).err
        cli("logout", BASIC)
        assert not (tmp_path / "kept").exists()


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


@pytest.fixture(scope="module")
def configured_stack(scratch, registries, remote_registry):
    """A stack of its own with mirrors and an insecure network."""
    stack = Stack(scratch / "configured", "own", [
        "--registry-mirror", "http://127.0.0.1:1", "--registry-mirror", f"http://{HTTP}",
        "--insecure-registry", "192.0.2.0/24"])
    stack.start()
    yield stack
    stack.destroy()


@pytest.fixture
def configured(configured_stack):
    """The same, without any image."""
    yield configured_stack
    found = configured_stack.docker("images", "-aq").split()
    if found:
        configured_stack.docker("rmi", "-f", *set(found))


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


class TestPullsThatFail:
    def blob(self, image="big"):
        return blobs(f"{HTTP}/library/{image}")[0]

    @pytest.fixture(scope="class", autouse=True)
    def big(self, registries, tmp_path_factory):
        """An image of one layer of 6 MB."""
        path = tmp_path_factory.mktemp("big") / "big.tar"
        path.write_bytes(archive("big:1", 6 << 20))
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
            configured.docker("load", "-q", input=archive(name, 1000))
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
