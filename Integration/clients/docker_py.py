# SPDX-License-Identifier: Apache-2.0
"""What programs do with docker-py, call by call. Run by test_clients.py in a virtual environment that has it.

    DOCKER_HOST=unix:///… python docker_py.py [unittest's arguments]
"""
import io
import os
import signal
import socket
import struct
import tarfile
import tempfile
import threading
import time
import unittest

import docker
import docker.errors
import docker.types
import requests.exceptions

IMAGE = "busybox:latest"
TTY_SLEEP = ["sleep", "600"]


def tar_of(**files):
    """A tar archive in memory: names and contents."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text))
    return buffer.getvalue()


def raw(connection):
    """The plain socket of what docker-py returns for a hijacked connection."""
    return getattr(connection, "_sock", connection)


def read_frame(connection):
    """One of docker's frames: the stream's number and the payload; None at the end."""
    head = b""
    while len(head) < 8:
        piece = connection.recv(8 - len(head))
        if not piece:
            return None
        head += piece
    stream, length = struct.unpack(">BxxxL", head)
    payload = b""
    while len(payload) < length:
        payload += connection.recv(length - len(payload))
    return stream, payload


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.client = docker.from_env(timeout=60)
        cls.api = cls.client.api

    @classmethod
    def tearDownClass(cls):
        cls.client.close()

    def create(self, command="true", **options):
        host = options.pop("host", {})
        if host:
            options["host_config"] = self.api.create_host_config(**host)
        found = self.api.create_container(IMAGE, command, **options)
        self.assertIn("Id", found)
        self.addCleanup(self.remove, found["Id"])
        return found["Id"]

    def run_one(self, command="true", **options):
        name = self.create(command, **options)
        self.api.start(name)
        return name

    def output(self, command, **options):
        """Runs to the end; the exit code and both streams."""
        name = self.run_one(command, **options)
        code = self.api.wait(name)["StatusCode"]
        return code, self.api.logs(name)

    def remove(self, name):
        try:
            self.api.remove_container(name, force=True, v=True)
        except docker.errors.NotFound:
            pass

    def state(self, name):
        return self.api.inspect_container(name)["State"]

    def refused(self, status, text, call, *arguments, **options):
        with self.assertRaises(docker.errors.APIError) as caught:
            call(*arguments, **options)
        self.assertEqual(caught.exception.response.status_code, status, caught.exception)
        self.assertIn(text, caught.exception.explanation)


class SystemTest(Case):
    def test_version(self):
        answer = self.api.version()
        for key in ("GoVersion", "Version", "ApiVersion", "MinAPIVersion", "Os", "Arch", "KernelVersion"):
            self.assertTrue(answer[key], key)
        self.assertEqual({one["Name"] for one in answer["Components"]} & {"Engine"}, {"Engine"})

    def test_info(self):
        answer = self.client.info()
        for key in ("Containers", "Images", "Debug", "ID", "NCPU", "MemTotal", "Name", "SecurityOptions", "Runtimes"):
            self.assertIn(key, answer)

    def test_ping(self):
        self.assertTrue(self.client.ping())

    def test_disk_usage(self):
        name = self.create("true")
        answer = self.client.df()
        self.assertLessEqual({"LayersSize", "Images", "Containers", "Volumes"}, set(answer))
        self.assertIn(name, [one["Id"] for one in answer["Containers"]])

    def test_events(self):
        begin = int(time.time()) - 1
        name = self.run_one("true")
        self.api.wait(name)
        found = self.api.events(since=begin, until=int(time.time()) + 1, decode=True, filters={"container": [name]})
        actions = [one["Action"] for one in found]
        self.assertLess(actions.index("create"), actions.index("start"))
        self.assertLess(actions.index("start"), actions.index("die"))

    def test_events_are_a_stream_that_can_be_closed(self):
        stream = self.client.events(decode=True)
        name = self.create("true")
        for one in stream:
            if one["Type"] == "container" and one["Actor"]["ID"] == name:
                self.assertEqual((one["Action"], one["id"], one["status"]), ("create", name, "create"))
                self.assertEqual(one["scope"], "local")
                break
        stream.close()

    def test_old_versions(self):
        for version in ("1.24", "1.35", "1.40", "1.41", "1.43", "1.44"):
            client = docker.from_env(version=version)
            self.assertTrue(client.info()["ID"])
            for one in client.containers.list(all=True):
                self.assertTrue(one.id)
            client.close()

    def test_unknown_version(self):
        with self.assertRaises(docker.errors.APIError) as caught:
            docker.from_env(version="1.99").info()
        self.assertIn("client version 1.99 is too new", caught.exception.explanation)

    def test_login_fails(self):
        self.refused(500, "", self.api.login, "nobody", "nothing", registry="http://127.0.0.1:1/v2/")


class ContainerTest(Case):
    def test_list(self):
        before = len(self.api.containers(all=True))
        name = self.create("true")
        self.assertEqual(len(self.api.containers(all=True)), before + 1)
        found = [one for one in self.api.containers(all=True) if one["Id"] == name][0]
        for key in ("Command", "Created", "Image", "ImageID", "Names", "Ports", "Status", "State", "Labels", "Mounts"):
            self.assertIn(key, found)
        self.assertEqual((found["Command"], found["Image"], found["State"]), ("true", IMAGE, "created"))

    def test_list_filters(self):
        name = self.create("true", labels={"swrun.test": "list", "other": ""}, name="dpy-list-filters")
        for filters in ({"label": "swrun.test=list"}, {"label": ["swrun.test", "other"]}, {"name": "dpy-list-filters"},
                        {"id": name[:12]}, {"status": "created", "label": "other"},
                        {"ancestor": "busybox", "label": "other"}):
            self.assertEqual([one["Id"] for one in self.api.containers(all=True, filters=filters)], [name], filters)
        self.assertEqual(self.api.containers(all=True, filters={"label": "swrun.test=else"}), [])
        self.assertEqual(self.client.containers.list(all=True, filters={"label": "other"})[0].id, name)
        self.assertEqual(self.client.containers.list(all=True, filters={"label": "other"}, sparse=True)[0].id, name)
        self.refused(400, "invalid filter 'nosuch'", self.api.containers, filters={"nosuch": "x"})
        self.refused(400, "invalid filter 'status=x'", self.api.containers, filters={"status": "x"})

    def test_list_limits(self):
        first, second = self.create("true"), self.create("true")
        self.assertEqual([one["Id"] for one in self.api.containers(limit=2)], [second, first])
        self.assertEqual(self.api.containers(latest=True)[0]["Id"], second)
        self.assertIn(second, [one["Id"] for one in self.api.containers(all=True, since=first)])
        self.assertIn(first, [one["Id"] for one in self.api.containers(all=True, before=second)])
        self.assertIn("SizeRootFs", self.api.containers(limit=1, size=True)[0])
        self.assertIn({"Id": second}, self.api.containers(all=True, quiet=True))

    def test_conflict(self):
        self.create("true", name="dpy-conflict")
        self.refused(409, 'Conflict. The container name "/dpy-conflict" is already in use by container',
                     self.api.create_container, IMAGE, "true", name="dpy-conflict")

    def test_not_found(self):
        for call in (self.api.inspect_container, self.api.start, self.api.stop, self.api.kill, self.api.wait,
                     self.api.logs, self.api.top, self.api.diff, self.api.remove_container, self.api.pause,
                     self.api.restart):
            self.refused(404, "No such container: nothing-here", call, "nothing-here")
        with self.assertRaises(docker.errors.ImageNotFound):
            self.api.create_container("nothing-here:none", "true")
        with self.assertRaises(docker.errors.NotFound):
            self.client.containers.get("nothing-here")

    def test_streams_and_exit_code(self):
        code, output = self.output(["sh", "-c", "echo out; echo err >&2; exit 7"])
        self.assertEqual((code, sorted(output.split())), (7, [b"err", b"out"]))

    def test_hostname_user_environment_directory(self):
        _, output = self.output(["sh", "-c", "hostname; id -u; echo $A-$B; pwd; cat /proc/sys/kernel/domainname"],
                                hostname="here", domainname="example.org", user=65534,
                                environment={"A": "ünï", "B": ""}, working_dir="/tmp")
        self.assertEqual(output.decode().split("\n")[:4], ["here", "65534", "ünï-", "/tmp"])
        self.assertEqual(self.output(["sh", "-c", "echo $X"], environment=["X=y z"])[1], b"y z\n")

    def test_entrypoint(self):
        name = self.create(["b", "c"], entrypoint=["echo", "a"])
        self.assertEqual(self.api.inspect_container(name)["Path"], "echo")
        self.assertEqual(self.output(["b", "c"], entrypoint="echo a")[1], b"a b c\n")

    def test_limits(self):
        name = self.run_one(TTY_SLEEP, host=dict(
            mem_limit="64m", memswap_limit="128m", mem_reservation="32m", cpu_shares=512, cpuset_cpus="0", pids_limit=50,
            cpu_period=100000, cpu_quota=50000, oom_score_adj=300, mem_swappiness=10, blkio_weight=300,
            ulimits=[docker.types.Ulimit(name="nofile", soft=100, hard=200)], shm_size="8m",
            sysctls={"net.ipv4.ip_unprivileged_port_start": "81"}))
        host = self.api.inspect_container(name)["HostConfig"]
        self.assertEqual((host["Memory"], host["MemorySwap"], host["CpuShares"], host["PidsLimit"]),
                         (64 << 20, 128 << 20, 512, 50))
        self.assertEqual(host["Ulimits"], [{"Name": "nofile", "Soft": 100, "Hard": 200}])
        code, output = self.client.containers.get(name).exec_run(
            ["sh", "-c", "ulimit -n; cat /proc/1/oom_score_adj; df -k /dev/shm | tail -1"])
        words = output.split()
        self.assertEqual((code, words[0], words[1], words[3]), (0, b"100", b"300", b"8192"))

    def test_nano_cpus_and_init(self):
        name = self.run_one(TTY_SLEEP, host=dict(nano_cpus=500000000, init=True))
        host = self.api.inspect_container(name)["HostConfig"]
        self.assertEqual((host["NanoCpus"], host["Init"]), (500000000, True))

    def test_restart_policy(self):
        name = self.create("false", host=dict(restart_policy={"Name": "on-failure", "MaximumRetryCount": 2}))
        self.assertEqual(self.api.inspect_container(name)["HostConfig"]["RestartPolicy"],
                         {"Name": "on-failure", "MaximumRetryCount": 2})
        self.api.start(name)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            found = self.api.inspect_container(name)
            if found["RestartCount"] == 2 and not found["State"]["Running"] and not found["State"]["Restarting"]:
                break
            time.sleep(0.1)
        self.assertEqual(found["RestartCount"], 2)
        self.refused(400, "maximum retry count", self.create, "true",
                     host=dict(restart_policy={"Name": "always", "MaximumRetryCount": 2}))

    def test_privileges(self):
        privileged = self.create("true", host=dict(privileged=True))
        self.assertTrue(self.api.inspect_container(privileged)["HostConfig"]["Privileged"])
        _, output = self.output(["grep", "CapEff", "/proc/self/status"], host=dict(cap_drop=["ALL"], cap_add=["CHOWN"]))
        self.assertEqual(int(output.split()[1], 16), 1)
        code, _ = self.output(["touch", "/x"], host=dict(read_only=True))
        self.assertEqual(code, 1)
        _, output = self.output(["sh", "-c", "grep NoNewPrivs /proc/self/status"],
                                host=dict(security_opt=["no-new-privileges"]))
        self.assertEqual(output.split(), [b"NoNewPrivs:", b"1"])

    def test_groups(self):
        code, output = self.output("id -G", host=dict(group_add=["1000", "1001", "daemon"]))
        self.assertLessEqual({b"1000", b"1001", b"1"}, set(output.split()))

    def test_namespaces(self):
        self.assertEqual(self.output(["sh", "-c", "readlink /proc/self/ns/pid"], host=dict(pid_mode="host"))[1].strip(),
                         os.readlink("/proc/self/ns/pid").encode())
        self.assertEqual(self.output(["readlink", "/proc/self/ns/uts"], host=dict(uts_mode="host"))[1].strip(),
                         os.readlink("/proc/self/ns/uts").encode())
        self.assertEqual(self.output(["readlink", "/proc/self/ns/ipc"], host=dict(ipc_mode="host"))[1].strip(),
                         os.readlink("/proc/self/ns/ipc").encode())
        other = self.run_one(TTY_SLEEP, host=dict(ipc_mode="shareable"))
        _, output = self.output(["sh", "-c", "hostname; ls /proc/1/exe >/dev/null; ps | grep -c '[s]leep'"],
                                host=dict(network_mode="container:" + other, pid_mode="container:" + other,
                                          ipc_mode="container:" + other))
        self.assertEqual(output.split()[1], b"1")
        self.assertEqual(self.output(["ls", "/sys/class/net"], host=dict(network_mode="none"))[1].split(), [b"lo"])

    def test_tmpfs(self):
        for tmpfs in ({"/mnt": "size=3m"}, ["/mnt"]):
            code, output = self.output(["grep", " /mnt ", "/proc/mounts"], host=dict(tmpfs=tmpfs))
            self.assertEqual(code, 0)
            self.assertIn(b"tmpfs", output)

    def test_devices(self):
        _, output = self.output(["ls", "-l", "/dev/other"], host=dict(devices=["/dev/null:/dev/other:rwm"]))
        self.assertIn(b"1,   3", output)
        name = self.create("true", host=dict(device_cgroup_rules=["c 7:128 rwm"]))
        self.assertEqual(self.api.inspect_container(name)["HostConfig"]["DeviceCgroupRules"], ["c 7:128 rwm"])

    def test_log_drivers(self):
        self.refused(400, 'error looking up logging plugin asdf: plugin "asdf" not found', self.run_one, "true",
                     host=dict(log_config=docker.types.LogConfig(type="asdf", config={})))
        name = self.create("true", host=dict(log_config=docker.types.LogConfig(type="json-file", config={})))
        self.assertEqual(self.api.inspect_container(name)["HostConfig"]["LogConfig"], {"Type": "json-file", "Config": {}})
        quiet = self.client.containers.run(IMAGE, "echo hello", detach=True,
                                           log_config=docker.types.LogConfig(type="none", config={}))
        self.addCleanup(self.remove, quiet.id)
        quiet.wait()
        self.refused(501, "configured logging driver does not support reading", quiet.logs)

    def test_wrong_commands(self):
        for command, text in ((["nothing-of-this-name"], "executable file not found in $PATH"), (["/etc"], "")):
            name = self.create(command)
            self.refused(400, text, self.api.start, name)
            self.assertIn(self.state(name)["ExitCode"], (126, 127))
            self.assertEqual(self.state(name)["Status"], "created")

    def test_bad_requests(self):
        for options, text in ((dict(host=dict(mem_limit="1m")), "Minimum memory limit allowed is 6MB"),
                              (dict(working_dir="relative"), "needs to be an absolute path"),
                              (dict(host=dict(binds=["relative/path/x:/y"])), "includes invalid characters"),
                              (dict(host=dict(binds=["/a:relative"])), "invalid"),
                              (dict(host=dict(cap_add=["NOSUCH"])), "invalid CapAdd: unknown capability"),
                              (dict(host=dict(pid_mode="nosuch")), "invalid PID mode"),
                              (dict(host=dict(ipc_mode="nosuch")), "invalid IPC mode"),
                              (dict(host=dict(oom_score_adj=5000)), "Invalid value 5000, range for oom score adj")):
            with self.assertRaises(docker.errors.APIError, msg=options) as caught:
                self.run_one("true", **options)
            self.assertIn(text, caught.exception.explanation)
            self.assertIn(caught.exception.status_code, (400, 404), caught.exception)

    def test_rename(self):
        name = self.create("true")
        self.api.rename(name, "dpy-renamed")
        self.assertEqual(self.api.inspect_container(name)["Name"], "/dpy-renamed")
        self.refused(400, "Invalid container name", self.api.rename, name, "not/good")

    def test_ids_as_dictionaries_and_prefixes(self):
        name = self.create("true")
        self.api.start({"Id": name})
        self.assertEqual(self.api.wait({"Id": name})["StatusCode"], 0)
        self.assertEqual(self.api.inspect_container(name[:12])["Id"], name)

    def test_ports(self):
        name = self.create(TTY_SLEEP, ports=[7001, (7002, "udp")],
                           host=dict(port_bindings={7001: None, "7002/udp": ("127.0.0.1", None)}))
        self.assertEqual(self.api.inspect_container(name)["Config"]["ExposedPorts"], {"7001/tcp": {}, "7002/udp": {}})
        self.api.start(name)
        self.assertTrue(self.api.port(name, 7001)[0]["HostPort"])
        self.assertEqual(self.api.port(name, "7002/udp")[0]["HostIp"], "127.0.0.1")
        container = self.client.containers.get(name)
        self.assertEqual(set(container.ports), {"7001/tcp", "7002/udp"})

    def test_top(self):
        name = self.run_one(TTY_SLEEP)
        answer = self.api.top(name)
        self.assertEqual((answer["Titles"][0], len(answer["Processes"])), ("UID", 1))
        answer = self.api.top(name, "-eopid,user")
        self.assertEqual(answer["Titles"], ["PID", "USER"])
        stopped = self.create("true")
        self.refused(409, "is not running", self.api.top, stopped)

    def test_stop_kill_restart(self):
        name = self.run_one(["sh", "-c", "trap 'exit 5' TERM; while :; do sleep 0.1; done"])
        self.api.stop(name, timeout=10)
        self.assertEqual((self.state(name)["Running"], self.state(name)["ExitCode"]), (False, 5))
        self.api.stop(name)  # not modified
        self.api.start(name)
        self.api.start(name)
        for sent in (signal.SIGWINCH, "SIGWINCH", 28, "28", "winch"):
            self.api.kill(name, signal=sent)
        self.refused(400, "invalid signal: NOSUCH", self.api.kill, name, signal="NOSUCH")
        first = self.state(name)
        self.api.restart(name, timeout=0)
        second = self.state(name)
        self.assertTrue(second["Running"])
        self.assertNotEqual(first["StartedAt"], second["StartedAt"])
        self.api.kill(name)
        self.assertEqual(self.api.wait(name)["StatusCode"], 137)
        self.refused(409, "is not running", self.api.kill, name)

    def test_pause(self):
        name = self.run_one(TTY_SLEEP)
        self.api.pause(name)
        state = self.state(name)
        self.assertEqual((state["Running"], state["Paused"], state["Status"]), (True, True, "paused"))
        self.refused(409, "is paused, unpause the container before exec", self.api.exec_create, name, "true")
        self.refused(409, "is already paused", self.api.pause, name)
        self.api.unpause(name)
        self.assertFalse(self.state(name)["Paused"])

    def test_wait(self):
        name = self.run_one(TTY_SLEEP)
        with self.assertRaises(requests.exceptions.RequestException):
            self.api.wait(name, timeout=0.5)
        for condition, code in (("next-exit", 137), ("not-running", 137)):
            if condition == "next-exit":
                timer = threading.Timer(0.3, lambda: self.api.kill(name))
                timer.start()
            self.assertEqual(self.api.wait(name, condition=condition)["StatusCode"], code)
        timer.join()
        self.refused(400, "invalid condition", self.api.wait, name, condition="nosuch")

    def test_remove(self):
        name = self.run_one(TTY_SLEEP)
        self.refused(409, "cannot remove container", self.api.remove_container, name)
        self.api.remove_container(name, force=True)
        self.refused(404, "No such container", self.api.inspect_container, name)

    def test_prune(self):
        name = self.create("true", labels={"swrun.test": "prune"})
        answer = self.api.prune_containers(filters={"label": ["swrun.test=prune"]})
        self.assertEqual(answer["ContainersDeleted"], [name])
        self.assertGreaterEqual(answer["SpaceReclaimed"], 0)

    def test_update(self):
        name = self.run_one(TTY_SLEEP, host=dict(mem_limit=1 << 24, memswap_limit=1 << 25))
        self.api.update_container(name, mem_limit=1 << 25, memswap_limit=1 << 26)
        self.assertEqual(self.api.inspect_container(name)["HostConfig"]["Memory"], 1 << 25)
        policy = {"MaximumRetryCount": 0, "Name": "always"}
        self.api.update_container(name, restart_policy=policy)
        self.assertEqual(self.api.inspect_container(name)["HostConfig"]["RestartPolicy"], policy)
        self.api.update_container(name, restart_policy={"Name": "no"})

    def test_stats(self):
        name = self.run_one(TTY_SLEEP)
        answer = self.api.stats(name, stream=False)
        for key in ("read", "networks", "precpu_stats", "cpu_stats", "memory_stats", "blkio_stats", "pids_stats"):
            self.assertIn(key, answer)
        stream = self.api.stats(name, decode=True)
        self.assertEqual(next(stream)["id"], name)
        stream.close()
        self.assertEqual(self.api.stats(name, stream=False, one_shot=True)["precpu_stats"]["cpu_usage"]["total_usage"], 0)

    def test_diff_and_commit(self):
        name = self.run_one(["touch", "/test"])
        self.api.wait(name)
        self.assertIn({"Path": "/test", "Kind": 1}, self.api.diff(name))
        image = self.api.commit(name, repository="dpy-commit", tag="one", message="said", author="somebody",
                                changes=["CMD touch /other"], conf={"Labels": {"a": "b"}})
        self.addCleanup(self.api.remove_image, image["Id"], force=True)
        found = self.api.inspect_image("dpy-commit:one")
        self.assertEqual((found["Comment"], found["Author"], found["Config"]["Labels"]), ("said", "somebody", {"a": "b"}))
        self.assertEqual(found["Config"]["Cmd"], ["/bin/sh", "-c", "touch /other"])

    def test_export(self):
        name = self.create("true")
        data = b"".join(self.api.export(name))
        self.assertIn("bin/busybox", tarfile.open(fileobj=io.BytesIO(data)).getnames())

    def test_archive(self):
        name = self.create(["cat", "/tmp/a"])
        self.assertTrue(self.api.put_archive(name, "/tmp", tar_of(a=b"text")))
        stream, stat = self.api.get_archive(name, "/tmp/a")
        self.assertEqual((stat["name"], stat["size"], stat["linkTarget"]), ("a", 4, ""))
        archive = tarfile.open(fileobj=io.BytesIO(b"".join(stream)))
        self.assertEqual(archive.extractfile("a").read(), b"text")
        self.api.start(name)
        self.api.wait(name)
        self.assertEqual(self.api.logs(name), b"text")
        self.refused(404, "Could not find the file /absent in container", self.api.get_archive, name, "/absent")
        self.refused(404, "Could not find the file /absent in container", self.api.put_archive, name, "/absent", b"")

    def test_volumes(self):
        with tempfile.TemporaryDirectory() as directory:
            with open(directory + "/file", "w") as file:
                file.write("shared")
            code, output = self.output(["cat", "/mnt/file"], volumes=["/mnt"],
                                       host=dict(binds={directory: {"bind": "/mnt", "mode": "ro"}}))
            self.assertEqual((code, output), (0, b"shared"))
            name = self.create("true", host=dict(mounts=[
                docker.types.Mount("/mnt", directory, type="bind", read_only=True),
                docker.types.Mount("/data", "dpy-volume", type="volume", labels={"a": "b"})]))
            self.addCleanup(lambda: (self.remove(name), self.api.remove_volume("dpy-volume", force=True)))
            mounts = {one["Destination"]: one for one in self.api.inspect_container(name)["Mounts"]}
            self.assertEqual((mounts["/mnt"]["Source"], mounts["/mnt"]["RW"]), (directory, False))
            self.assertEqual((mounts["/data"]["Name"], mounts["/data"]["Type"]), ("dpy-volume", "volume"))
            other = self.create("true", host=dict(volumes_from=[name]))
            self.assertEqual({one["Destination"] for one in self.api.inspect_container(other)["Mounts"]},
                             {"/mnt", "/data"})
            self.remove(other)
        self.refused(400, "bind source path does not exist: /absent/path", self.create, "true",
                     host=dict(mounts=[docker.types.Mount("/mnt", "/absent/path", type="bind")]))


class LogTest(Case):
    def test_logs(self):
        name = self.run_one(["sh", "-c", "echo one; echo two; echo three >&2"])
        self.api.wait(name)
        self.assertEqual(sorted(self.api.logs(name).split()), [b"one", b"three", b"two"])
        self.assertEqual(self.api.logs(name, stderr=False), b"one\ntwo\n")
        self.assertEqual(self.api.logs(name, stdout=False), b"three\n")
        self.assertEqual(len(self.api.logs(name, tail=1).splitlines()), 1)
        self.assertEqual(self.api.logs(name, tail=0), b"")
        self.assertEqual(self.api.logs(name, since=int(time.time()) + 100), b"")
        self.assertRegex(self.api.logs(name, timestamps=True, stderr=False), rb"^\d{4}-\d\d-\d\dT.*Z one\n")
        self.assertEqual(len(list(self.api.logs(name, stream=True))), 3)
        self.refused(400, "you must choose at least one stream", self.api.logs, name, stdout=False, stderr=False)

    def test_follow(self):
        name = self.create(["sh", "-c", "echo one; sleep 0.5; echo two"])
        self.api.start(name)
        self.assertEqual(b"".join(self.api.logs(name, stream=True, follow=True)), b"one\ntwo\n")

    def test_tty(self):
        name = self.run_one(["echo", "hello"], tty=True)
        self.api.wait(name)
        self.assertEqual(self.api.logs(name), b"hello\r\n")


class AttachTest(Case):
    def test_attach_streams(self):
        name = self.create(["sh", "-c", "echo out; echo err >&2"])
        pieces = self.api.attach(name, stream=True, demux=True)
        self.api.start(name)
        found = list(pieces)
        self.assertEqual((b"".join(out or b"" for out, _ in found), b"".join(err or b"" for _, err in found)),
                         (b"out\n", b"err\n"))

    def test_attach_without_stream(self):
        name = self.run_one(["echo", "hello"])
        self.api.wait(name)
        self.assertEqual(self.api.attach(name, stream=False, logs=True), b"hello\n")

    def test_socket(self):
        name = self.create(["cat"], stdin_open=True)
        connection = raw(self.api.attach_socket(name, {"stdin": 1, "stdout": 1, "stream": 1}))
        self.api.start(name)
        connection.sendall(b"ping\n")
        self.assertEqual(read_frame(connection), (1, b"ping\n"))
        connection.shutdown(socket.SHUT_WR)
        connection.close()
        self.assertEqual(self.api.wait(name)["StatusCode"], 0)

    def test_detach_keys(self):
        for keys, sent in ((None, b"\x10\x11"), ("ctrl-a,a", b"\x01a")):
            name = self.run_one("cat", stdin_open=True, tty=True)
            options = {"stdin": 1, "stream": 1, "stdout": 1}
            if keys:
                options["detachKeys"] = keys
            connection = raw(self.api.attach_socket(name, options))
            connection.sendall(sent)
            connection.settimeout(10)
            while connection.recv(100):
                pass
            connection.close()
            self.assertTrue(self.state(name)["Running"])

    def test_resize(self):
        name = self.run_one("sh", tty=True, stdin_open=True)
        self.api.resize(name, height=30, width=90)
        self.assertEqual(self.client.containers.get(name).exec_run("stty -F /dev/console size").output.split()[-2:],
                         [b"30", b"90"])


class ExecTest(Case):
    def setUp(self):
        self.name = self.run_one("cat", stdin_open=True)

    def execute(self, command, **options):
        return self.api.exec_start(self.api.exec_create(self.name, command, **options)["Id"])

    def test_output(self):
        self.assertEqual(self.execute("echo hello world"), b"hello world\n")
        self.assertEqual(self.execute(["echo", "hello"]), b"hello\n")
        self.assertEqual(self.execute("whoami", user="daemon"), b"daemon\n")
        self.assertEqual(self.execute("pwd", workdir="/var"), b"/var\n")
        self.assertIn(b"X=Y", self.execute("env", environment={"X": "Y"}))
        plain, privileged = (int(self.execute("grep CapBnd /proc/self/status", privileged=one).split()[1], 16)
                             for one in (False, True))
        self.assertGreater(privileged, plain)

    def test_streams(self):
        for tty, expected in ((False, (b"out\n", b"err\n")), (True, (b"out\r\nerr\r\n", None))):
            started = self.api.exec_create(self.name, ["sh", "-c", "echo out; echo err >&2"], tty=tty)
            self.assertEqual(self.api.exec_start(started, tty=tty, demux=True), expected)
        started = self.api.exec_create(self.name, ["sh", "-c", "echo one; echo two"])
        self.assertEqual(b"".join(self.api.exec_start(started, stream=True)), b"one\ntwo\n")

    def test_socket(self):
        started = self.api.exec_create(self.name, "cat", stdin=True)
        connection = raw(self.api.exec_start(started, socket=True))
        connection.sendall(b"ping\n")
        self.assertEqual(read_frame(connection), (1, b"ping\n"))
        connection.shutdown(socket.SHUT_WR)
        self.assertIsNone(read_frame(connection))
        connection.close()

    def test_detached_and_inspect(self):
        started = self.api.exec_create(self.name, "sh -c 'exit 3'")
        self.assertEqual(self.api.exec_inspect(started["Id"])["ExitCode"], None)
        self.assertEqual(self.api.exec_start(started["Id"], detach=True), "")
        deadline = time.monotonic() + 10
        while self.api.exec_inspect(started["Id"])["ExitCode"] is None:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
        found = self.api.exec_inspect(started["Id"])
        self.assertEqual((found["ExitCode"], found["Running"], found["ContainerID"]), (3, False, self.name))
        self.assertEqual(found["ProcessConfig"]["entrypoint"], "sh")
        self.assertIn("CanRemove", found)

    def test_errors(self):
        self.refused(404, "No such exec instance: nothing", self.api.exec_start, "nothing")
        self.refused(404, "No such exec instance: nothing", self.api.exec_inspect, "nothing")
        self.refused(400, "No exec command specified", self.api.exec_create, self.name, [])
        stopped = self.create("true")
        self.refused(409, "is not running", self.api.exec_create, stopped, "true")
        container = self.client.containers.get(self.name)
        self.assertEqual(container.exec_run("nothing-of-this-name").exit_code, 126)

    def test_detach_keys(self):
        started = self.api.exec_create(self.name, "cat", stdin=True, tty=True, detach_keys="ctrl-p")
        connection = raw(self.api.exec_start(started, tty=True, socket=True))
        connection.sendall(b"\x10")
        connection.settimeout(10)
        while connection.recv(100):
            pass
        connection.close()
        self.assertTrue(self.api.exec_inspect(started["Id"])["Running"])


class ModelTest(Case):
    def test_run(self):
        self.assertEqual(self.client.containers.run(IMAGE, "echo hello world", remove=True), b"hello world\n")
        container = self.client.containers.run(IMAGE, "sleep 600", detach=True)
        self.addCleanup(self.remove, container.id)
        self.assertEqual(container.attrs["Config"]["Image"], IMAGE)
        self.assertEqual(container.image.tags[0], IMAGE)
        self.assertEqual((container.status, container.labels), ("created", {}))
        container.reload()
        self.assertEqual(container.status, "running")

    def test_run_fails(self):
        with self.assertRaises(docker.errors.ContainerError) as caught:
            self.client.containers.run(IMAGE, 'sh -c "echo text >&2; exit 4"', remove=True)
        self.assertEqual((caught.exception.exit_status, caught.exception.stderr), (4, b"text\n"))
        with self.assertRaises(docker.errors.APIError):
            self.client.containers.run("127.0.0.1:1/nothing/here", "true")

    def test_run_streams_and_removes(self):
        pieces = self.client.containers.run(IMAGE, 'sh -c "echo a; echo b"', stream=True, remove=True)
        self.assertEqual(b"".join(pieces), b"a\nb\n")
        container = self.client.containers.run(IMAGE, "true", detach=True, auto_remove=True)
        try:
            container.wait(condition="removed")
        except docker.errors.NotFound:
            pass
        self.assertNotIn(container.id, [one.id for one in self.client.containers.list(all=True)])

    def test_run_with_a_volume(self):
        volume = self.client.volumes.create()
        self.addCleanup(volume.remove)
        self.client.containers.run(IMAGE, "sh -c 'echo hello >/mnt/a'", volumes={volume.id: {"bind": "/mnt"}}, remove=True)
        self.assertEqual(self.client.containers.run(IMAGE, "cat /mnt/a", volumes=[volume.id + ":/mnt"], remove=True),
                         b"hello\n")

    def test_methods(self):
        container = self.client.containers.run(IMAGE, "sleep 600", detach=True, labels={"a": "b"}, name="dpy-methods")
        self.addCleanup(self.remove, container.id)
        self.assertEqual((container.name, container.labels), ("dpy-methods", {"a": "b"}))
        self.assertEqual(container.exec_run("sh -c 'echo x; exit 9'"), (9, b"x\n"))
        self.assertEqual(container.top()["Titles"][-1], "CMD")
        self.assertIn("cpu_stats", container.stats(stream=False))
        container.pause()
        container.unpause()
        container.kill()
        container.wait()
        container.start()
        container.stop(timeout=0)
        container.restart(timeout=0)
        container.rename("dpy-methods-2")
        container.reload()
        self.assertEqual(container.name, "dpy-methods-2")
        container.update(mem_limit=1 << 26, memswap_limit=1 << 26)
        container.remove(force=True)
        self.assertEqual(self.client.containers.list(all=True, filters={"name": "dpy-methods"}), [])


class ImageTest(Case):
    def test_list_and_inspect(self):
        found = [one for one in self.api.images(all=True) if IMAGE in (one["RepoTags"] or [])][0]
        for key in ("Id", "ParentId", "RepoTags", "RepoDigests", "Created", "Size", "SharedSize", "Labels", "Containers"):
            self.assertIn(key, found)
        self.assertEqual(self.api.images(name="busybox", quiet=True), [found["Id"]])
        image = self.api.inspect_image(IMAGE)
        for key in ("Id", "RepoTags", "Created", "Config", "Architecture", "Os", "Size", "GraphDriver", "RootFS", "Metadata"):
            self.assertIn(key, image)
        self.assertEqual(self.client.images.get(IMAGE).short_id, image["Id"][:19])
        with self.assertRaises(docker.errors.ImageNotFound):
            self.client.images.get("nothing-here")

    def test_tag_history_remove(self):
        image = self.client.images.get(IMAGE)
        self.assertTrue(image.tag("dpy/tagged", "v1"))
        self.assertIn("dpy/tagged:v1", self.client.images.get(IMAGE).tags)
        self.assertTrue(image.history()[0]["Id"])
        self.assertEqual(self.api.remove_image("dpy/tagged:v1"), [{"Untagged": "dpy/tagged:v1"}])
        self.refused(404, "No such image: dpy/tagged:v1", self.api.remove_image, "dpy/tagged:v1")
        self.refused(400, "invalid", self.api.tag, IMAGE, "UPPER")

    def test_save_and_load(self):
        data = b"".join(self.client.images.get(IMAGE).save(named=True))
        self.assertIn("manifest.json", tarfile.open(fileobj=io.BytesIO(data)).getnames())
        self.assertEqual([one.tags for one in self.client.images.load(data)], [[IMAGE]])

    def test_import(self):
        for changes in (None, ["USER nobody", "ENV A=b"]):
            answer = self.api.import_image_from_data(tar_of(a=b"x"), repository="dpy-import", changes=changes)
            self.assertIn("sha256:", answer)
            image = self.api.inspect_image("dpy-import")
            self.assertEqual(image["Config"].get("User", ""), "nobody" if changes else "")
            self.api.remove_image("dpy-import")

    def test_pull_fails(self):
        with self.assertRaises(docker.errors.APIError):
            self.client.images.pull("127.0.0.1:1/nothing/here", tag="x")

    def test_prune(self):
        self.assertIn("SpaceReclaimed", self.api.prune_images(filters={"label": "nothing=here"}))


class VolumeTest(Case):
    def test_life(self):
        volume = self.api.create_volume("dpy-vol", labels={"k": "v"})
        self.assertEqual((volume["Name"], volume["Driver"], volume["Labels"], volume["Scope"]),
                         ("dpy-vol", "local", {"k": "v"}, "local"))
        self.assertTrue(os.path.isdir(volume["Mountpoint"]))
        self.assertEqual(self.api.inspect_volume("dpy-vol")["CreatedAt"], volume["CreatedAt"])
        self.assertEqual([one["Name"] for one in self.api.volumes(filters={"label": "k=v"})["Volumes"]], ["dpy-vol"])
        self.assertEqual(self.client.volumes.list(filters={"name": "dpy-vol"})[0].id, "dpy-vol")
        self.api.remove_volume("dpy-vol")
        with self.assertRaises(docker.errors.NotFound):
            self.client.volumes.get("dpy-vol")
        self.refused(404, "dpy-vol: no such volume", self.api.remove_volume, "dpy-vol")

    def test_errors(self):
        self.refused(404, "nosuchdriver", self.api.create_volume, "dpy-bad", "nosuchdriver")
        self.refused(400, "includes invalid characters for a local volume name", self.api.create_volume, "not/good")
        name = self.create("true", volumes=["/x"], host=dict(binds=["dpy-used:/x"]))
        self.addCleanup(self.api.remove_volume, "dpy-used", force=True)
        self.refused(409, "volume is in use - [" + name + "]", self.api.remove_volume, "dpy-used")
        self.remove(name)

    def test_prune(self):
        volume = self.api.create_volume(labels={"prune": "me"})
        answer = self.api.prune_volumes(filters={"label": ["prune=me"]})
        self.assertEqual(answer["VolumesDeleted"], [volume["Name"]])


class NetworkTest(Case):
    def test_life(self):
        network = self.client.networks.create("dpy-net", labels={"a": "b"})
        self.addCleanup(lambda: network.remove())
        self.assertEqual((network.name, network.attrs["Labels"], network.attrs["Scope"]), ("dpy-net", {"a": "b"}, "local"))
        self.assertEqual([one.id for one in self.client.networks.list(names=["dpy-net"])], [network.id])
        container = self.client.containers.run(IMAGE, "sleep 600", detach=True, network="dpy-net")
        network.reload()
        self.assertEqual([one.id for one in network.containers], [container.id])
        network.disconnect(container)
        network.connect(container, aliases=["also"])
        container.reload()
        self.assertIn("also", container.attrs["NetworkSettings"]["Networks"]["dpy-net"]["Aliases"])
        self.remove(container.id)
        self.refused(404, "network nothing not found", self.api.inspect_network, "nothing")


class OtherTest(Case):
    def test_no_swarm(self):
        for call in (self.api.nodes, self.api.services, self.api.tasks, self.api.secrets, self.api.configs,
                     self.api.inspect_swarm):
            self.refused(503, "This node is not a swarm manager", call)
        self.refused(503, "This node is not part of a swarm", self.api.leave_swarm)
        self.assertEqual(self.api.plugins(), [])
        self.refused(404, "plugin \"nothing\" not found", self.api.inspect_plugin, "nothing")


if __name__ == "__main__":
    unittest.main()
