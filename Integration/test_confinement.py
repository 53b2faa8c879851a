# SPDX-License-Identifier: Apache-2.0
"""What a container may do: the figures of docker's default confinement, and how each flag changes them."""
import pytest

DEFAULT = "00000000a80425fb"


def status(stack, *flags):
    """The confinement lines of /proc/self/status of a container's first process."""
    text = stack.docker("run", "--rm", "--network", "none", *flags, "busybox", "grep", "-E", "^(Cap|NoNewPrivs|Seccomp)",
                        "/proc/self/status")
    return dict(line.split(":\t") for line in text.splitlines())


def shell(stack, script, *flags, check=True):
    return stack.docker("run", "--rm", *flags, "busybox", "sh", "-c", script, check=check)


def test_default_capabilities_and_filter(stack):
    found = status(stack)
    assert [found[f"Cap{name}"] for name in ("Inh", "Prm", "Eff", "Bnd", "Amb")] == ["0" * 16, DEFAULT, DEFAULT, DEFAULT, "0" * 16]
    assert (found["NoNewPrivs"], found["Seccomp"], found["Seccomp_filters"]) == ("0", "2", "1")


@pytest.mark.parametrize("flags, expected", [
    (["-u", "1000"], {"CapPrm": "0" * 16, "CapEff": "0" * 16, "CapBnd": DEFAULT}),
    (["--cap-drop", "ALL"], {"CapPrm": "0" * 16, "CapBnd": "0" * 16, "Seccomp": "2"}),
    (["--cap-drop", "all", "--cap-add", "net_admin"], {"CapEff": "0000000000001000"}),
    (["--cap-add", "SYS_TIME"], {"CapEff": "00000000aa0425fb"}),
    (["--cap-drop", "CAP_MKNOD"], {"CapEff": "00000000a00425fb"}),
    (["--security-opt", "no-new-privileges"], {"NoNewPrivs": "1", "Seccomp": "2", "CapEff": DEFAULT}),
    (["--security-opt", "seccomp=unconfined"], {"Seccomp": "0", "CapEff": DEFAULT}),
    (["--privileged"], {"Seccomp": "0", "CapInh": "0" * 16, "CapAmb": "0" * 16}),
])
def test_flags(stack, flags, expected):
    found = status(stack, *flags)
    assert {key: found[key] for key in expected} == expected


def test_privileged_has_all_the_host_has(stack):
    host = [line.split("\t")[1] for line in open("/proc/self/status").read().splitlines() if line.startswith("CapEff")][0]
    assert status(stack, "--privileged")["CapEff"] == host


@pytest.mark.parametrize("script, flags, allowed", [
    ("mount -t tmpfs none /tmp", [], False),
    ("mount -t tmpfs none /tmp", ["--cap-add", "SYS_ADMIN"], True),
    ("unshare -n true", [], False),
    ("unshare -n true", ["--cap-add", "SYS_ADMIN"], True),
    ("hostname x", [], False),
    ("chroot / true", [], True),
    ("chroot / true", ["--cap-drop", "SYS_CHROOT"], False),
    ("mknod /x c 1 3", [], True),
    ("mknod /x c 1 3", ["--cap-drop", "MKNOD"], False),
    ("mknod /x c 1 1 && head -c 1 /x", [], False),
    ("ip link add d type dummy", [], False),
    ("echo x > /proc/sys/kernel/hostname", [], False),
    ("echo x > /proc/sys/kernel/hostname", ["--privileged"], True),
    ("echo 1 > /proc/sys/vm/drop_caches", [], False),
    ("touch /sys/x", [], False),
    ("touch /file", ["--read-only"], False),
    ("touch /dev/shm/file /dev/file", ["--read-only"], True),
    ("echo x > /etc/hosts", ["--read-only"], False),
    ("echo '#' >> /etc/hosts", [], True),
    ("dmesg", [], False),
])
def test_what_is_allowed(stack, script, flags, allowed):
    assert (shell(stack, script, *flags, check=False).code == 0) == allowed


@pytest.mark.parametrize("path", ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/interrupts"])
def test_masked_files_are_empty(stack, path):
    assert shell(stack, f"[ ! -e {path} ] || [ $(wc -c < {path}) = 0 ] && echo masked") == "masked"


@pytest.mark.parametrize("path", ["/proc/acpi", "/sys/firmware", "/proc/scsi"])
def test_masked_directories_are_empty(stack, path):
    assert shell(stack, f"ls -A {path} 2>/dev/null | wc -l") == "0"


def test_device_nodes(stack):
    names = set(shell(stack, "ls /dev").split())
    assert names == {"core", "fd", "full", "mqueue", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout", "tty", "urandom",
                     "zero"} - ({"core"} if "core" not in names else set())
    assert shell(stack, "ls -l /dev/full", "--device", "/dev/kmsg:/dev/log:r").startswith("crw-rw-rw-")
    assert shell(stack, "ls -l /dev/log", "--device", "/dev/kmsg:/dev/log:r").split()[4:6] == ["1,", "11"]


@pytest.mark.parametrize("destination, options", [
    ("/proc", {"nosuid", "nodev", "noexec"}), ("/dev", {"nosuid", "mode=755", "size=65536k"}), ("/sys", {"ro", "nosuid", "nodev", "noexec"}),
    ("/dev/pts", {"gid=5", "mode=620", "ptmxmode=666"}), ("/dev/shm", {"nosuid", "nodev", "noexec", "size=65536k"}),
    ("/dev/mqueue", {"nosuid", "nodev", "noexec"}), ("/proc/sys", {"ro"}), ("/proc/bus", {"ro"}),
])
def test_mounts(stack, destination, options):
    line = shell(stack, f"grep ' {destination} ' /proc/mounts").split()
    assert options <= set(line[3].split(","))


def test_sysctls(stack):
    script = "cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/net/ipv4/ping_group_range"
    assert shell(stack, script).split() == ["0", "0", "2147483647"]
    assert shell(stack, "cat /proc/sys/net/ipv4/ip_forward", "--sysctl", "net.ipv4.ip_forward=0") == "0"


@pytest.mark.parametrize("flags, script, expected", [
    (["--shm-size", "1m"], "df -k /dev/shm | awk 'NR==2{print $2}'", "1024"),
    (["--ulimit", "nofile=100:200"], "ulimit -Sn; ulimit -Hn", "100\n200"),
    (["--oom-score-adj", "300"], "cat /proc/self/oom_score_adj", "300"),
    (["--tmpfs", "/t:size=1m,mode=700"], "stat -c %a /t; df -k /t | awk 'NR==2{print $2}'", "700\n1024"),
    (["--group-add", "5", "--group-add", "audio"], "id -G", None),
    (["--hostname", "h", "--domainname", "d.e"], "hostname; cat /proc/sys/kernel/domainname", "h\nd.e"),
    (["--add-host", "x:1.2.3.4"], "grep 1.2.3.4 /etc/hosts", "1.2.3.4\tx"),
    (["--dns", "9.8.7.6"], "cat /etc/resolv.conf", "nameserver 9.8.7.6"),
    (["--cpuset-cpus", "0"], "grep Cpus_allowed_list /proc/self/status | cut -f2", "0"),
    ([], "id -u; id -g; pwd; umask", "0\n0\n/\n0022"),
    ([], "ls /proc/self/fd | wc -l", "4"),
    ([], "cat /proc/1/cmdline | tr '\\0' ' ' | cut -d' ' -f1; echo $$", "sh\n1"),
])
def test_settings(stack, flags, script, expected):
    found = shell(stack, script, *flags, check=expected is not None)
    assert expected is None or found == expected


@pytest.mark.parametrize("flag, namespace", [("--pid", "pid"), ("--ipc", "ipc"), ("--uts", "uts"), ("--network", "net"), ("--cgroupns", "cgroup")])
def test_namespaces_of_the_host(stack, flag, namespace):
    import os
    assert shell(stack, f"readlink /proc/self/ns/{namespace}", flag, "host") == os.readlink(f"/proc/self/ns/{namespace}")


@pytest.mark.parametrize("namespace", ["mnt", "pid", "ipc", "uts", "net"])
def test_namespaces_of_its_own(stack, namespace):
    import os
    assert shell(stack, f"readlink /proc/self/ns/{namespace}") != os.readlink(f"/proc/self/ns/{namespace}")


@pytest.mark.parametrize("user", ["0x0", " 1000", "nosuch", "2147483648", "-1"])
def test_odd_users_are_refused(stack, user):
    assert stack.docker("run", "--rm", "-u", user, "busybox", "id", check=False).code == 125


def test_a_working_directory_in_proc_does_not_lead_out(stack):
    for number in (3, 7, 8, 9):
        result = stack.docker("run", "--rm", "--network", "none", "-w", f"/proc/self/fd/{number}", "busybox", "ls", "..", check=False)
        assert result.code != 0


def test_a_seccomp_profile_of_the_user(stack, tmp_path):
    profile = tmp_path / "profile.json"
    profile.write_text('{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["chmod","fchmodat"],"action":"SCMP_ACT_ERRNO"}]}')
    flag = ["--security-opt", f"seccomp={profile}"]
    assert shell(stack, "touch /x; chmod 700 /x", *flag, check=False).code == 1
    assert shell(stack, "touch /x; chown 1 /x", *flag).code == 0
    profile.write_text("{")
    assert shell(stack, "true", *flag, check=False).code == 125
