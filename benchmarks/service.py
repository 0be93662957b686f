# SPDX-License-Identifier: Apache-2.0
"""Requests per second of services, captured durably or not, against FastAPI with onnxruntime."""
import contextlib
import json
import os
import pathlib
import random
import signal
import statistics
import subprocess
import sys

import http_load
import measure
import wide_table

ACCOUNTS = 25_000
FEATURES = [f"c{number}" for number in range(1, 7)]
LOAD_SECONDS = 0.3 if measure.SMALL else 4
ROUNDS = 1 if measure.SMALL else 3
OUTPUTS = "predicted_late AS late, list_filter(predicted_late_probs, lambda p: p.label)[1].prob AS probability"


def values(names, first):
    return ", ".join(f"{wide_table.uniform(first + i)} AS {name}" for i, name in enumerate(names))


def services():
    """Each of both queries captured and not captured."""
    plain = ("(" + ", ".join(f"{name} DOUBLE" for name in FEATURES) + ")", "TABLE request")
    keyed = ("(id BIGINT, c1 DOUBLE, c2 DOUBLE, c3 DOUBLE)",
             "(SELECT r.c1, r.c2, r.c3, a.c4, a.c5, a.c6 FROM request AS r LEFT JOIN gold.accounts AS a USING (id))")
    for name, (parameters, rows) in {"plain": plain, "keyed": keyed}.items():
        for suffix, options in {"": "", "_uncaptured": "OPTIONS (capture = 'off') "}.items():
            yield (f"CREATE SERVICE {name}{suffix} {parameters} {options}AS "
                   f"SELECT {OUTPUTS} FROM ML.PREDICT(MODEL risk, {rows})")


def make_project():
    project = measure.Project("service")
    project.sql(
        f"CREATE TABLE gold.seen AS SELECT {values(FEATURES, 1)}, "
        f"c1 - c2 + 2 * c3 - c4 + c5 * c6 + 2 * {wide_table.uniform(63)} > 2 AS late FROM range(20000)",
        f"CREATE TABLE gold.accounts AS SELECT range AS id, {values(FEATURES[3:], 11)} FROM range({ACCOUNTS})",
        "CREATE MODEL risk OPTIONS (model_type = 'logistic_reg', input_label_cols = ['late'], "
        "data_split_method = 'no_split') AS SELECT * FROM gold.seen",
        "EXPORT MODEL risk OPTIONS (uri = 'exported')", *services())
    (project.folder / "accounts.csv").write_text(project.run("--format", "csv", "sql", "FROM gold.accounts"))
    return project


@contextlib.contextmanager
def serving(name, command):
    """The port of a server that says where it listens, in a process group of its own."""
    with open(measure.SCRATCH / f"{name}.log", "w") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True)
        try:
            said = process.stdout.readline()
            if not said.startswith("listening on "):
                sys.exit(f"{name} did not start: {said}{pathlib.Path(log.name).read_text()}")
            yield int(said.rsplit(":", 1)[1])
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()
            process.stdout.close()


def bodies(name):
    drawn = random.Random(1)
    names = FEATURES if name == "plain" else FEATURES[:3]
    for _ in range(256):
        row = {each: round(drawn.random(), 6) for each in names}
        if name == "keyed":
            row["id"] = drawn.randrange(ACCOUNTS)
        yield json.dumps(row)


class Target:
    """A service of one server: what to ask it, what it answered at first, and what it then did under load."""

    def __init__(self, label, port, service, name):
        self.label, self.port = label, port
        self.exchanges, self.answers, self.outcomes = [], [], []
        self.asked = 0
        for body in bodies(name):
            message = http_load.request(f"/v1/services/{service}", body)
            answer = http_load.ask(port, message)
            self.answers.append(json.loads(answer)["rows"][0])
            self.exchanges.append((message, answer[answer.index(b'"late"'):]))
            self.asked += 1

    def load(self, connections):
        outcome = http_load.load(self.port, connections, self.exchanges, LOAD_SECONDS)
        self.asked += len(outcome.latencies)
        self.outcomes.append(outcome)

    def report(self, connections, baseline):
        def middle(of):
            return statistics.median(of(outcome) for outcome in self.outcomes)

        rate = middle(http_load.Outcome.per_second)
        text = (f"{rate:9.0f} /s  p50 {middle(lambda o: o.milliseconds(50)):.3f} ms  "
                f"p99 {middle(lambda o: o.milliseconds(99)):.3f} ms  client {middle(lambda o: o.busy):.0%} of a core")
        measure.line(f"{self.label}, {connections} connection{'s' * (connections > 1)}",
                     text + (f"  {rate / baseline:.2f} x peer" if baseline else ""))
        return rate


def sync_milliseconds():
    """What the disk takes to make 4 KiB durable, in place, as a write-ahead log mostly does."""
    times = []
    with open(measure.SCRATCH / "synced", "wb", buffering=0) as file:
        for _ in range(20 if measure.SMALL else 100):
            file.seek(0)
            file.write(bytes(4096))
            times.append(measure.seconds(lambda: os.fdatasync(file.fileno())) * 1e3)
    return times


def compare(name, braid, peer):
    """The peer comes first: its rate is what the others are set against."""
    targets = [Target(f"peer {name}", peer, name, name),
               Target(f"braid {name}, capture off", braid, f"{name}_uncaptured", name),
               Target(f"braid {name}, capture durable", braid, name, name)]
    for target in targets[1:]:
        for ours, theirs in zip(target.answers, targets[0].answers, strict=True):
            measure.agree(f"probability from {target.label}", ours["probability"], theirs["probability"])
            measure.expect(f"label from {target.label}", ours["late"], theirs["late"])
    for connections in (1, 16):
        measure_rates(targets, connections)
    return targets[2].asked


def measure_rates(targets, connections):
    """The targets in turn, after a turn that does not count."""
    for target in targets:
        target.load(connections)
        target.outcomes.clear()
    syncs = []
    for _ in range(ROUNDS):
        for target in targets:
            target.load(connections)
        syncs += sync_milliseconds()
    baseline = targets[0].report(connections, None)
    for target in targets[1:]:
        target.report(connections, baseline)
    measure.line("disk meanwhile: fdatasync of 4 KiB in place",
                 f"p50 {statistics.median(syncs):.3f} ms  p99 {statistics.quantiles(syncs, n=100)[98]:.3f} ms")


def main():
    measure.begin(f"service: logistic_reg of {len(FEATURES)} features, alone and with a lookup among {ACCOUNTS:,} rows")
    project = make_project()
    workers = len(os.sched_getaffinity(0))
    peer = [sys.executable, str(pathlib.Path(__file__).with_name("service_peer.py")),
            str(project.folder / "exported/model.onnx"), str(project.folder / "accounts.csv"), str(workers)]
    with (serving("braid", project.command("serve", "--listen", "127.0.0.1:0")) as braid_port,
          serving("peer", peer) as peer_port):
        acknowledged = {name: compare(name, braid_port, peer_port) for name in ("plain", "keyed")}
    for name, count in acknowledged.items():
        rows, = project.sql(f"SELECT count(*) AS n, count(DISTINCT inference_id) AS ids FROM inference.{name}")
        measure.expect(f"captured rows of {name}", rows, [{"n": count, "ids": count}])


if __name__ == "__main__":
    main()
