#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills a serving braid again and again under load, and balances the client's ledger with what was captured.

    kill_test.py BRAID [KILLS]

Every acknowledged request must be a row of inference.<service> exactly once; a row that nobody sent must not be there.
"""
import csv
import http.client
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

BRAID = sys.argv[1]
KILLS = int(sys.argv[2]) if len(sys.argv) > 2 else 30


class Ledger:
    """What was sent, and what of it was acknowledged."""

    def __init__(self):
        self.lock = threading.Lock()
        self.sent, self.acknowledged = set(), set()
        self.number = 0

    def next(self):
        with self.lock:
            self.number += 1
            self.sent.add(f"r{self.number}")
            return self.number


def serve(project):
    process = subprocess.Popen([BRAID, "-C", project, "serve", "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    line = process.stdout.readline()
    if not line.startswith("listening on http://"):
        sys.exit(f"the server did not start: {line}{process.stderr.read()}")
    return process, int(line.rsplit(":", 1)[1])


def load(port, ledger):
    """Sends one request after the other until the server is gone."""
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        while True:
            number = ledger.next()
            connection.request("POST", "/v1/services/double", json.dumps({"x": number}),
                               {"Content-Type": "application/json", "X-Request-Id": f"r{number}"})
            response = connection.getresponse()
            body = json.loads(response.read())
            if response.status == 200 and body["rows"][0].get("y") == 2 * number:
                with ledger.lock:
                    ledger.acknowledged.add(f"r{number}")
    except (OSError, http.client.HTTPException, ValueError):
        return


def captured(project):
    answer = subprocess.run([BRAID, "-C", project, "--format", "csv", "sql",
                             "SELECT client_request_id, input.x AS x, output.y AS y FROM inference.double"],
                            check=True, stdout=subprocess.PIPE, text=True)
    return list(csv.DictReader(answer.stdout.splitlines()))


def main():
    with tempfile.TemporaryDirectory() as folder:
        project = str(folder)
        (pathlib.Path(folder) / "braid.yaml").write_text("name: kills\n")
        (pathlib.Path(folder) / "s.sql").write_text("CREATE SERVICE double (x BIGINT) AS SELECT x * 2 AS y FROM request;\n")
        subprocess.run([BRAID, "-C", project, "run"], check=True, stderr=subprocess.DEVNULL)
        ledger = Ledger()
        for _ in range(KILLS):
            process, port = serve(project)
            threads = [threading.Thread(target=load, args=(port, ledger)) for _ in range(4)]
            for thread in threads:
                thread.start()
            time.sleep(random.uniform(0.02, 0.4))
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            for thread in threads:
                thread.join()
        rows = captured(project)
        ids = [row["client_request_id"] for row in rows]
        problems = []
        if len(ids) != len(set(ids)):
            problems.append(f"{len(ids) - len(set(ids))} rows stand twice")
        if ledger.acknowledged - set(ids):
            problems.append(f"{len(ledger.acknowledged - set(ids))} acknowledged requests are lost")
        if set(ids) - ledger.sent:
            problems.append(f"{len(set(ids) - ledger.sent)} rows were never sent")
        if any(row["client_request_id"] != "r" + row["x"] or int(row["y"]) != 2 * int(row["x"]) for row in rows):
            problems.append("a row holds another request's values")
        if not ledger.acknowledged:
            problems.append("nothing was acknowledged")
        print(f"{KILLS} kills: {len(ledger.sent)} sent, {len(ledger.acknowledged)} acknowledged, {len(rows)} captured")
        sys.exit("; ".join(problems) or 0)


if __name__ == "__main__":
    main()
