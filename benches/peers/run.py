#!/usr/bin/env python3
"""Runs the same host-days in Plimsoll and in SimPy, checks that both did the same work, and prints both times.

    cargo build --release && python3 benches/peers/run.py

SimPy is installed into target/peers. Where that cannot be, it says so and ends well. Exit code 1 where the two do not agree.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PLIMSOLL = ROOT / "target" / "release" / "plimsoll"
VENV = ROOT / "target" / "peers"
SIMPY = "simpy==4.1.1"
# How far the two may be apart, as a share: of the requests and of the CPU of each container.
TOLERANCE = 0.01
RUNS = 5


def installed():
    """The Python of a virtual environment with SimPy, or None with the reason printed."""
    python = VENV / "bin" / "python"
    for command in ([sys.executable, "-m", "venv", str(VENV)], [str(python), "-m", "pip", "install", "--quiet", SIMPY]):
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        except (OSError, subprocess.TimeoutExpired) as error:
            print(f"skipped: {SIMPY} cannot be installed: {error}")
            return None
        if done.returncode != 0:
            print(f"skipped: {SIMPY} cannot be installed: {(done.stderr or done.stdout).strip().splitlines()[-1:]}")
            return None
    return python


def ours(scenario, record):
    """Seconds of the whole command, of the runs in it, and what came of it. The best of some runs."""
    command = [str(PLIMSOLL), "simulate", str(scenario), "--seed", "1", "--jobs", "1", "--json"]
    subprocess.run([*command, "--record", str(record)], check=True, capture_output=True)
    best = None
    for _ in range(RUNS):
        begun = time.perf_counter()
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        took = time.perf_counter() - begun
        best = min(best or (took, done.stdout), (took, done.stdout))
    found = json.loads(best[1])["scenarios"][0]
    return best[0], found


def apart(one, other):
    """The container and the figure in which two runs differ most, as a share."""
    differences = [
        (abs(figures[key] / other[name][key] - 1.0), name, key)
        for name, figures in one.items()
        for key in ("requests", "cpu_cores_mean")
    ]
    return max(differences)


def main():
    if not PLIMSOLL.exists():
        sys.exit("there is no release build yet: cargo build --release")
    python = installed()
    if python is None:
        return 0
    failed = False
    with tempfile.TemporaryDirectory() as directory:
        for name in ("scenario.yaml", "rhythm.scenario.yaml"):
            record = pathlib.Path(directory) / "run.jsonl"
            command, found = ours(HERE / name, record)
            day = [str(python), str(HERE / "host_day.py"), str(record)]
            peer = json.loads(subprocess.run(day, check=True, capture_output=True, text=True).stdout)
            share, container, figure = apart(found["services"], peer["services"])
            run = found["wall_seconds"]
            print(found["scenario"])
            print(f"  SimPy                     {peer['wall_seconds']:9.3f} s")
            print(f"  Plimsoll, the run         {run:9.3f} s   {peer['wall_seconds'] / run:6.0f} times as fast")
            print(f"  Plimsoll, the command     {command:9.3f} s   {peer['wall_seconds'] / command:6.0f} times as fast")
            print(f"  furthest apart            {share:9.2%}     {figure} of {container}")
            if share > TOLERANCE:
                print(f"  they do not agree within {TOLERANCE:.0%}")
                failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
