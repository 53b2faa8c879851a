# SPDX-License-Identifier: Apache-2.0
"""Single programs: the OCI runtime, and the client's start-up."""
import json
import subprocess

from benchmarks.measure import BIN, Table


def make_bundle(work, tar, rivals):
    bundle = work / "bundle"
    (bundle / "rootfs").mkdir(parents=True)
    subprocess.run(["tar", "-xf", tar, "-C", bundle / "rootfs"], check=True)
    subprocess.run([*rivals.command("runc"), "spec", "--bundle", bundle], check=True)
    config = json.loads((bundle / "config.json").read_text())
    config["process"]["terminal"] = False
    config["process"]["args"] = ["/bin/true"]
    (bundle / "config.json").write_text(json.dumps(config))
    return bundle


def bench_runtime(work, bundle, rounds, rivals):
    runtimes = {"swrunc": [BIN / "swrunc"], "crun": rivals.command("crun"), "runc": rivals.command("runc")}
    run = Table("OCI runtime: run of /bin/true (bundle of `runc spec`)")
    run.measure(rounds, {
        name: lambda n, name=name, path=path: ([*path, "--root", work / f"rt-{name}", "run", "--bundle", bundle, f"b{n}"],)
        for name, path in runtimes.items()})
    yield run
    version = Table("OCI runtime: --version")
    version.measure(rounds, {name: lambda n, path=path: ([*path, "--version"],) for name, path in runtimes.items()})
    yield version


def bench_startup(rounds):
    table = Table("client start-up: --version")
    table.measure(rounds, {"swrun": lambda n: ([BIN / "swrun", "--version"],),
                           "docker": lambda n: (["docker", "--version"],)})
    yield table
