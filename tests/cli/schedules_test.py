#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a project by its schedules while it is served: new files, new labels, the clock; a run that fails.

    schedules_test.py BRAID
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

BRAID = sys.argv[1]
PIPELINE = """
CREATE STREAMING TABLE gold.jobs AS SELECT * FROM STREAM read_files('in/*.csv');
CREATE MODEL quote OPTIONS (model_type = 'linear_reg', input_label_cols = ['price'], data_split_method = 'NO_SPLIT')
  RETRAIN WHEN new_labels >= 3 AS SELECT hours, price FROM gold.jobs;
CREATE SERVICE ask (hours DOUBLE) OPTIONS (outcome = 'price DOUBLE') AS
  SELECT predicted_price AS price FROM ML.PREDICT(MODEL quote, TABLE request);
CREATE STREAMING TABLE gold.learned AS SELECT "input".hours AS hours, outcome.price AS price FROM STREAM inference.ask_labelled;
"""


def sql(project, query):
    done = subprocess.run([BRAID, "-C", project, "sql", "--format", "json", query], capture_output=True, text=True, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr


def wait_for(project, query, wanted, seconds=60):
    end = time.monotonic() + seconds
    while True:
        rows = sql(project, query)
        if rows == wanted:
            return
        if time.monotonic() > end:
            sys.exit(f"{query}: {rows} instead of {wanted}")
        time.sleep(0.2)


def post(port, path, body):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", json.dumps(body).encode(),
                                     {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.loads(response.read())


def refused(root, schedules, wanted):
    (root / "braid.yaml").write_text("name: shop\nschedules:\n" + schedules)
    done = subprocess.run([BRAID, "-C", str(root), "plan"], capture_output=True, text=True, check=False)
    if done.returncode != 4 or wanted not in done.stderr or "braid.yaml:" not in done.stderr:
        sys.exit(f"{schedules}: {done.returncode} {done.stderr}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "in").mkdir()
        (root / "pipeline.sql").write_text(PIPELINE)
        (root / "in/1.csv").write_text("hours,price\n1,50\n2,80\n3,110\n")
        refused(root, "  - cron: '61 * * * *'\n", "minute")
        refused(root, "  - on: full_moon\n", "new_labels")
        refused(root, "  - {on: new_data, every: 5}\n", "length of time")
        refused(root, "  - {cron: '@daily', on: new_data}\n", "either cron or on")
        refused(root, "  - {cron: '@daily', selct: a}\n", "did you mean select")
        refused(root, "  - {cron: '0 0 30 2 *'}\n", "never comes")
        (root / "braid.yaml").write_text(
            "name: shop\nschedules:\n  - {on: new_data, every: 1s, select: [gold.jobs+]}\n"
            "  - {on: new_labels, every: 1s, select: gold.learned}\n  - {cron: '* * * * *', select: [gold.learned]}\n")
        subprocess.run([BRAID, "-C", folder, "run"], check=True, capture_output=True)
        server = subprocess.Popen([BRAID, "-C", folder, "serve", "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True)
        said = []
        reader = threading.Thread(target=lambda: said.extend(server.stderr))
        reader.start()
        try:
            port = int(re.search(r":(\d+)$", server.stdout.readline().strip()).group(1))
            answer = post(port, "/v1/services/ask", {"hours": 4})
            assert abs(answer["rows"][0]["price"] - 140) < 1e-6, answer

            # Two labels are not enough for another version, a third one is.
            (root / "in/2.csv").write_text("hours,price\n4,240\n5,250\n")
            wait_for(folder, "SELECT count(*) AS n FROM gold.jobs", [{"n": 5}])
            wait_for(folder, "SELECT max(version) AS v FROM braid.model_version", [{"v": 1}])
            (root / "in/3.csv").write_text("hours,price\n6,360\n")
            wait_for(folder, "SELECT max(version) AS v FROM braid.model_version", [{"v": 2}])
            wait_for(folder, "SELECT outcome, quantities['new_labels'] AS n FROM braid.model_decision WHERE decision = 'retrain' "
                     "ORDER BY \"at\" DESC LIMIT 2", [{"outcome": True, "n": 3.0}, {"outcome": False, "n": 2.0}])
            end = time.monotonic() + 30
            while abs(post(port, "/v1/services/ask", {"hours": 4})["rows"][0]["price"] - 140) < 1:
                assert time.monotonic() < end, "the server still answers with the first version"
                time.sleep(0.1)

            # A label runs what reads it.
            row = post(port, "/v1/services/ask", {"hours": 7})["rows"][0]
            post(port, "/v1/feedback", {"service": "ask", "rows": [{"inference_id": row["inference_id"],
                                                                     "outcome": {"price": 333}}]})
            wait_for(folder, "SELECT hours, price FROM gold.learned", [{"hours": 7.0, "price": 333.0}])

            # A run that fails is told; services go on, and so do the schedules once it is mended.
            (root / "in/4.csv").write_text("hours,price\nmany,much\n")
            end = time.monotonic() + 30
            while not any("many" in line for line in said):
                assert time.monotonic() < end, "no word of the run that failed"
                time.sleep(0.1)
            post(port, "/v1/services/ask", {"hours": 4})
            (root / "in/4.csv").write_text("hours,price\n8,400\n")
            wait_for(folder, "SELECT count(*) AS n FROM gold.jobs", [{"n": 7}])
        finally:
            server.terminate()
            code = server.wait(30)
            reader.join()
        assert code == 0, (code, said)
        assert any(line.startswith("schedule on new_labels: run ") for line in said), said


main()
