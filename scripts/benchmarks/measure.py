# SPDX-License-Identifier: Apache-2.0
"""Times of commands, memory of processes, and the tables that both are shown in."""
import os
import pathlib
import statistics
import subprocess
import time

PROJECT = pathlib.Path(__file__).resolve().parent.parent.parent
BIN = pathlib.Path(os.environ.get("SWRUN_BIN", PROJECT / "bin"))


def timed(command, environment=None):
    begin = time.perf_counter()
    done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, capture_output=True,
                          env={**os.environ, **(environment or {})})
    elapsed = (time.perf_counter() - begin) * 1000
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))} exited {done.returncode}: {done.stderr.decode()}")
    return elapsed


class Table:
    """Medians by name for one question; the first name is swrun's, and ratios are against the others."""

    def __init__(self, title, unit="ms"):
        self.title, self.unit, self.samples = title, unit, {}

    def measure(self, rounds, commands):
        """`commands`: name -> callable giving (command, environment). Interleaved; one warm-up round is dropped."""
        for number in range(rounds + 1):
            for name, make in commands.items():
                elapsed = timed(*make(number))
                if number:
                    self.samples.setdefault(name, []).append(elapsed)

    def add(self, name, value):
        self.samples.setdefault(name, []).append(value)

    def medians(self):
        return {name: statistics.median(values) for name, values in self.samples.items()}

    def show(self):
        medians = self.medians()
        ours = next(iter(medians.values()))
        print(f"\n{self.title}")
        for name, value in medians.items():
            values = sorted(self.samples[name])
            spread = f"min {values[0]:.2f}  p90 {values[int(len(values) * 0.9)]:.2f}  n={len(values)}" if len(values) > 1 else ""
            print(f"  {name:34} {value:9.2f} {self.unit}   swrun/this {ours / value:5.2f}   {spread}", flush=True)


def memory_of(pids):
    """Proportional set size in MB: shared pages count once."""
    total = 0
    for pid in pids:
        for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total / 1024


def processes_named(part):
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if part in (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").split(" ")[0]:
                found.append(int(entry.name))
        except OSError:
            pass
    return found


def peak_of(pids, action):
    """The largest resident set of the processes together while `action` runs, each one's own peak added up, in MB."""
    for pid in pids:
        pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")
    action()
    peak = 0
    for pid in pids:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        peak += int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])
    return peak / 1024
