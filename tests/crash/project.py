# SPDX-License-Identifier: Apache-2.0
"""A project of three hops with a model and a service, the files that arrive for it, and what must come of them."""
import gzip
import http.client
import json
import pathlib
import signal
import sqlite3
import subprocess

DECLARATIONS = """
CREATE STREAMING TABLE bronze.sales AS SELECT * REPLACE (parse_filename(filename) AS filename)
  FROM STREAM read_files('landing/sales-*.csv.gz', format => 'csv', filename => true);
CREATE STREAMING TABLE bronze.notes AS SELECT * FROM STREAM read_files('landing/notes-*.json', format => 'json');
CREATE STREAMING TABLE silver.sales (
  CONSTRAINT has_amount EXPECT (amount IS NOT NULL) ON VIOLATION DROP ROW,
  CONSTRAINT positive EXPECT (amount IS NULL OR amount > 0) ON VIOLATION QUARANTINE,
  CONSTRAINT usual EXPECT (amount < 900)
) AS SELECT id, shop, x, amount FROM STREAM bronze.sales;
CREATE MATERIALIZED VIEW gold.by_shop AS
  SELECT shop, count(*) AS sales, CAST(sum(amount) AS BIGINT) AS amount FROM silver.sales GROUP BY shop;
CREATE MATERIALIZED VIEW gold.training AS SELECT shop, x, amount FROM silver.sales ORDER BY id;
CREATE MODEL guess OPTIONS (model_type = 'linear_reg', input_label_cols = ['amount'], data_split_method = 'NO_SPLIT',
  threads = 1) AS SELECT * FROM gold.training;
CREATE MATERIALIZED VIEW gold.guessed AS SELECT shop, predicted_amount AS amount
  FROM ML.PREDICT(MODEL guess, (SELECT DISTINCT shop, 10 AS x FROM silver.sales));
CREATE SERVICE twice (x BIGINT) OPTIONS (outcome = 'y BIGINT') AS SELECT x * 2 AS y FROM request;
CREATE STREAMING TABLE silver.outcomes AS
  SELECT client_request_id, outcome.y AS y FROM STREAM inference.twice_labelled;
"""
ROWS = 2000  # of a file


class Ledger:
    """What arrived, what was acknowledged, and so what the lake must hold."""

    def __init__(self, random):
        self.random = random
        self.sales, self.notes = [], []  # files: (name, content)
        self.rows = {"sales": 0, "notes": 0, "dropped": 0, "quarantined": 0, "unusual": 0}
        self.asked, self.observed = set(), set()

    def next_files(self):
        number = len(self.sales)
        lines = ["id,shop,x,amount"]
        for row in range(ROWS):
            amount = self.random.choice([self.random.randint(1, 1000)] * 8 + ["", -5])
            self.rows["dropped"] += amount == ""
            self.rows["quarantined"] += amount == -5
            self.rows["unusual"] += amount == "" or amount >= 900
            lines.append(f"{number}-{row},s{row % 7},{row % 100},{amount}")
        self.sales.append((f"sales-{number:04}.csv.gz", gzip.compress("\n".join(lines).encode(), 1)))
        notes = [json.dumps({"id": f"{number}-{row}", "text": "it's \"so\""}) for row in range(20)]
        self.notes.append((f"notes-{number:04}.json", "\n".join(notes).encode()))
        self.rows["sales"] += ROWS
        self.rows["notes"] += len(notes)
        return [self.sales[-1], self.notes[-1]]


class Project:
    def __init__(self, braid, folder):
        self.braid, self.folder = braid, pathlib.Path(folder)
        (self.folder / "landing").mkdir(parents=True)
        (self.folder / "braid.yaml").write_text("name: crash\n")
        (self.folder / "all.sql").write_text(DECLARATIONS)
        self.home = self.folder / ".braid"

    def arrive(self, files):
        """As a careful vendor delivers: a file has its name once it is whole."""
        for name, content in files:
            unfinished = self.folder / "unfinished"
            unfinished.write_bytes(content)
            unfinished.rename(self.folder / "landing" / name)

    def start_run(self):
        return subprocess.Popen([self.braid, "-C", str(self.folder), "run"], stderr=subprocess.PIPE, text=True)

    def run(self):
        process = self.start_run()
        said = process.communicate()[1]
        if process.returncode != 0:
            raise SystemExit(f"braid run ended with {process.returncode}:\n{said}")
        return said

    def sql(self, *queries):
        """The rows of each query, as objects."""
        answer = subprocess.run([self.braid, "-C", str(self.folder), "--format", "json", "sql", "; ".join(queries)],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if answer.returncode != 0:
            raise SystemExit(f"braid sql ended with {answer.returncode}:\n{answer.stderr}")
        return [json.loads(line) for line in answer.stdout.splitlines()]

    def data_files(self):
        return {path.name for path in (self.home / "data").rglob("*.parquet")}

    def known_files(self):
        """The Parquet files that the catalogue names, of all snapshots."""
        paths = rows_of(self.home / "catalog.sqlite", """SELECT path FROM ducklake_data_file
          UNION ALL SELECT path FROM ducklake_delete_file
          UNION ALL SELECT path FROM ducklake_files_scheduled_for_deletion""")
        return {pathlib.Path(path).name for (path,) in paths}

    def died(self):
        """The runs that the journal lost sight of, whether they had committed or not."""
        lost = "SELECT run_id FROM run WHERE status = 'interrupted'"
        return {run for (run,) in rows_of(self.home / "journal.sqlite", lost)}

    def artefacts(self):
        return {path.name for path in (self.home / "models").iterdir()}

    def serve(self):
        """The server, once it listens, and where."""
        server = subprocess.Popen([self.braid, "-C", str(self.folder), "serve", "--listen", "127.0.0.1:0"],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        return server, server.stdout.readline().rsplit("/", 1)[-1].strip()

    def ask(self, ledger, requests):
        """Asks the service, reports outcomes, and kills the server, so that all of it waits in the capture log."""
        server, address = self.serve()
        try:
            connection = http.client.HTTPConnection(address, timeout=20)
            for _ in range(requests):
                name = f"r{len(ledger.asked)}"
                post(connection, "/v1/services/twice", {"x": len(ledger.asked)}, {"X-Request-Id": name})
                ledger.asked.add(name)
                post(connection, "/v1/feedback", {"service": "twice", "rows": [
                    {"client_request_id": name, "outcome": {"y": len(ledger.asked)}}]}, {})
                ledger.observed.add(name)
        finally:
            server.send_signal(signal.SIGKILL)
            server.communicate()


def rows_of(file, query):
    database = sqlite3.connect(file)
    try:
        return database.execute(query).fetchall()
    finally:
        database.close()


def post(connection, path, body, headers):
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json", **headers})
    response = connection.getresponse()
    answer = response.read().decode()
    if response.status != 200 or "error" in answer:
        raise SystemExit(f"{path} answered {response.status}: {answer}")
