#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills `braid run` again and again while files arrive, and compares what comes of it with a run that nobody disturbed.

    run_kill_test.py BRAID [KILLS [SEED]]

Whenever a run dies, the next one ends as if nothing had happened: each row of each file once in every table,
expectations counted once, captured rows once, no file in the lake that no snapshot names. A signal that asks a run to
end leaves nothing.
"""
import pathlib
import random
import signal
import sys
import tempfile
import time

from checks import check
from project import Ledger, Project

# What a run writes before it commits takes about this long; the kills around the commit fall into it.
COMMIT_SECONDS = 0.25
FAILED, INTERRUPTED = 1, 130
SAME = {
    "bronze.sales": "SELECT * FROM bronze.sales",
    "bronze.notes": "SELECT * FROM bronze.notes",
    "silver.sales": "SELECT * FROM silver.sales",
    "quarantine": "SELECT * EXCLUDE (_run_id, _at) FROM silver.sales__quarantine",
    "gold.by_shop": "SELECT * FROM gold.by_shop",
    "gold.guessed": "SELECT shop, round(amount, 6) AS amount FROM gold.guessed",
    "files": "SELECT node, parse_filename(path) AS name, size FROM braid.stream_file",
    "lineage": "SELECT * FROM braid.lineage",
}


def kill_after_line(process, random_numbers):
    """Kills within the commit, or soon after some node's line. The lines end by themselves if the run was faster."""
    last = random_numbers.random() < 0.5
    lines = 0 if last else random_numbers.randrange(1, 8)
    for line in process.stderr:
        lines -= 1
        if (last and line.startswith("silver.outcomes")) or (not last and lines <= 0):
            break
    time.sleep(random_numbers.uniform(0, COMMIT_SECONDS if last else 0.03))


def kill_one(project, ledger, random_numbers, usual_seconds):
    """Whether the kill came in time. Some files arrive while the run is at work."""
    process = project.start_run()
    if random_numbers.random() < 0.3:
        project.arrive(ledger.next_files())
    if random_numbers.random() < 0.4:
        time.sleep(random_numbers.uniform(0, usual_seconds))
    else:
        kill_after_line(process, random_numbers)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return process.returncode == -signal.SIGKILL


def run_undisturbed(project, first):
    begin = time.monotonic()
    project.run()
    seconds = time.monotonic() - begin
    # What a service captures can be streamed from the run after the one that declared it.
    if first:
        project.run()
    return seconds


def fail(problems, when):
    if problems:
        sys.exit(f"{when}:\n  " + "\n  ".join(problems))


def kill_rounds(project, ledger, kills, random_numbers):
    """Several kills, then a run that is left alone; again and again."""
    done, in_time, rounds, seconds = 0, 0, 0, 1.0
    while done < kills:
        for _ in range(min(kills - done, random_numbers.randrange(1, 4))):
            if random_numbers.random() < 0.7 or not ledger.sales:
                project.arrive(ledger.next_files())
            in_time += kill_one(project, ledger, random_numbers, seconds)
            done += 1
        seconds = run_undisturbed(project, rounds == 0)
        fail(check(project, ledger), f"after {done} kills")
        if rounds % 3 == 0:
            project.ask(ledger, 3)
        rounds += 1
    project.run()
    fail(check(project, ledger), "at the end")
    return in_time


def kill_holder(project, ledger, random_numbers):
    """The run works within a server that holds the lake; it is the server that dies."""
    project.arrive(ledger.next_files())
    server, _ = project.serve()
    process = project.start_run()
    process.stderr.readline()
    time.sleep(random_numbers.uniform(0, COMMIT_SECONDS))
    server.send_signal(signal.SIGKILL)
    server.communicate()
    said = process.communicate()[1]
    if process.returncode not in (0, FAILED):
        sys.exit(f"a run whose holder died ended with {process.returncode}:\n{said}")
    before = project.sql("SELECT count(*) AS runs FROM braid.run WHERE status = 'succeeded'")
    run_undisturbed(project, False)
    after = project.sql("SELECT count(*) AS runs FROM braid.run WHERE status = 'succeeded'")
    if process.returncode == 0 and before != after:
        sys.exit(f"a run said that it was done, and had not committed:\n{said}")
    fail(check(project, ledger), "after the holder of the lake died")


def interrupt_one(project, ledger, number):
    """Whether the signal came in time; then nothing of the run may be there."""
    project.arrive(ledger.next_files())
    before = project.sql("FROM lake.current_snapshot()")[0]
    process = project.start_run()
    process.stderr.readline()
    process.send_signal(number)
    said = process.communicate()[1]
    name = signal.Signals(number).name
    if process.returncode not in (0, INTERRUPTED):
        sys.exit(f"{name} ended a run with {process.returncode}:\n{said}")
    orphans = project.data_files() - project.known_files()
    if orphans:
        sys.exit(f"{name} left files that no snapshot names: {orphans}")
    interrupted = process.returncode == INTERRUPTED
    after, last = project.sql("FROM lake.current_snapshot()",
                              "SELECT status FROM braid.run ORDER BY started_at DESC LIMIT 1")
    if (after == before) != interrupted or last[0]["status"] != ("interrupted" if interrupted else "succeeded"):
        sys.exit(f"{name}: exit code {process.returncode}, snapshot {before} before and {after} after, run {last}")
    run_undisturbed(project, False)
    fail(check(project, ledger), f"after {name}")
    return interrupted


def interrupt(project, ledger, number):
    """A run may end before a signal reaches it; of ten at least one does not."""
    if not any(interrupt_one(project, ledger, number) for _ in range(10)):
        sys.exit(f"{signal.Signals(number).name} never came in time")


def compare_with_undisturbed(braid, folder, disturbed, ledger):
    """Another project to which the same files arrive in three parts."""
    calm = Project(braid, folder)
    third = -(-len(ledger.sales) // 3)
    for begin in range(0, len(ledger.sales), third):
        for files in zip(ledger.sales[begin:begin + third], ledger.notes[begin:begin + third]):
            calm.arrive(files)
        calm.run()
    queries = [f"FROM ({query}) ORDER BY ALL" for query in SAME.values()]
    for name, expected, found in zip(SAME, calm.sql(*queries), disturbed.sql(*queries)):
        if expected != found:
            one = next((pair for pair in zip(expected, found) if pair[0] != pair[1]), "")
            sys.exit(f"{name} differs: {len(expected)} rows without kills, {len(found)} with them {one}")


def main():
    braid = sys.argv[1]
    kills = int(sys.argv[2]) if len(sys.argv) > 2 else 25
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.SystemRandom().randrange(1_000_000)
    print(f"seed {seed}", flush=True)
    random_numbers = random.Random(seed)
    ledger = Ledger(random.Random(seed))
    with tempfile.TemporaryDirectory() as folder:
        project = Project(braid, pathlib.Path(folder) / "killed")
        in_time = kill_rounds(project, ledger, kills, random_numbers)
        if in_time * 2 < kills:
            sys.exit(f"only {in_time} of {kills} kills came before the run had ended")
        for _ in range(max(1, kills // 8)):
            kill_holder(project, ledger, random_numbers)
        for number in (signal.SIGINT, signal.SIGTERM):
            interrupt(project, ledger, number)
        compare_with_undisturbed(braid, pathlib.Path(folder) / "calm", project, ledger)
        succeeded = project.sql("SELECT run_id FROM braid.run WHERE status = 'succeeded'")[0]
        committed = {row["run_id"] for row in succeeded}
        died = project.died()
        print(f"{in_time} of {kills} kills in time, {len(died & committed)} just after the commit; "
              f"{len(ledger.sales)} files, {ledger.rows['sales']} rows; "
              f"{len(committed)} runs succeeded, {len(died)} died")


if __name__ == "__main__":
    main()
