# SPDX-License-Identifier: Apache-2.0
"""swrun-registry with the clients that people have, and what they do not do: breaking off, killing, guessing, lying."""
import base64
import json
import os
import random
import socket
import ssl
import subprocess
import urllib.error
import urllib.request

import pytest
from harness import BIN, run, wait_until
from own_registry import OwnRegistry, digest_of

ROUNDS = int(os.environ.get("SWRUN_TEST_ROUNDS", "2"))
COPY = ["skopeo", "--insecure-policy", "copy", "-q", "--src-tls-verify=false", "--dest-tls-verify=false"]
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def copy(*arguments, check=True):
    return run(*COPY, *arguments, check=check)


def raw(reference):
    return run("skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{reference}").raw


@pytest.fixture
def name(own_registry):
    """A repository that no other test uses."""
    return "t" + os.urandom(4).hex()


@pytest.fixture
def image(own_registry, images, name):
    """A name of busybox in the registry."""
    copy(f"oci:{images}/oci/busybox:latest", f"docker://{own_registry.address}/{name}:1")
    return f"{own_registry.address}/{name}:1"


class TestUploads:
    def start(self, registry, name):
        status, headers, _ = registry.ask("POST", f"/v2/{name}/blobs/uploads/")
        assert status == 202
        return headers["Location"]

    def break_off(self, registry, place, data, length):
        """Announces `length` bytes, sends `data`, and hangs up."""
        with socket.create_connection(("127.0.0.1", registry.port)) as connection:
            head = f"PATCH {place} HTTP/1.1\r\nHost: r\r\nContent-Length: {length}\r\n\r\n"
            connection.sendall(head.encode() + data)
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1 << 16)  # it has noticed

    def finish(self, registry, name, place, rest, data):
        status, headers, _ = registry.ask("PUT", f"{place}?digest={digest_of(data)}", rest)
        assert status == 201
        assert registry.ask("GET", headers["Location"])[2] == data

    @pytest.mark.parametrize("kills", [False, True], ids=["connection", "process"])
    def test_an_upload_goes_on_where_it_broke_off(self, kills, name, tmp_path):
        data = os.urandom(3_000_000)
        with OwnRegistry() as registry:
            place = self.start(registry, name)
            self.break_off(registry, place, data[:2_000_000], 2_500_000)
            if kills:
                registry.kill()
                registry.start()
            status, headers, _ = registry.ask("GET", place)
            assert (status, headers["Range"]) == (204, "0-1999999")
            wrong = registry.ask("PATCH", place, data[:10], Content_Range="0-9")
            assert (wrong[0], wrong[1]["Range"]) == (416, "0-1999999")
            assert registry.ask("PATCH", place, data[2_000_000:2_500_000], Content_Range="2000000-2499999")[0] == 202
            self.finish(registry, name, place, data[2_500_000:], data)

    def test_what_was_answered_survives_a_kill(self, images):
        with OwnRegistry() as registry:
            target = f"docker://{registry.address}/x:1"
            copy(f"oci:{images}/oci/layers60:latest", target)
            before = raw(f"{registry.address}/x:1")
            registry.kill()
            registry.start()
            assert raw(f"{registry.address}/x:1") == before
            copy(target, f"dir:{registry.directory}/out")

    def test_a_tag_always_stands_for_a_whole_image(self, images):
        """Killed after any request of a push, and with what the push left behind collected."""
        with OwnRegistry("--delete") as registry:
            for number in range(ROUNDS):
                requests = len(registry.log().splitlines()) + random.randrange(1, 200)
                target = f"docker://{registry.address}/x{number}:1"
                push = subprocess.Popen([*COPY, f"oci:{images}/oci/layers60:latest", target], stderr=subprocess.DEVNULL)
                wait_until(lambda: push.poll() is not None or len(registry.log().splitlines()) >= requests, what="requests")
                registry.kill()
                push.wait()
                registry.collect_garbage()
                registry.start()
                if registry.ask("GET", f"/v2/x{number}/manifests/1")[0] == 404:
                    copy(f"oci:{images}/oci/layers60:latest", target)
                copy(target, f"dir:{registry.directory}/out{number}")

    def test_memory_does_not_grow_with_blobs(self, own_registry, name):
        size = 96 << 20
        data = bytes(size)
        own_registry.push(name, data)
        status, _, answer = own_registry.ask("GET", f"/v2/{name}/blobs/{digest_of(data)}")
        assert status == 200 and answer == data
        assert own_registry.peak_memory() < size

    def test_two_requests_write_to_one_upload(self, own_registry, name):
        place = self.start(own_registry, name)
        with socket.create_connection(("127.0.0.1", own_registry.port)) as first:
            first.sendall(f"PATCH {place} HTTP/1.1\r\nHost: r\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n".encode())
            assert b"100 Continue" in first.recv(1 << 16)  # it reads the body now
            assert own_registry.code("PATCH", place, b"other") == (409, "BLOB_UPLOAD_INVALID")
            first.sendall(b"hello")
            assert b"202 Accepted" in first.recv(1 << 16)
        self.finish(own_registry, name, place, b"", b"hello")


class TestGarbage:
    def test_needs_the_registry_to_itself(self, own_registry):
        refused = own_registry.collect_garbage(check=False)
        assert refused.code == 1 and "another instance is running" in refused.err

    def test_removes_what_nothing_leads_to(self, images):
        with OwnRegistry("--delete") as registry:
            for tag in "12":
                copy(f"oci:{images}/oci/{'busybox' if tag == '1' else 'layers60'}:latest", f"docker://{registry.address}/x:{tag}")
            registry.push("y", b"of no image")
            run("skopeo", "delete", "--tls-verify=false", f"docker://{registry.address}/x:2")
            registry.stop()
            assert registry.collect_garbage().startswith("removed 0 manifests and ")
            assert registry.collect_garbage() == "removed 0 manifests and 0 blobs"
            assert len(list((registry.directory / "root/content/blobs/sha256").iterdir())) == 3
            registry.start()
            copy(f"docker://{registry.address}/x:1", f"dir:{registry.directory}/out")


class TestDoor:
    """Who is let in, and how."""

    @pytest.fixture(scope="class")
    def guarded(self, tmp_path_factory):
        """TLS with a certificate of its own, and one user."""
        path = tmp_path_factory.mktemp("guarded")
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
            "subjectAltName=IP:127.0.0.1", "-keyout", path / "key", "-out", path / "ca.crt")
        (path / "users").write_text(run("htpasswd", "-Bbn", "-C", "4", "user", "secret") + "\n")
        with OwnRegistry("--tls-certificate", path / "ca.crt", "--tls-key", path / "key", "--htpasswd", path / "users") as found:
            found.certificates = path
            yield found

    def test_users(self, guarded, images, tmp_path):
        target = f"docker://{guarded.address}/x:1"
        source = f"oci:{images}/oci/busybox:latest"
        certificates = ["--dest-cert-dir", guarded.certificates, "--dest-tls-verify=true"]
        assert "authentication required" in copy(*certificates, source, target, check=False).err
        wrong = copy(*certificates, "--dest-creds", "user:wrong", source, target, check=False)
        assert wrong.code != 0 and "authentication required" in wrong.err
        copy(*certificates, "--dest-creds", "user:secret", source, target)
        copy("--src-cert-dir", guarded.certificates, "--src-tls-verify=true", "--src-creds", "user:secret", target, f"dir:{tmp_path}/out")

    def test_the_challenge(self, guarded):
        context = ssl.create_default_context(cafile=guarded.certificates / "ca.crt")
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"https://{guarded.address}/v2/", context=context)
        assert refused.value.code == 401 and refused.value.headers["WWW-Authenticate"].startswith("Basic realm=")
        request = urllib.request.Request(f"https://{guarded.address}/v2/")
        request.add_header("Authorization", "Basic " + base64.b64encode(b"user:secret").decode())
        assert urllib.request.urlopen(request, context=context).status == 200

    def test_plain_text_to_tls(self, guarded):
        status, _, body = guarded.ask("GET", "/v2/")
        assert status == 400 and b"HTTP request to an HTTPS server" in body

    @pytest.mark.parametrize("flags, text", [
        (["--tls-key", "x"], "go together"), (["--addr", "a:b"], "invalid --addr"), (["--nonsense"], "unknown flag"),
        (["--htpasswd", "/nosuch"], "/nosuch"), (["--log-level", "loud"], "log level"), (["more"], "unexpected argument"),
        (["--tls-certificate", "/nosuch", "--tls-key", "/nosuch"], "X509"), (["garbage-collect", "x"], "unexpected argument"),
    ])
    def test_bad_flags(self, tmp_path, flags, text):
        root = [] if "garbage-collect" in flags else ["--root", tmp_path / "root"]
        refused = run(BIN / "swrun-registry", *flags, *root, check=False)
        assert refused.code == 1 and text in refused.err


class TestBadInput:
    @pytest.mark.parametrize("method, path, expected", [
        ("GET", "/v2/x/manifests/none", (404, "MANIFEST_UNKNOWN")), ("GET", "/v2/X/tags/list", (400, "NAME_INVALID")),
        ("GET", "/v2/none/tags/list", (404, "NAME_UNKNOWN")), ("GET", "/v2/x/blobs/sha256:1", (400, "DIGEST_INVALID")),
        ("GET", "/v2/x/blobs/" + digest_of(b"none"), (404, "BLOB_UNKNOWN")), ("PATCH", "/v2/", (405, "UNSUPPORTED")),
        ("GET", "/v2/x/blobs/uploads/../../../etc/passwd", (404, "UNSUPPORTED")),
        ("GET", "/v2/x/blobs/uploads/%2e%2e", (404, "BLOB_UPLOAD_UNKNOWN")), ("PUT", "/v2/x/manifests/1", (400, "MANIFEST_INVALID")),
        ("GET", "/nosuch", (404, "UNSUPPORTED")), ("GET", "/v2/_catalog?n=x", (400, "PAGINATION_NUMBER_INVALID")),
    ])
    def test_refusals(self, own_registry, method, path, expected):
        assert own_registry.code(method, path) == expected

    def test_large_manifests(self, own_registry, name):
        config = own_registry.push(name, b"{}")
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "layers": [],
                    "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": config, "size": 2}}
        text = json.dumps({**manifest, "annotations": {f"a{i}": "A" * 10_000 for i in range(390)}}).encode()
        assert own_registry.ask("PUT", f"/v2/{name}/manifests/1", text, Content_Type=MANIFEST)[0] == 201
        assert own_registry.ask("GET", f"/v2/{name}/manifests/1")[2] == text
        huge = text + b" " * (4 << 20)
        assert own_registry.code("PUT", f"/v2/{name}/manifests/2", huge, Content_Type=MANIFEST) == (413, "SIZE_INVALID")

    def test_noise(self, own_registry):
        for _ in range(50):
            with socket.create_connection(("127.0.0.1", own_registry.port)) as connection:
                connection.sendall(os.urandom(300) + b"\r\n\r\n")
        assert own_registry.ask("GET", "/v2/")[0] == 200


class TestClients:
    """What one client pushes it and all others pull."""

    @pytest.mark.parametrize("engine", ["docker_engine", "podman_engine"])
    def test_other_engines(self, request, own_registry, image, name, engine):
        call = request.getfixturevalue(engine)
        if call is None:
            pytest.skip("no dockerd on this machine")
        call("pull", "-q", image)
        assert name in call("search", *(["--tls-verify=false"] if engine == "podman_engine" else []), f"{own_registry.address}/{name}")
        other = f"{own_registry.address}/{name}-again:2"
        call("tag", image, other)
        call("push", "-q", other)
        pushed = json.loads(raw(other))
        assert pushed["config"]["digest"] == json.loads(raw(image))["config"]["digest"]
        call("rmi", "-f", image, other)
        call("pull", "-q", other)
        call("rmi", "-f", other)

    def test_ours(self, cli, own_registry, image, name):
        other = f"{own_registry.address}/{name}/more:2"
        cli("pull", "-q", image)
        cli("tag", image, other)
        digest = digest_of(raw(image))
        assert f"2: digest: {digest}" in cli("push", other)
        assert raw(other) == raw(image)
        cli("rmi", "-f", image, other)
        assert f"Digest: {digest}" in cli("pull", other)
        assert cli("run", "--rm", "--network", "none", other, "echo", "runs") == "runs"
        cli("rmi", "-f", other)

    def test_ctr(self, stack, own_registry, image, name):
        stack.ctr("images", "pull", "--plain-http", image)
        stack.ctr("images", "push", "--plain-http", f"{own_registry.address}/{name}-ctr:1", image)
        assert raw(f"{own_registry.address}/{name}-ctr:1") == raw(image)
        stack.ctr("images", "rm", image)

    def test_all_platforms_there_and_back(self, own_registry, name, layout, tmp_path):
        there, back = f"docker://{own_registry.address}/{name}:all", f"oci:{tmp_path}/back:all"
        copy("--all", "--preserve-digests", f"oci:{layout}:interop/index:1", there)
        index = json.loads(raw(f"{own_registry.address}/{name}:all"))
        assert sorted(entry["platform"]["architecture"] for entry in index["manifests"]) == ["amd64", "arm64"]
        copy("--all", "--preserve-digests", there, back)
        copied = {blob.name: blob.read_bytes() for blob in (tmp_path / "back" / "blobs" / "sha256").iterdir()}
        assert {entry["digest"].removeprefix("sha256:") for entry in index["manifests"]} < copied.keys()
        assert all((layout / "blobs" / "sha256" / blob).read_bytes() == data for blob, data in copied.items())
        run("skopeo", "delete", "--tls-verify=false", there)
        assert run("skopeo", "inspect", "--raw", "--tls-verify=false", there, check=False).code != 0
        assert own_registry.code("GET", f"/v2/{name}/manifests/all") == (404, "MANIFEST_UNKNOWN")

    def test_search_and_tags(self, cli, own_registry, image, name):
        printed = cli("search", "--format", "{{.Name}}|{{.Description}}", f"{own_registry.address}/{name}")
        assert printed == f"{name}|"
        listed = json.loads(run("skopeo", "list-tags", "--tls-verify=false", f"docker://{own_registry.address}/{name}"))
        assert listed["Tags"] == ["1"]
