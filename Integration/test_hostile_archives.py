# SPDX-License-Identifier: Apache-2.0
"""Archives that mean harm, through load, import and pull: each is refused or stays in its root, and the host is as before."""
import gzip
import json
import os
import pathlib
import shutil
import struct
import subprocess
import tempfile
import urllib.request

import pytest
from archives import digest_of, docker_archive
from harness import TOOLS, Stack, run

OUT = "../" * 30 + "tmp/hostile-outside"


def octal(number, digits):
    return b"%0*o" % (digits, number)


def header(name, kind=b"0", size=0, link=b"", mode=0o644, uid=0, mtime=1_700_000_000, edit=None):
    """A ustar header; `edit` may break it before the checksum is made."""
    block = bytearray(512)
    for offset, text in ((0, name[:100]), (100, octal(mode, 7)), (108, octal(uid, 7)), (116, octal(0, 7)),
                         (124, octal(size, 11)), (136, octal(mtime, 11)), (156, kind), (157, link[:100]), (257, b"ustar\x0000")):
        block[offset:offset + len(text)] = text
    if edit:
        edit(block)
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def padded(data):
    return data + bytes(-len(data) % 512)


def file(name, content=b"evil", **options):
    return header(name.encode(), size=len(content), **options) + padded(content)


def directory(name, **options):
    return header(name.encode(), b"5", mode=0o755, **options)


def symlink(name, target):
    return header(name.encode(), b"2", link=target.encode())


def hardlink(name, target):
    return header(name.encode(), b"1", link=target.encode())


def device(name, kind, major, minor):
    def edit(block):
        block[329:336], block[337:344] = octal(major, 7), octal(minor, 7)
    return header(name.encode(), kind, edit=edit)


def pax(records, kind=b"x"):
    body = b""
    for key, value in records:
        rest = b" " + key.encode() + b"=" + (value if isinstance(value, bytes) else value.encode()) + b"\n"
        length = len(rest) + 1
        while len(str(length)) + len(rest) != length:
            length = len(str(length)) + len(rest)
        body += str(length).encode() + rest
    return header(b"PaxHeaders/x", kind, size=len(body)) + padded(body)


def put(offset, text):
    def edit(block):
        block[offset:offset + len(text)] = text
    return edit


def base256(number, width):
    return bytes([0x80]) + number.to_bytes(width - 1, "big")


SECRET = f"{OUT}/secret"

# name: (archive without its end, "refused" | "confined" | either)
CASES = {
    "parent": (file(SECRET), "refused"),
    "parent after a name": (file("a/" + "../" + SECRET), "refused"),
    "only parents": (directory("../.."), "refused"),
    "absolute": (file("/tmp/hostile-outside/secret"), "confined"),
    "double slashes": (file("//tmp//hostile-outside//secret"), "confined"),
    "inner parent": (file("a/../b"), "confined"),
    "PAX path leads out": (pax([("path", SECRET)]) + file("x"), "refused"),
    "PAX path is absolute": (pax([("path", "/tmp/hostile-outside/secret")]) + file("x"), "confined"),
    "PAX path with NUL": (pax([("path", b"a\0b")]) + file("x"), "refused"),
    "GNU long name leads out": (header(b"././@LongLink", b"L", size=len(SECRET) + 1) + padded(SECRET.encode() + b"\0") + file("x"), "refused"),
    "GNU long name of 1 GiB": (header(b"././@LongLink", b"L", size=1 << 30) + bytes(4096), "refused"),
    "PAX header of 1 GiB": (header(b"PaxHeaders/x", b"x", size=1 << 30) + bytes(4096), "refused"),
    "global PAX path": (pax([("path", SECRET)], b"g") + file("x"), "confined"),
    "name of 4097 bytes": (pax([("path", "a/" * 2049)]) + file("x"), "refused"),
    "component of 256 bytes": (pax([("path", "a" * 256)]) + file("x"), "refused"),
    "empty name": (file(""), "refused"),
    "root as a file": (file("."), "refused"),
    "root as a link": (symlink(".", "/tmp/hostile-outside"), "refused"),
    "root as a link, then through it": (symlink("./", OUT) + file("secret"), "refused"),
    "link to /, file through it": (symlink("a", "/") + file("a/tmp/hostile-outside/secret"), "confined"),
    "link to .., file through it": (symlink("a", "../../../../..") + file("a/tmp/hostile-outside/secret"), "confined"),
    "link out, file through it": (symlink("a", "/tmp/hostile-outside") + file("a/secret"), "either"),
    "relative link out, file through it": (symlink("a", OUT) + file("a/secret"), "either"),
    "chain of 41 links": (b"".join(symlink(f"l{n}", f"l{n + 1}") for n in range(41)) + directory("l41") + file("l0/x"), "refused"),
    "loop of links": (symlink("a", "b") + symlink("b", "a") + file("a/x"), "refused"),
    "magic link": (symlink("a", "/proc/self/root") + file("a/tmp/hostile-outside/secret"), "either"),
    "link replaced by a file": (symlink("a", "/tmp/hostile-outside/secret") + file("a"), "confined"),
    "link replaced by a directory": (symlink("a", "/tmp/hostile-outside") + directory("a") + file("a/secret"), "confined"),
    "mode through a link": (symlink("a", "/tmp/hostile-outside/secret") + header(b"a", b"2", link=b"/tmp/hostile-outside/secret", mode=0o777), "confined"),
    "link without a target": (symlink("a", ""), "refused"),
    "hard link out": (hardlink("a", SECRET), "refused"),
    "hard link to an absolute path": (hardlink("a", "/tmp/hostile-outside/secret"), "refused"),
    "hard link through a link": (symlink("s", "/tmp/hostile-outside") + hardlink("a", "s/secret"), "refused"),
    "hard link to a link, then written": (symlink("s", "/tmp/hostile-outside/secret") + hardlink("a", "s") + file("a"), "confined"),
    "hard link to nothing": (hardlink("a", "nothing"), "refused"),
    "hard link to itself": (file("a") + hardlink("a", "a"), "confined"),
    "hard link to the root": (hardlink("a", "."), "refused"),
    "PAX link path leads out": (pax([("linkpath", SECRET)]) + hardlink("a", "b"), "refused"),
    "file over a directory": (directory("d") + file("d/x") + file("d"), "confined"),
    "directory over a file": (file("d") + directory("d") + file("d/x"), "confined"),
    "file below a file": (file("f") + file("f/x"), "refused"),
    "whiteout of nothing": (file(".wh."), "refused"),
    "whiteout of the parent": (file(".wh..."), "refused"),
    "whiteout of itself": (file("d/.wh.."), "refused"),
    "below a whiteout": (file(".wh.x/y"), "refused"),
    "below a whiteout of the parent": (file(".wh.../x"), "refused"),
    "opaque mark as a link": (symlink(".wh..wh..opq", OUT), "confined"),
    "whiteout of a path": (file("a/.wh.b"), "confined"),
    "null device": (device("dev/null", b"3", 1, 3), "confined"),
    "disk": (device("disk", b"4", 254, 0), "confined"),
    "memory": (device("mem", b"3", 1, 1), "confined"),
    "device with a huge number": (header(b"x", b"3", edit=put(329, b"\xff" * 8)), "refused"),
    "setuid": (file("su", mode=0o4755), "confined"),
    "attribute of overlay": (pax([("SCHILY.xattr.trusted.overlay.opaque", "y"), ("SCHILY.xattr.trusted.overlay.redirect", "/etc")]) + directory("d"), "confined"),
    "user attribute of overlay": (pax([("SCHILY.xattr.user.overlay.redirect", "/etc")]) + directory("d"), "confined"),
    "attribute of 70 kB": (pax([("SCHILY.xattr.user.x", b"v" * 70_000)]) + file("f"), "refused"),
    "PAX size negative": (pax([("size", "-1")]) + file("x"), "refused"),
    "PAX size beyond the end": (pax([("size", "9223372036854775807")]) + file("x"), "refused"),
    "size in base 256, huge": (header(b"x", edit=put(124, b"\xff" * 12)), "refused"),
    "sparse file of 8 EiB": (pax([("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.realsize", "9223372036854775807")])
                            + header(b"x", size=512) + padded(b"0\n"), "either"),
    "sparse map that overlaps": (pax([("GNU.sparse.map", "0,10,5,10"), ("GNU.sparse.size", "100")]) + file("x", b"x" * 20), "refused"),
    "owner of 2^40": (header(b"x", edit=put(108, base256(1 << 40, 8))), "refused"),
    "owner of -1": (header(b"x", edit=put(108, b"\xff" * 8)), "refused"),
    "owner of 2^31": (header(b"x", edit=put(108, base256(1 << 31, 8))), "confined"),
    "time of 2^62": (pax([("mtime", str(1 << 62))]) + file("x"), "confined"),
    "time of -2^62": (pax([("mtime", str(-(1 << 62)))]) + file("x"), "confined"),
    "time that is no number": (pax([("mtime", "nan")]) + file("x"), "refused"),
    "name that is no text": (header(b"\xff\xfe\x80"), "confined"),
    "the same name twice": (file("x", b"one") + file("x", b"two") + symlink("x", OUT) + file("x"), "confined"),
    "names that differ in case": (file("x") + file("X"), "confined"),
    "unknown type": (header(b"x", b"Z"), "refused"),
    "bad checksum": (b"x" * 512, "refused"),
    "PAX record without an end": (header(b"p", b"x", size=10) + padded(b"99 path=ab") + file("x"), "refused"),
    "truncated header": (file("x") + header(b"y")[:300], "refused"),
    "truncated data": (header(b"x", size=5000) + bytes(1024), "refused"),
    "fifo and a file over it": (header(b"p", b"6") + file("p"), "confined"),
    "two thousand levels": (pax([("path", "d/" * 2000 + "x")]) + file("x"), "either"),
}


WITHOUT_END = {"truncated header", "truncated data", "GNU long name of 1 GiB", "PAX header of 1 GiB"}


def archive(name):
    data, _ = CASES[name]
    return data if name in WITHOUT_END else data + bytes(1024)


@pytest.fixture(scope="module")
def stack():
    with tempfile.TemporaryDirectory(prefix="swrun-it-hostile-") as path:
        stack = Stack(pathlib.Path(path), name="own")
        stack.start()
        try:
            yield stack
        finally:
            stack.destroy()


@pytest.fixture(scope="module")
def outside():
    """The directory that the archives aim at."""
    path = pathlib.Path("/tmp/hostile-outside")
    path.mkdir()
    (path / "secret").write_text("untouched")
    (path / "secret").chmod(0o600)
    yield path
    (path / "secret").unlink()
    path.rmdir()


def tree(path, depth=1):
    """Names, modes, owners, times and link counts."""
    found = {}
    for entry in os.scandir(path):
        info = entry.stat(follow_symlinks=False)
        found[entry.path] = (info.st_mode, info.st_uid, info.st_gid, info.st_nlink if not entry.is_dir(follow_symlinks=False) else 0)
        if depth and entry.is_dir(follow_symlinks=False):
            found.update(tree(entry.path, depth - 1))
    return found


def host(outside):
    """What must not change: the target, the host's root and its configuration."""
    secret = (outside / "secret").stat()
    top = {name: value for name, value in tree("/", 0).items()}
    return (tree(outside), (outside / "secret").read_text(), secret.st_mtime_ns, secret.st_ino, top, tree("/etc", 2),
            pathlib.Path("/etc/passwd").read_bytes(), tree("/root", 0))


def send(stack, path, data):
    status = subprocess.run(["curl", "-s", "-o", "/dev/stderr", "-w", "%{http_code}", "--max-time", "60", "-H", "Content-Type: application/x-tar",
                             "--unix-socket", str(stack.socket), "--data-binary", "@-", f"http://d{path}"], input=data, capture_output=True)
    body = status.stderr.decode(errors="replace")
    failed = status.stdout != b"200" or '"error"' in body
    return failed, body


REGISTRY = "127.0.0.1:5190"


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    """A registry of its own, for images that nobody else may see."""
    path = tmp_path_factory.mktemp("hostile-registry")
    run(TOOLS / "registry-up", "--dir", path, "--port", REGISTRY.partition(":")[2], "start", "http")
    yield path
    run(TOOLS / "registry-up", "--dir", path, "stop")


def upload(method, path, data, kind):
    request = urllib.request.Request(f"http://{REGISTRY}/v2/{path}", data, {"Content-Type": kind}, method=method)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.headers["Location"]


def push(layer, diff_id, tag):
    """Puts an image with this one layer, gzipped, into the registry; nothing but the registry looks at it."""
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": [diff_id]}}).encode()
    blobs = []
    for kind, data in (("config.v1+json", config), ("layer.v1.tar+gzip", gzip.compress(layer, 1))):
        digest = digest_of(data)
        place = upload("POST", "library/hostile/blobs/uploads/", b"", "application/octet-stream")
        place = place.partition("/v2/")[2]
        upload("PUT", f"{place}{'&' if '?' in place else '?'}digest={digest}", data, "application/octet-stream")
        blobs.append({"mediaType": f"application/vnd.oci.image.{kind}", "digest": digest, "size": len(data)})
    kind = "application/vnd.oci.image.manifest.v1+json"
    manifest = json.dumps({"schemaVersion": 2, "mediaType": kind, "config": blobs[0], "layers": blobs[1:]}).encode()
    upload("PUT", f"library/hostile/manifests/{tag}", manifest, kind)


def pull(stack, client, tag):
    """Whether it failed, and what was said."""
    name = f"{REGISTRY}/library/hostile:{tag}"
    if client == "ctr":
        result = stack.ctr("-n", "swrun", "images", "pull", "--plain-http", name, check=False)
    else:
        result = (stack.docker if client == "docker" else stack.swrun)("pull", name, check=False)
    return result.code != 0, result.err


@pytest.mark.parametrize("client", ["docker", "swrun", "ctr"])
def test_every_case_from_a_registry(stack, outside, registry, client):
    if not shutil.which(client) and client != "swrun":
        pytest.skip(f"no {client} on this machine")
    before = host(outside)
    wrong = []
    for number, (name, (_, fate)) in enumerate(CASES.items()):
        layer = archive(name)
        push(layer, digest_of(layer), f"case{number}")
        failed, text = pull(stack, client, f"case{number}")
        if fate != "either" and failed != (fate == "refused"):
            wrong.append(f"{name}: expected {fate}, got {text[-200:]}")
        if failed and not text.strip():
            wrong.append(f"{name}: refused without a word")
        if host(outside) != before:
            wrong.append(f"{name}: changed the host")
            before = host(outside)
        images = stack.ctr("-n", "swrun", "images", "ls", "-q").split()
        if failed and images and client != "ctr":  # ctr itself makes the record before it unpacks
            wrong.append(f"{name}: refused, but there is an image")
        if images:
            stack.ctr("-n", "swrun", "images", "rm", "--sync", *images)
    assert wrong == []
    assert not [line for line in stack.ctr("-n", "swrun", "snapshots", "ls").splitlines() if "extract-" in line]


def test_a_layer_from_a_registry_that_is_not_what_the_configuration_names(stack, outside, registry):
    push(archive("inner parent"), "sha256:" + "1" * 64, "wrong")
    failed, text = pull(stack, "swrun", "wrong")
    assert failed and "but the image names sha256:1111" in text
    assert json.loads(stack.curl("/images/json")) == []


def memory(pid):
    return int(next(line.split()[1] for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM")))


WAYS = {
    "load": lambda stack, data: send(stack, "/images/load?quiet=1", docker_archive("hostile:1", data)),
    "import": lambda stack, data: send(stack, "/images/create?fromSrc=-&repo=hostile&tag=1", data),
    "import gzip": lambda stack, data: send(stack, "/images/create?fromSrc=-&repo=hostile&tag=1", gzip.compress(data, 1)),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_case(stack, outside, way):
    assert len(CASES) >= 60
    before = host(outside)
    wrong = []
    for name, (_, fate) in CASES.items():
        failed, body = WAYS[way](stack, archive(name))
        if fate != "either" and failed != (fate == "refused"):
            wrong.append(f"{name}: expected {fate}, got {body[:200]}")
        if failed and not body.strip():
            wrong.append(f"{name}: refused without a word")
        if host(outside) != before:
            wrong.append(f"{name}: changed the host")
            before = host(outside)
        images = json.loads(stack.curl("/images/json"))
        if failed and images:
            wrong.append(f"{name}: refused, but there is an image")
        for image in images:
            stack.curl(f"/images/{image['Id']}?force=1", "-X", "DELETE")
    assert wrong == []
    assert not [line for line in stack.ctr("-n", "swrun", "snapshots", "ls", check=False).splitlines() if "extract-" in line]


@pytest.mark.parametrize("tail, is_fine", [(b"garbage behind the end", False), (gzip.compress(b""), True), (bytes(512), False)])
def test_behind_a_gzip_member(stack, outside, tail, is_fine):
    failed, body = send(stack, "/images/create?fromSrc=-", gzip.compress(archive("inner parent")) + tail)
    assert failed != is_fine, body


def test_a_skippable_frame_of_zstd(stack, outside):
    packed = subprocess.run(["zstd", "-c"], input=archive("inner parent"), capture_output=True, check=True).stdout
    frame = struct.pack("<II", 0x184D2A50, 4) + b"skip"
    failed, body = send(stack, "/images/create?fromSrc=-", frame + packed + frame)
    assert not failed, body


def test_truncated_at_every_block(stack, outside):
    whole = file("a", b"x" * 2000) + symlink("b", OUT) + pax([("path", "c" * 200)]) + file("c") + bytes(1024)
    before = host(outside)
    for size in range(0, len(whole), 512):
        send(stack, "/images/create?fromSrc=-", whole[:size])
        failed, _ = send(stack, "/images/create?fromSrc=-", whole[:size + 100])
        assert failed or size + 512 >= len(whole) - 512
    assert host(outside) == before


def test_memory_stays_small(stack, outside):
    """After all of the above, among it headers that claim a GiB."""
    assert memory(stack.process.pid) < 256 << 10 and memory(stack.supervisor_pid()) < 256 << 10
    assert stack.curl("/_ping") == "OK"
