# SPDX-License-Identifier: Apache-2.0
"""What every benchmark here needs: a scratch project, times of statements inside one process, and the report."""
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

BRAID = os.environ["BRAID"]
SCRATCH = pathlib.Path(os.environ["BENCH_SCRATCH"])
SMALL = os.environ["BENCH_SCALE"] == "small"
REPETITIONS = 2 if SMALL else 5
MARK = "SELECT epoch_us(now()) AS bench_mark"


class Project:
    """A Braid project in the scratch folder, shared by the benchmarks that name it."""

    def __init__(self, name):
        self.folder = SCRATCH / name
        self.is_new = not self.folder.exists()
        self.folder.mkdir(exist_ok=True)
        (self.folder / "braid.yaml").write_text(f"name: {name}\n")

    def command(self, *arguments):
        return [BRAID, "-C", str(self.folder), *arguments]

    def run(self, *arguments):
        """Standard output; what Braid says besides is shown only when it fails."""
        done = subprocess.run(self.command(*arguments), capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"braid {arguments[0]} exited with {done.returncode}\n{done.stderr[-2000:]}")
        return done.stdout

    def sql(self, *statements):
        """One result, a list of rows, for each statement that has columns."""
        script = self.folder / "script"
        script.write_text(";\n".join(statements) + ";\n")
        output = self.run("--format", "json", "sql", "-f", str(script))
        return [json.loads(line) for line in output.splitlines()]

    def times(self, statements):
        """Runs them in one process; gives the seconds of each, and the results of those that have columns.

        Each stands between two others that tell when they began, so the process's start does not count."""
        results = self.sql(*[part for statement in statements for part in (MARK, statement)], MARK)
        marks = [result[0]["bench_mark"] for result in results if result and "bench_mark" in result[0]]
        others = [result for result in results if not (result and "bench_mark" in result[0])]
        return [(after - before) / 1e6 for before, after in zip(marks, marks[1:])], others


def seconds(action):
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


def alternate(*actions):
    """Each action once to warm up, then in turn, so that what else the machine does hits all of them.

    Gives one list of seconds for each."""
    taken = [[] for _ in actions]
    for repetition in range(REPETITIONS + 1):
        for action, times in zip(actions, taken):
            took = seconds(action)
            if repetition > 0:
                times.append(took)
    return taken


def agree(what, ours, theirs, relative=1e-9):
    if abs(ours - theirs) > relative * max(abs(ours), abs(theirs), 1):
        sys.exit(f"wrong: {what}: Braid gives {ours!r}, its peer {theirs!r}")


def expect(what, seen, wanted):
    if seen != wanted:
        sys.exit(f"wrong: {what}: {seen!r} instead of {wanted!r}")


def begin(title):
    load = ", ".join(f"{value:.2f}" for value in os.getloadavg())
    note = "   SMALL: no figures to quote" if SMALL else ""
    print(f"\n{title}\n  {len(os.sched_getaffinity(0))} CPUs, load average {load}{note}", flush=True)


def spread(times):
    return f"{statistics.median(times):9.4f} s  ({min(times):.4f} to {max(times):.4f})"


def line(name, text):
    print(f"  {name:44} {text}", flush=True)


def against(name, ratio, sign, goal):
    met = ratio <= goal if sign == "<=" else ratio >= goal
    line(name, f"{ratio:9.2f} x  goal {sign} {goal} x: {'met' if met else 'MISSED'}")


def within(name, took, goal):
    line(name, f"{took:9.4f} s  goal < {goal} s: {'met' if took < goal else 'MISSED'}")
