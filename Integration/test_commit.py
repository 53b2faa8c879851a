# SPDX-License-Identifier: Apache-2.0
"""Images out of containers and archives: diff, commit, export, import, and running what came out."""
import hashlib
import http.server
import io
import json
import os
import sqlite3
import subprocess
import tarfile
import threading

import pytest


@pytest.fixture
def image(stack):
    """A name for an image that the test makes."""
    name = "made-" + os.urandom(4).hex()
    yield name
    stack.docker("rmi", "-f", name, check=False)


@pytest.fixture
def changed(stack, container_name):
    """A container that added, changed and deleted something."""
    stack.docker("run", "--network", "none", "--name", container_name, "busybox", "sh", "-c",
                 "echo new > /added; mkdir -p /etc/deep/er; echo x >> /etc/passwd; rm /bin/true; "
                 "rm -r /home; mkdir /home; touch /home/fresh; ln -s /added /link; mknod /pipe p; chmod 4755 /added")
    return container_name


def events(stack, since):
    text = stack.curl(f"/events?since={since}&until=4000000000.0", "--max-time", "1", check=False).out
    return [json.loads(line) for line in text.splitlines() if line]


def now(stack):
    return json.loads(stack.curl("/info"))["SystemTime"]


@pytest.fixture(scope="module")
def root_archive(stack):
    """busybox's root file system as a tar."""
    container = stack.docker("create", "--network", "none", "busybox", "true")
    data = stack.docker("export", container).raw
    stack.docker("rm", container)
    return data


def test_containers_of_an_image_and_of_those_made_of_it(stack, changed, image):
    stack.docker("commit", changed, image)
    child = stack.docker("create", "--network", "none", image, "true")
    try:
        assert {child, stack.docker("ps", "-aq", "--no-trunc", "-f", f"name={changed}")} <= set(
            stack.docker("ps", "-aq", "--no-trunc", "-f", "ancestor=busybox").split())
        assert stack.docker("ps", "-aq", "--no-trunc", "-f", f"ancestor={image}") == child
    finally:
        stack.docker("rm", child)


class TestDiff:
    def test_lists_what_changed(self, cli, changed):
        found = cli("diff", changed).splitlines()
        for line in ["A /added", "C /bin", "D /bin/true", "C /etc", "A /etc/deep", "A /etc/deep/er", "C /etc/passwd",
                     "C /home", "A /home/fresh", "A /link", "A /pipe"]:
            assert line in found, found
        for mounted in ("/proc", "/sys", "/dev", "/etc/hosts", "/etc/resolv.conf", "/etc/hostname"):
            assert not any(line.endswith(" " + mounted) for line in found), found
        assert found.index("C /etc") < found.index("A /etc/deep") < found.index("A /etc/deep/er")

    def test_a_directory_whose_time_alone_changed_is_no_change(self, stack, container_name):
        stack.docker("run", "--network", "none", "--name", container_name, "busybox", "sh", "-c", "touch /tmp/a; rm /tmp/a")
        assert stack.docker("diff", container_name) == ""

    def test_numbers_of_the_api(self, stack, changed):
        kinds = {change["Path"]: change["Kind"] for change in json.loads(stack.curl(f"/containers/{changed}/changes"))}
        assert (kinds["/etc/passwd"], kinds["/added"], kinds["/bin/true"]) == (0, 1, 2)

    def test_nothing(self, cli, stack, container_name):
        stack.docker("run", "--name", container_name, "busybox", "true")
        assert cli("diff", container_name) == ""
        assert stack.curl(f"/containers/{container_name}/changes").strip() == "null"

    def test_no_such_container(self, cli):
        result = cli("diff", "nothing-here", check=False)
        assert result.code == 1 and "No such container: nothing-here" in result.err


class TestCommit:
    def test_the_image_has_what_the_container_had(self, cli, stack, changed, image):
        made = cli("commit", "-a", "A. Author <a@b.c>", "-m", "the message", changed, f"{image}:v1")
        assert made.startswith("sha256:")
        base, new = stack.inspect("busybox"), stack.inspect(f"{image}:v1")
        assert new["Id"] == made and new["RepoTags"] == [f"{image}:v1"]
        assert (new["Author"], new["Comment"], new["Parent"]) == ("A. Author <a@b.c>", "the message", base["Id"])
        assert new["RootFS"]["Layers"][:-1] == base["RootFS"]["Layers"]
        assert new["Size"] > base["Size"]
        output = stack.docker("run", "--rm", "--network", "none", f"{image}:v1", "sh", "-c",
                              "cat /added; tail -n 1 /etc/passwd; ls /home; [ -e /bin/true ] || echo gone; "
                              "stat -c %a /added; readlink /link; [ -p /pipe ] && echo fifo")
        assert output.splitlines() == ["new", "x", "fresh", "gone", "4755", "/added", "fifo"]
        stack.docker("rmi", f"{image}:v1")

    def test_history(self, cli, stack, changed, image):
        made = cli("commit", "-m", "why", changed, image)
        history = json.loads(stack.curl(f"/images/{image}/history"))
        assert history[0]["Id"] == made and history[0]["Comment"] == "why"
        assert history[0]["CreatedBy"].startswith("sh -c echo new") and history[0]["Size"] > 0
        assert history[0]["Tags"] == [f"{image}:latest"]
        assert history[1]["Id"] == stack.inspect("busybox")["Id"]
        assert sum(entry["Size"] for entry in history) == stack.inspect(image)["Size"]
        rows = cli("history", image).splitlines()
        assert rows[1].split()[0] == made.removeprefix("sha256:")[:12] and rows[1].endswith("why")

    def test_changes(self, cli, stack, changed, image):
        made = cli("commit", "-c", 'CMD ["echo", "from cmd"]', "-c", 'ENV A=1 B="two words"', "-c", "ENV OLD style $A",
                   "-c", "EXPOSE 80 53/udp", "-c", 'LABEL k=v "q r"=s', "-c", "ONBUILD RUN x", "-c", "USER 12:13",
                   "-c", "VOLUME /data", "-c", "WORKDIR /w", "-c", "WORKDIR sub", "-c",
                   "HEALTHCHECK --interval=5s --retries=2 CMD true", "-c", "STOPSIGNAL SIGINT", "-c",
                   'SHELL ["/bin/ash","-c"]', changed, image)
        config = stack.inspect(made)["Config"]
        assert config["Cmd"] == ["echo", "from cmd"]
        assert {"A=1", "B=two words", "OLD=style 1"} <= set(config["Env"])
        assert config["Env"][0].startswith("PATH=")  # what the container has comes first
        assert set(config["ExposedPorts"]) == {"80/tcp", "53/udp"}
        assert config["Labels"] == {"k": "v", "q r": "s"}
        assert config["OnBuild"] == ["RUN x"] and config["User"] == "12:13" and config["WorkingDir"] == "/w/sub"
        assert set(config["Volumes"]) == {"/data"} and config["StopSignal"] == "SIGINT"
        assert config["Healthcheck"] == {"Test": ["CMD-SHELL", "true"], "Interval": 5_000_000_000, "Retries": 2}
        assert config["Shell"] == ["/bin/ash", "-c"]
        assert stack.docker("run", "--rm", "--network", "none", "-u", "0", image) == "from cmd"

    def test_an_entry_point_takes_the_command_away(self, cli, stack, changed, image):
        cli("commit", "-c", 'ENTRYPOINT ["echo", "entry"]', changed, image)
        assert not stack.inspect(image)["Config"].get("Cmd")
        assert stack.docker("run", "--rm", "--network", "none", image, "more") == "entry more"

    @pytest.mark.parametrize("change, text", [
        ("COPY a b", "COPY is not a valid change command"), ("EXPOSE nothing", "Invalid containerPort: nothing"),
        ("CMD", "CMD requires at least one argument"), ("HEALTHCHECK --interval=x CMD a", "invalid duration")])
    def test_bad_changes(self, cli, changed, image, change, text):
        result = cli("commit", "-c", change, changed, image, check=False)
        assert result.code == 1 and text in result.err

    def test_without_a_name(self, cli, stack, changed):
        made = cli("commit", changed)
        assert made in stack.docker("images", "-q", "--no-trunc", "-f", "dangling=true").split()
        assert f"Deleted: {made}" in stack.docker("rmi", made)

    def test_without_changes_there_is_no_new_layer(self, cli, stack, container_name, image):
        stack.docker("create", "--network", "none", "--name", container_name, "busybox", "true")
        cli("commit", "-c", "LABEL a=b", container_name, image)
        assert stack.inspect(image)["RootFS"]["Layers"] == stack.inspect("busybox")["RootFS"]["Layers"]
        assert json.loads(stack.curl(f"/images/{image}/history"))[0]["Size"] == 0

    def test_a_running_container_is_paused_meanwhile(self, cli, stack, container_name, image):
        stack.docker("run", "-d", "--network", "none", "--name", container_name, "busybox", "sleep", "100")
        since = now(stack)
        cli("commit", container_name, image)
        assert stack.inspect(container_name)["State"]["Status"] == "running"
        found = [(event["Type"], event["Action"]) for event in events(stack, since)]
        assert [action for kind, action in found if kind == "container"] == ["pause", "unpause", "commit"]
        assert ("image", "tag") in found
        commit = next(event for event in events(stack, since) if event["Action"] == "commit")
        assert commit["Actor"]["Attributes"]["imageID"] == stack.inspect(image)["Id"]
        since = now(stack)
        cli("commit", "-p=false", container_name, image)
        assert [event["Action"] for event in events(stack, since) if event["Type"] == "container"] == ["commit"]

    def test_a_container_that_keeps_changing_its_tree(self, stack, container_name, image):
        """What vanishes or becomes a link to elsewhere meanwhile is passed over; each result is a whole archive."""
        stack.docker("run", "-d", "--network", "none", "--name", container_name, "busybox", "sh", "-c",
                     "mkdir /w; cd /w; i=0; while :; do echo $i > f$((i%50)); rm -f f$(((i+25)%50)); rm -rf d; "
                     "mkdir -p d/e; ln -s /etc d/l; rm -rf d/e; ln -s /etc d/e; i=$((i+1)); done")
        for _ in range(3):
            stack.docker("commit", "-p=false", container_name, image)
            tarfile.open(fileobj=io.BytesIO(stack.docker("export", container_name).raw)).getmembers()
            assert all(line[:2] in ("A ", "C ", "D ") for line in stack.docker("diff", container_name).splitlines())
        assert "f" in stack.docker("run", "--rm", "--network", "none", image, "ls", "/w")

    def test_again_and_again(self, stack, container_name, image):
        """Images on images on images: each has the files of all before it."""
        name = "busybox"
        for number in range(4):
            stack.docker("run", "--network", "none", "--name", container_name, name, "sh", "-c", f"echo {number} > /file{number}; rm -f /file{number - 2}")
            stack.docker("commit", container_name, f"{image}:{number}")
            stack.docker("rm", container_name)
            name = f"{image}:{number}"
        assert stack.docker("run", "--rm", "--network", "none", name, "sh", "-c", "echo /file*") == "/file2 /file3"
        refused = stack.docker("rmi", stack.inspect(f"{image}:1")["Id"], check=False)
        assert "cannot be forced) - image has dependent child images" in refused.err
        for number in range(4):
            stack.docker("rmi", f"{image}:{number}")

    def test_saved_and_loaded_it_is_the_same(self, stack, changed, image, tmp_path):
        made = stack.docker("commit", changed, image)
        stack.docker("save", "-o", tmp_path / "image.tar", image)
        stack.docker("rmi", image)
        stack.docker("load", "-i", tmp_path / "image.tar")
        assert stack.inspect(image)["Id"] == made


class TestExport:
    def test_the_whole_root(self, cli, stack, changed, tmp_path):
        cli("export", "-o", tmp_path / "root.tar", changed)
        archive = tarfile.open(tmp_path / "root.tar")
        names = {member.name for member in archive.getmembers()}
        assert {"added", "bin/busybox", "etc/passwd", "home/fresh", "link", "pipe"} <= names
        assert "bin/true" not in names and not any(".wh." in name for name in names)
        assert archive.extractfile("added").read() == b"new\n" and archive.getmember("added").mode == 0o4755
        assert cli("export", changed).raw == (tmp_path / "root.tar").read_bytes()

    def test_of_a_running_container_without_its_volumes(self, cli, stack, container_name):
        stack.docker("run", "-d", "--network", "none", "-v", "/data", "--name", container_name, "busybox", "sh", "-c",
                     "echo in > /data/volume; echo out > /plain; sleep 100")
        since = now(stack)
        for _ in range(100):
            names = set(tarfile.open(fileobj=io.BytesIO(cli("export", container_name).raw)).getnames())
            if "plain" in names:
                break
        assert "plain" in names and "data" in names and "data/volume" not in names
        assert "export" in [event["Action"] for event in events(stack, since)]

    def test_a_client_that_leaves_ends_it(self, stack, changed):
        process = subprocess.Popen(["curl", "-s", "-N", "--unix-socket", str(stack.socket), f"http://d/containers/{changed}/export"],
                                   stdout=subprocess.PIPE)
        process.stdout.read(100)
        process.kill()
        process.wait()
        process.stdout.close()
        assert stack.docker("export", changed).raw


class TestImport:
    def test_from_standard_input(self, cli, stack, root_archive, image):
        since = now(stack)
        made = cli("import", "-", image, input=root_archive)
        assert made.startswith("sha256:")
        new = stack.inspect(image)
        assert (new["Id"], new["Parent"], new["Os"], len(new["RootFS"]["Layers"])) == (made, "", "linux", 1)
        history = json.loads(stack.curl(f"/images/{image}/history"))
        assert [(entry["Comment"], entry["CreatedBy"]) for entry in history] == [("Imported from -", "")]
        assert history[0]["Size"] == new["Size"] > 500_000
        assert stack.docker("run", "--rm", "--network", "none", image, "echo", "runs") == "runs"
        assert {"import", "tag"} <= {event["Action"] for event in events(stack, since) if event["Type"] == "image"}

    def test_from_a_file_with_message_changes_and_platform(self, cli, stack, root_archive, image, tmp_path):
        (tmp_path / "root.tar").write_bytes(root_archive)
        cli("import", "-m", "my message", "-c", "CMD echo hello", "-c", "ENV A=b", "--platform", "linux/arm64",
            tmp_path / "root.tar", f"{image}:arm")
        new = stack.inspect(f"{image}:arm")
        assert new["Architecture"] == "arm64" and new["Comment"] == "my message"
        assert new["Config"]["Cmd"] == ["/bin/sh", "-c", "echo hello"] and new["Config"]["Env"] == ["A=b"]
        stack.docker("rmi", f"{image}:arm")

    @pytest.mark.parametrize("program", ["gzip", "zstd", "bzip2", "xz"])
    def test_compressed(self, cli, stack, root_archive, image, program):
        packed = subprocess.run([program, "-c"], input=root_archive, capture_output=True, check=True).stdout
        cli("import", "-", image, input=packed)
        assert stack.docker("run", "--rm", "--network", "none", image, "echo", "runs") == "runs"
        # What it was compressed with makes no difference to what is in it.
        layers = stack.inspect(image)["RootFS"]["Layers"]
        assert layers == ["sha256:" + hashlib.sha256(root_archive).hexdigest()]

    @pytest.mark.parametrize("program", ["bzip2", "xz"])
    def test_damaged_archives(self, stack, root_archive, program):
        packed = subprocess.run([program, "-c"], input=root_archive, capture_output=True, check=True).stdout
        flipped = packed[:5000] + bytes([packed[5000] ^ 1]) + packed[5001:]
        before = stack.docker("images", "-aq")
        for data, text in ((packed[:-100], "unexpected end of data"), (flipped, "damaged data"), (packed + b"x", "")):
            result = stack.docker("import", "-", input=data, check=False)
            assert result.code == 1 and program in result.err and text in result.err
        assert stack.docker("images", "-aq") == before

    def test_an_archive_that_wants_too_much_memory(self, stack, root_archive):
        packed = subprocess.run(["xz", "-c", "--lzma2=preset=0,dict=256MiB"], input=root_archive, capture_output=True,
                                check=True).stdout
        result = stack.docker("import", "-", input=packed, check=False)
        assert result.code == 1 and "needs more than 128 MiB of memory" in result.err

    def test_from_a_url(self, cli, stack, root_archive, image):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200 if self.path == "/root.tar" else 404)
                self.send_header("Content-Length", str(len(root_archive) if self.path == "/root.tar" else 0))
                self.end_headers()
                self.wfile.write(root_archive if self.path == "/root.tar" else b"")

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            url = f"http://127.0.0.1:{server.server_port}"
            output = cli("import", f"{url}/root.tar", image)
            assert f"Downloading from {url}/root.tar" in output
            raw = [json.loads(line) for line in stack.curl(f"/images/create?fromSrc={url}/root.tar", "-X", "POST").splitlines()]
            assert raw[0] == {"status": f"Downloading from {url}/root.tar"}
            size = len(root_archive)
            assert raw[-2]["status"] == "Importing" and raw[-2]["progressDetail"] == {"current": size, "total": size}
            stack.docker("rmi", raw[-1]["status"])
            assert stack.inspect(image)["Comment"] == f"Imported from {url}/root.tar"
            missing = cli("import", f"{url}/none.tar", image, check=False)
            assert missing.code == 1 and "404" in missing.err
            refused = cli("import", "http://127.0.0.1:1/root.tar", image, check=False, timeout=20)
            assert refused.code == 1 and "http://127.0.0.1:1/root.tar" in refused.err
        finally:
            server.shutdown()
            server.server_close()

    def test_export_and_import_keep_everything(self, stack, changed, image):
        data = stack.docker("export", changed).raw
        stack.docker("import", "-", image, input=data)
        container = stack.docker("create", "--network", "none", image, "true")
        assert stack.docker("export", container).raw == data
        stack.docker("rm", container)

    def test_what_is_no_archive(self, cli, stack):
        before = stack.docker("images", "-aq")
        result = cli("import", "-", input=b"this is no archive" * 100, check=False)
        assert result.code == 1 and result.err
        assert stack.docker("images", "-aq") == before


class TestLeases:
    @pytest.fixture
    def collected(self, own_stack):
        """The stack, with a collector that never rests, and to which everything is old: as if each step took an hour."""
        stop = threading.Event()

        def collect():
            database = sqlite3.connect(own_stack.root / "supervisor/meta.db", timeout=20)
            while not stop.is_set():
                with database:
                    database.execute("UPDATE content SET updated_at = 0")
                    database.execute("UPDATE snapshots SET updated_at = 0")
                own_stack.curl("/images/prune", "-X", "POST")
            database.close()

        thread = threading.Thread(target=collect)
        thread.start()
        yield own_stack
        stop.set()
        thread.join()

    def test_what_is_being_made_is_not_collected(self, collected, root_archive):
        collected.docker("run", "--network", "none", "--name", "changed", "busybox", "sh", "-c", "echo new > /added")
        for number in range(6):
            collected.docker("import", "-", f"imported:{number}", input=root_archive + bytes(10240 * number))
            collected.docker("commit", "changed", f"committed:{number}")
        for number in range(6):
            assert collected.docker("run", "--rm", "--network", "none", f"committed:{number}", "cat", "/added") == "new"
            assert collected.docker("run", "--rm", "--network", "none", f"imported:{number}", "/bin/busybox", "echo", "in") == "in"
        leases = collected.ctr("-n", "swrun", "leases", "ls", "-q").split()
        assert not [name for name in leases if name.startswith("engine-")]  # a collection has one of its own

    def test_leases_of_the_dead_end(self, own_stack):
        own_stack.ctr("-n", "swrun", "leases", "create", "--id", "over", "--expires", "1ms")
        own_stack.ctr("-n", "swrun", "leases", "create", "--id", "theirs", "--expires", "1h")
        own_stack.ctr("-n", "swrun", "leases", "create", "--id", "engine-1")
        own_stack.curl("/images/prune", "-X", "POST")
        assert own_stack.ctr("-n", "swrun", "leases", "ls", "-q").split() == ["engine-1", "theirs"]
        own_stack.kill_daemon()
        own_stack.start()
        assert own_stack.ctr("-n", "swrun", "leases", "ls", "-q").split() == ["theirs"]
