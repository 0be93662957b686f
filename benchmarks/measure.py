# SPDX-License-Identifier: Apache-2.0
"""What every benchmark here needs: a scratch project, costs of statements inside one process, and the report."""
import dataclasses
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

BRAID = os.environ["BRAID"]
SCRATCH = pathlib.Path(os.environ["BENCH_SCRATCH"])
SCALE = os.environ["BENCH_SCALE"]
SMALL = SCALE == "small"
REPETITIONS = {"full": 5, "medium": 3, "small": 2}[SCALE]
MARK = "SELECT epoch_us(now()) AS bench_mark"
TICKS = os.sysconf("SC_CLK_TCK")
SAMPLE_SECONDS = 0.01


def size(full, medium, small):
    return {"full": full, "medium": medium, "small": small}[SCALE]


@dataclasses.dataclass
class Cost:
    seconds: float
    cpu_seconds: float


class Watched:
    """A process run to its end, its CPU time sampled against the clock: to 10 ms, and its most memory."""

    def __init__(self, command):
        self.samples = []
        with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, text=True)
            while True:
                self.sample(process.pid)
                done, status, usage = os.wait4(process.pid, os.WNOHANG)
                if done:
                    break
                time.sleep(SAMPLE_SECONDS)
            process.returncode = os.waitstatus_to_exitcode(status)
            self.returncode, self.peak_bytes = process.returncode, usage.ru_maxrss * 1024
            self.samples.append((time.time(), usage.ru_utime + usage.ru_stime))
            output.seek(0)
            errors.seek(0)
            self.stdout, self.stderr = output.read(), errors.read()

    def sample(self, pid):
        try:
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return
        self.samples.append((time.time(), (int(fields[11]) + int(fields[12])) / TICKS))

    def cpu_seconds_at(self, moment):
        """Between the samples around it, as if the process had worked evenly."""
        for (before, used), (after, more) in zip(self.samples, self.samples[1:]):
            if before <= moment <= after:
                return used + (more - used) * (moment - before) / max(after - before, 1e-9)
        return self.samples[-1][1]


class Project:
    """A Braid project in the scratch folder, shared by the benchmarks that name it."""

    def __init__(self, name, engine=""):
        """engine: YAML, such as {memory_limit: 500MB}."""
        self.folder = SCRATCH / name
        self.is_new = not self.folder.exists()
        self.folder.mkdir(exist_ok=True)
        (self.folder / "braid.yaml").write_text(f"name: {name}\n" + (f"engine: {engine}\n" if engine else ""))
        self.last = None  # the last process

    def command(self, *arguments):
        return [BRAID, "-C", str(self.folder), *arguments]

    def run(self, *arguments):
        """Standard output; what Braid says besides is shown only when it fails."""
        self.last = Watched(self.command(*arguments))
        if self.last.returncode != 0:
            sys.exit(f"braid {arguments[0]} exited with {self.last.returncode}\n{self.last.stderr[-2000:]}")
        return self.last.stdout

    def sql(self, *statements):
        """One result, a list of rows, for each statement that has columns."""
        script = self.folder / "script"
        script.write_text(";\n".join(statements) + ";\n")
        output = self.run("--format", "json", "sql", "-f", str(script))
        return [json.loads(line) for line in output.splitlines()]

    def parquet(self, table):
        """The files of a lake table, as a pattern; self.last.peak_bytes is the most memory of the last run."""
        return str(self.folder / ".braid/data" / table.replace(".", "/") / "**/*.parquet")

    def costs(self, statements):
        """Runs them in one process; gives the cost of each, and the results of those that have columns.

        Each stands between two others that tell when they began, so the process's start does not count."""
        results = self.sql(*[part for statement in statements for part in (MARK, statement)], MARK)
        marks = [result[0]["bench_mark"] for result in results if result and "bench_mark" in result[0]]
        others = [result for result in results if not (result and "bench_mark" in result[0])]
        moments = [mark / 1e6 for mark in marks]
        used = [self.last.cpu_seconds_at(moment) for moment in moments]
        return [Cost(after - before, more - less) for before, after, less, more in
                zip(moments, moments[1:], used, used[1:])], others

    def times(self, statements):
        """As costs, of the seconds alone."""
        costs, results = self.costs(statements)
        return [cost.seconds for cost in costs], results


def seconds(action):
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


def cost(action):
    """Of something done in this process, by all its threads."""
    begin, used = time.perf_counter(), time.process_time()
    action()
    return Cost(time.perf_counter() - begin, time.process_time() - used)


def rounds(*actions):
    """As alternate, of actions that give a cost, or several; gives what each gave, without the first round."""
    given = [[] for _ in actions]
    for repetition in range(REPETITIONS + 1):
        for action, costs in zip(actions, given):
            one = action()
            if repetition > 0:
                costs.append(one)
    return given


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
    note = f"   {SCALE.upper()}: no figures to quote" if SCALE != "full" else ""
    print(f"\n{title}\n  {len(os.sched_getaffinity(0))} CPUs, load average {load}{note}", flush=True)


def spread(times):
    return f"{statistics.median(times):9.4f} s  ({min(times):.4f} to {max(times):.4f})"


def median(costs):
    """Of the seconds."""
    return statistics.median(cost.seconds for cost in costs)


def report(name, costs):
    used = statistics.median(cost.cpu_seconds for cost in costs)
    line(name, f"{spread([cost.seconds for cost in costs])}  CPU {used:9.4f} s")


def memory(name, peaks):
    line(name, f"{statistics.median(peaks) / 2**20:9.0f} MiB  ({min(peaks) / 2**20:.0f} to {max(peaks) / 2**20:.0f})")


def line(name, text):
    print(f"  {name:44} {text}", flush=True)


def against(name, ratio, sign, goal):
    met = ratio <= goal if sign == "<=" else ratio >= goal
    line(name, f"{ratio:9.2f} x  goal {sign} {goal} x: {'met' if met else 'MISSED'}")


def within(name, took, goal):
    line(name, f"{took:9.4f} s  goal < {goal} s: {'met' if took < goal else 'MISSED'}")
