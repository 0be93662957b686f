# SPDX-License-Identifier: Apache-2.0
"""What must hold of a project after a run that ended well, whatever became of the runs before it."""

SUCCEEDED = "(SELECT run_id FROM braid.run WHERE status = 'succeeded')"
COUNTS = """SELECT
  (SELECT count(*) FROM bronze.sales) AS sales, (SELECT count(DISTINCT id) FROM bronze.sales) AS different_sales,
  (SELECT count(*) FROM bronze.notes) AS notes, (SELECT count(DISTINCT id) FROM bronze.notes) AS different_notes,
  (SELECT count(*) FROM silver.sales) AS silver, (SELECT count(DISTINCT id) FROM silver.sales) AS different_silver,
  (SELECT count(*) FROM silver.sales__quarantine) AS quarantined,
  (SELECT count(DISTINCT id) FROM silver.sales__quarantine) AS different_quarantined,
  (SELECT CAST(sum(sales) AS BIGINT) FROM gold.by_shop) AS gold"""
RULES = f"""SELECT name, CAST(sum(passed) AS BIGINT) AS passed, CAST(sum(failed) AS BIGINT) AS failed
  FROM braid.expectation_result WHERE run_id IN {SUCCEEDED} GROUP BY name ORDER BY name"""
FILES = """SELECT node, count(*) AS files, count(DISTINCT path) AS different
  FROM braid.stream_file GROUP BY node ORDER BY node"""
RUNS = """SELECT r.run_id, r.status, r.snapshot_id, s.snapshot_id AS committed FROM braid.run AS r
  LEFT JOIN lake.snapshots() AS s ON s.commit_extra_info ->> '$.run_id' = r.run_id"""
APPENDED = f"""SELECT node, CAST(sum(rows) AS BIGINT) AS rows FROM braid.run_node
  WHERE action = 'appended' AND run_id IN {SUCCEEDED} GROUP BY node"""
VERSIONS = "SELECT version, run_id, artefact_sha256 FROM braid.model_version ORDER BY version"
ALIASES = "SELECT version, run_id FROM braid.alias_event WHERE alias = 'champion' ORDER BY version"
TRAINED = f"SELECT run_id FROM braid.run_node WHERE action = 'trained' AND run_id IN {SUCCEEDED}"
CAPTURED = "SELECT client_request_id AS id, input.x AS x, output.y AS y FROM inference.twice"
OUTCOMES = "SELECT client_request_id AS id FROM silver.outcomes"


def expected_counts(rows):
    silver = rows["sales"] - rows["dropped"] - rows["quarantined"]
    return {"sales": rows["sales"], "different_sales": rows["sales"], "notes": rows["notes"],
            "different_notes": rows["notes"], "silver": silver, "different_silver": silver,
            "quarantined": rows["quarantined"], "different_quarantined": rows["quarantined"], "gold": silver}


def expected_rules(rows):
    broken = {"has_amount": rows["dropped"], "positive": rows["quarantined"], "usual": rows["unusual"]}
    return [{"name": name, "passed": rows["sales"] - failed, "failed": failed}
            for name, failed in sorted(broken.items())]


class Problems(list):
    def compare(self, what, expected, found):
        if expected != found:
            self.append(f"{what}: expected {expected}, found {found}")

    def none(self, what, found):
        if found:
            self.append(f"{len(found)} {what}, such as {sorted(found)[0]}")


def check_runs(problems, runs, appended, rows):
    """The journal tells of each run what the lake says too."""
    for run in runs:
        ended = run["status"] == "succeeded"
        if run["status"] not in ("succeeded", "interrupted"):
            problems.append(f"a run is said to be {run['status']}")
        if run["snapshot_id"] != run["committed"] or (run["committed"] is not None and not ended):
            problems.append(f"the journal tells another story than the lake: {run}")
    problems.compare("runs", len(runs), len({run["run_id"] for run in runs}))
    told = {row["node"]: row["rows"] for row in appended}
    problems.compare("sales of all runs", rows["sales"], told.get("bronze.sales"))
    problems.compare("notes of all runs", rows["notes"], told.get("bronze.notes"))


def check_models(problems, versions, aliases, trained, artefacts):
    problems.compare("versions", list(range(1, len(versions) + 1)), [row["version"] for row in versions])
    problems.compare("champions", [(row["version"], row["run_id"]) for row in versions],
                     [(row["version"], row["run_id"]) for row in aliases])
    problems.compare("runs that trained", sorted(row["run_id"] for row in trained),
                     sorted(row["run_id"] for row in versions))
    problems.none("artefacts are missing", {row["artefact_sha256"] for row in versions} - artefacts)


def check(project, ledger):
    """All that is wrong."""
    problems = Problems()
    counts, rules, files, runs, appended, versions, aliases, trained, captured, outcomes = project.sql(
        COUNTS, RULES, FILES, RUNS, APPENDED, VERSIONS, ALIASES, TRAINED, CAPTURED, OUTCOMES)
    problems.compare("rows", expected_counts(ledger.rows), counts[0])
    problems.compare("expectations", expected_rules(ledger.rows), rules)
    number = len(ledger.sales)
    problems.compare("files read", [{"node": node, "files": number, "different": number}
                                    for node in ("bronze.notes", "bronze.sales")], files)
    check_runs(problems, runs, appended, ledger.rows)
    check_models(problems, versions, aliases, trained, project.artefacts())
    problems.compare("captured", sorted(ledger.asked), sorted(row["id"] for row in captured))
    problems.none("captured rows hold another request's values",
                  {row["id"] for row in captured if row["id"] != f"r{row['x']}" or row["y"] != 2 * row["x"]})
    problems.compare("outcomes", sorted(ledger.observed), sorted(row["id"] for row in outcomes))
    problems.none("files that no snapshot names", project.data_files() - project.known_files())
    problems.none("files of snapshots are missing", project.known_files() - project.data_files())
    return problems
