# SPDX-License-Identifier: Apache-2.0
"""Every image command, with docker's own client 28.2.2 and with ours against the same daemon: the same output, byte for
byte, the same errors up to the program's name, and the same exit code."""
import re
import shlex
import shutil

import pytest
from harness import BIN, Stack
from terminal import Terminal

pytestmark = pytest.mark.skipif(not shutil.which("docker"), reason="no docker client on this machine")
REGISTRY = "127.0.0.1:5100"
HEX = "0123456789abcdef" * 4
PULLED = f"{REGISTRY}/library/config"

# Commands that change nothing.
READING = rf"""
images
images -a
images -q
images -aq --no-trunc
images --no-trunc
images --digests
images --digests --no-trunc
images busybox
images busybox:none
images a b
images --nosuch
images --format json
images --format table
images --format raw
images --format raw -q
images --format raw --digests
images --format '{{{{json .}}}}'
images --format '{{{{.ID}}}} {{{{.Repository}}}}:{{{{.Tag}}}} {{{{.Digest}}}} {{{{.Size}}}} {{{{.CreatedAt}}}}'
images --format 'table {{{{.ID}}}}\t{{{{.Tag}}}}\t{{{{.SharedSize}}}}\t{{{{.UniqueSize}}}}\t{{{{.VirtualSize}}}}'
images --format '{{{{.Nosuch}}}}'
images --format 'table {{{{.Nosuch}}}}'
images --format '{{{{'
images --format '{{{{nosuch .ID}}}}'
images --format '{{{{.ID | upper}}}}'
images --format pretty
images -f dangling=true
images -f dangling=maybe
images -f nosuch=1
images -f nosuch
images -f label
images -f until=bad
images -f before=nosuch
images -f since=busybox
images -f reference='*/*'
image nosuch
image ls busybox
image list -q
image inspect
image inspect busybox
image inspect nosuch
image inspect busybox nosuch {PULLED}
image inspect -f '{{{{.Id}}}} {{{{.RepoTags}}}}' busybox
image inspect -f '{{{{.Nosuch}}}}' busybox
image inspect -f '{{{{' busybox
image inspect -f '{{{{json .RootFS}}}}' busybox
image inspect UPPER
image inspect --platform linux/arm64 busybox
inspect --type image nosuch
inspect nosuch
history
history busybox
history --no-trunc busybox
history -q busybox
history -q --no-trunc busybox
history -H=false busybox
history --human=false --format '{{{{.CreatedSince}}}} {{{{.Size}}}}' busybox
history --format json busybox
history --format '{{{{.CreatedSince}}}} {{{{.CreatedAt}}}} {{{{.Comment}}}}' {PULLED}
history --format '{{{{.Nosuch}}}}' busybox
history --format '{{{{' busybox
history nosuch
history a b
tag
tag busybox
tag busybox UPPER
tag busybox {HEX}
tag busybox {"a" * 256}
tag busybox x/{"a" * 300}:1
tag busybox x:{"a" * 129}
tag busybox x:bad!
tag busybox ''
tag busybox x@sha256:{HEX}
tag nosuch x
tag UPPER x
rmi
rmi nosuch
rmi UPPER
rmi nosuch:1 other@sha256:{HEX}
rmi -f nosuch
rmi --nosuch
save
save nosuch
save nosuch:1
save busybox nosuch
save UPPER
save -o /nonexistent/x busybox
save -o /tmp busybox
save -o /dev/null busybox
save --platform linux/arm64 busybox
load a
load -i /nonexistent
load -i /etc/passwd
load -i /etc
import /etc
load -q -i /etc/passwd
import
import a b c
import /nonexistent
import /nonexistent UPPER
import /etc/passwd
import -c 'NOSUCH 1' /dev/null
pull
pull a b
pull UPPER
pull -a busybox:1
pull {HEX}
pull busybox@sha256:12
pull {REGISTRY}/library/nosuch
pull {REGISTRY}/library/busybox:nosuch
pull -q {REGISTRY}/library/nosuch
pull {PULLED}
pull -q {PULLED}
pull {PULLED}:latest
pull --platform nonsense/x/y/z {PULLED}
push
push a b
push nosuch
push UPPER
push -a busybox:1
push {PULLED}:nosuch
push {PULLED}@sha256:{HEX}
push -q nosuch
image prune a
image prune -f
image prune -f --filter until=bad
image prune -f --filter nosuch=1
image prune -f --filter nosuch
image prune -af --filter label=nosuch
search
search a b
search --limit 101 127.0.0.1:1/x
commit
commit nosuch
commit nosuch UPPER
commit a b c
save busybox
"""

# A command for the others to begin with, what is compared, and what clears it away; `;` parts commands.
CHANGING = f"""
: tag busybox one:1 : rmi one:1
tag busybox one:1 : rmi one:1 :
tag busybox one:1; tag busybox two:2 : rmi one:1 two:2 nosuch :
tag busybox one:1; tag busybox two:2 : images : rmi one:1 two:2
tag {PULLED} busybox:one : images --digests : rmi busybox:one
: pull {REGISTRY}/library/busybox : rmi {REGISTRY}/library/busybox
: pull -q {REGISTRY}/library/busybox : rmi {REGISTRY}/library/busybox
: pull {REGISTRY}/library/tricky : rmi {REGISTRY}/library/tricky
pull -q {REGISTRY}/library/tricky : rmi {REGISTRY}/library/tricky :
pull -q {REGISTRY}/library/tricky : rmi -f {REGISTRY}/library/tricky nosuch :
tag busybox {REGISTRY}/same/as:1; push -q {REGISTRY}/same/as:1 : push {REGISTRY}/same/as:1 : rmi {REGISTRY}/same/as:1
tag busybox {REGISTRY}/same/as:1 : push -q {REGISTRY}/same/as:1 : rmi {REGISTRY}/same/as:1
tag busybox {REGISTRY}/same/as:1; tag busybox {REGISTRY}/same/as:2 : push -a {REGISTRY}/same/as : rmi {REGISTRY}/same/as:1 {REGISTRY}/same/as:2
: load -i IMAGES/archive/tricky.tar : rmi tricky
: load -q -i IMAGES/archive/tricky.tar : rmi tricky
load -q -i IMAGES/archive/tricky.tar : load -i IMAGES/archive/tricky.tar : rmi tricky
load -q -i IMAGES/archive/tricky.tar : rmi --no-prune tricky :
load -q -i IMAGES/archive/tricky.tar : image prune -af --filter label!=nosuch : load -q -i IMAGES/archive/busybox.tar; pull -q {PULLED}
load -q -i IMAGES/archive/tricky.tar; create --name step --network none tricky : rmi tricky : rm step; rmi tricky
load -q -i IMAGES/archive/tricky.tar; create --name step --network none tricky; rmi -f tricky : ps -a --format '{{{{.Image}}}}' : rm step; image prune -f
"""


@pytest.fixture(scope="module")
def shared(scratch, images, registry):
    stack = Stack(scratch / "same", "own")
    stack.start()
    stack.docker("load", "-q", "-i", images / "archive" / "busybox.tar")
    stack.docker("pull", "-q", PULLED)
    yield stack
    stack.destroy()


def commands(table):
    return [line for line in table.splitlines() if line]


def outcome(client, words):
    """What is compared. The program's name does not count, nor do container IDs; and docker's client puts an `S` before
    one `Run` and names the request when a file cannot be read."""
    result = client(*words, check=False)
    error = result.err.replace("swrun", "docker").replace("SRun '", "Run '")
    error = re.sub(r"container [0-9a-f]{12}", "container ID", error)
    return result.code, result.out.replace("swrun", "docker"), re.sub(r'error during connect: Post "\S+": ', "", error)


@pytest.mark.parametrize("command", commands(READING))
def test_reading(shared, command):
    words = shlex.split(command)
    assert outcome(shared.swrun, words) == outcome(shared.docker, words)


@pytest.mark.parametrize("row", commands(CHANGING))
def test_changing(shared, images, row):
    before, command, after = f" {row} ".replace("IMAGES", str(images)).split(" : ")
    found = []
    for client in (shared.docker, shared.swrun):
        every(shared, before)
        found.append(outcome(client, shlex.split(command)))
        every(shared, after)
    if command.split()[0] in ("images", "pull"):  # docker lists names in any order; layers come when they come
        found = [(code, sorted(out.splitlines()), err) for code, out, err in found]
    assert found[1] == found[0]


def every(stack, parts):
    """Runs commands that `;` parts."""
    for words in map(shlex.split, parts.split(";")):
        if words:
            stack.docker(*words)


def shown(stack, program, *words):
    """The exit code, and what stands on a terminal of 80 columns at the end."""
    with Terminal([program, *words], stack.environment()) as terminal:
        code = terminal.wait(60)
        return code, terminal.shown


@pytest.mark.parametrize("words", [["save", "busybox"], ["save", "nosuch"], ["load"], ["load", "-q"], ["image", "ls"],
                                   ["history", "busybox"]])
def test_at_a_terminal(shared, words):
    found = [shown(shared, program, *words) for program in (shutil.which("docker"), BIN / "swrun")]
    assert found[1] == found[0]


@pytest.mark.parametrize("words", [["load", "-i", "IMAGES/archive/tricky.tar"], ["pull", f"{REGISTRY}/library/tricky"]],
                         ids=["load", "pull"])
def test_progress_at_a_terminal(shared, images, words):
    """How often a bar is redrawn is a matter of time; the last state of each line is not."""
    found = []
    for program in (shutil.which("docker"), BIN / "swrun"):
        code, text = shown(shared, program, *[word.replace("IMAGES", str(images)) for word in words])
        states = {}
        for line in re.split(r"[\r\n]+|\x1b\[\d+[AB]", text.replace("\x1b[2K", "")):
            identity, _, state = line.partition(": ")
            states[identity] = state
        found.append((code, states, "\x1b[2K\r" in text))
        shared.docker("rmi", "tricky" if words[0] == "load" else words[1])
    assert found[1] == found[0]
