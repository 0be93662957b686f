#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the churn example as its README says, and compares what comes out with tests/data/churn/reference.json, which pandas,
scikit-learn, XGBoost and others computed from the same orders.

    churn_test.py BRAID
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "cli"))
import program  # noqa: E402
from examples_test import REPOSITORY, Shell, blocks_of  # noqa: E402

EXAMPLE = REPOSITORY / "examples" / "churn"
REFERENCE = json.loads((HERE.parent / "data" / "churn" / "reference.json").read_text(encoding="utf-8"))


class ChurnTest(program.ProgramTest):
    def copied(self):
        folder = self.folder / "churn"
        shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns(".braid", "landing"))
        return folder

    def deliver(self, folder, *months):
        subprocess.run([sys.executable, folder / "data" / "deliver.py", *months], check=True)

    def test_a_late_month_stops_the_run(self):
        folder = self.copied()
        project = program.Project(folder, yaml=None)
        self.deliver(folder, "1997-01", "1997-03")
        self.assert_failed(project.run("run"), 3, "EXPECTATION_FAILED")
        self.deliver(folder, "1997-02")
        project.done("run", "--select", "+gold.customer_quarter", "+gold.by_quarter")
        self.assertEqual(project.rows("SELECT customers, visits FROM gold.by_quarter"), [{"customers": 23570, "visits": 31141}])
        self.assertEqual(project.rows("SELECT count(*) AS n FROM gold.customer_quarter"), [{"n": 23570}])

    def test_example(self):
        folder = self.copied()
        self.run_commands(folder)
        self.project = program.Project(folder, yaml=None)
        for check in (self.check_features, self.check_candidates, self.check_test, self.check_groups, self.check_mailing,
                      self.check_readme):
            with self.subTest(check.__name__):
                check()

    def run_commands(self, folder):
        readme = (folder / "README.md").read_text(encoding="utf-8")
        scratch, = [content for _, content in blocks_of(readme) if "braid plan && braid run" in content]
        shell = Shell(self.folder)
        self.addCleanup(shell.close)
        self.assertEqual(shell.type("cd churn")[0], 0)
        outputs = []
        for line in scratch.splitlines():
            code, output = shell.type(line)
            self.assertEqual(code, 0, f"{line}\n{output}")
            outputs.append(output)
        self.assertRegex(outputs[1], r"(?m)^run \S+ succeeded: 27 nodes, 27 changed, ")
        self.assertIn("│ test     │     23570 │      3317 │", outputs[2])
        self.assertIn("10 rows", outputs[3])

    def near(self, seen, wanted, relative):
        self.assertLessEqual(abs(seen - wanted), relative * max(abs(seen), abs(wanted)), f"{seen} instead of {wanted}")

    def row(self, query):
        row, = self.project.rows(query)
        return row

    def check_features(self):
        for as_of, wanted in REFERENCE["sums"].items():
            names = [name for name in wanted if name != "customers"]
            seen = self.row("SELECT count(*) AS customers, " + ", ".join(f"sum({name})::DOUBLE AS {name}" for name in names)
                            + f" FROM gold.customer_quarter WHERE as_of = DATE '{as_of}'")
            for name, value in wanted.items():
                self.near(seen[name], value, 1e-11)
        seen = self.project.rows("SELECT as_of, count(*) FILTER (came_back) AS came_back FROM gold.labelled GROUP BY as_of")
        self.assertEqual({row["as_of"]: row["came_back"] for row in seen}, REFERENCE["came_back"])

    def check_candidates(self):
        seen = {row["candidate"]: row for row in self.project.rows("FROM gold.comparison")}
        self.assertEqual(set(seen), set(REFERENCE["candidates"]))
        for name, wanted in REFERENCE["candidates"].items():
            tolerance = 1e-6 if name == "comes_back_trees" else 1e-10
            self.near(seen[name]["log_loss"], wanted["log_loss"], tolerance)
            self.near(seen[name]["roc_auc"], wanted["roc_auc"], tolerance)

    def check_test(self):
        seen = {row["used_for"]: row for row in self.project.rows("FROM gold.verdict")}
        for name, wanted in REFERENCE["calibrated"].items():
            for column in ("expected", "log_loss", "roc_auc"):
                self.near(seen[name][column], wanted[column], 1e-8)
        self.near(seen["test"]["expected_uncalibrated"], REFERENCE["uncalibrated_test"]["expected"], 1e-9)
        self.near(seen["test"]["log_loss_uncalibrated"], REFERENCE["uncalibrated_test"]["log_loss"], 1e-9)
        self.near(seen["test"]["roc_auc_plus_minus"], REFERENCE["delong_test"], 1e-9)
        tenths = self.project.rows("FROM gold.calibration WHERE used_for = 'test' ORDER BY decile")
        for row, wanted in zip(tenths, REFERENCE["tenths_test"], strict=True):
            self.near(row["seen"] * row["customers"], wanted["came_back"], 1e-9)
            self.near(row["seen_lower"], wanted["lower"], 1e-4)  # 1.96 here, the quantile there
            self.near(row["seen_upper"], wanted["upper"], 1e-4)

    def check_groups(self):
        self.near(self.row("FROM ML.FACTOR_FIT(MODEL habits)")["kmo"], REFERENCE["kmo"], 1e-9)
        for row in self.project.rows("FROM gold.factors"):
            for factor, wanted in REFERENCE["loadings"].items():
                self.assertAlmostEqual(row[factor], wanted[row["feature"]], delta=1e-3)
        distance = self.row("FROM ML.EVALUATE(MODEL segments)")["mean_squared_distance"]
        self.assertLessEqual(distance, 1.0005 * REFERENCE["mean_squared_distance"], "a worse minimum than scikit-learn's best of 60")
        seen = self.row("SELECT count(*) AS customers, count(DISTINCT segment) AS segments,"
                        " count(*) FILTER (segment = 'one visit only') AS once, count(activity) AS scored FROM gold.customers")
        self.assertEqual(seen["segments"], 5)
        self.assertEqual((seen["customers"], seen["once"] + seen["scored"]), (23570, 23570))

    def check_mailing(self):
        seen = {row["used_for"]: row for row in self.project.rows("FROM gold.mailing_proof")}
        for name, wanted in REFERENCE["mails"].items():
            self.assertEqual((seen[name]["mails"], seen[name]["came_back"]), (wanted["mails"], wanted["came_back"]))
        row = self.row("SELECT any_value(break_even) AS break_even, avg(CAST(assigned = 'control' AS INTEGER)) AS control"
                       " FROM gold.mailing")
        self.near(row["break_even"], REFERENCE["break_even"], 1e-12)
        self.assertAlmostEqual(row["control"], 0.1, delta=0.02)

    def check_readme(self):
        """The README's figures are those of the tables."""
        text = re.sub(r"\s+", " ", (EXAMPLE / "README.md").read_text(encoding="utf-8"))
        said = self.row("""SELECT
          format('({:.3f} ± {:.3f})', v.roc_auc, v.roc_auc_plus_minus) AS area,
          format('{:,} were expected, {:,} came', round(v.expected_uncalibrated)::BIGINT, v.came_back) AS level,
          format('to {:,}, and lowers the log loss from {:.4f} to {:.4f}', round(v.expected)::BIGINT, v.log_loss_uncalibrated,
            v.log_loss) AS calibrated,
          format('{:.0f} % too high', 100 * (v.expected / v.came_back - 1)) AS too_high,
          (SELECT format('{:,} ± {:.0f} dollars in the test', round(profit)::BIGINT, profit_plus_minus)
            FROM gold.mailing_proof WHERE used_for = 'test') AS earned,
          (SELECT format('after {:,} ± {:.0f} on', round(profit)::BIGINT, profit_plus_minus)
            FROM gold.mailing_proof WHERE used_for = 'choosing') AS promised,
          (SELECT format('has {:,} customers and earns {:.0f} dollars', arg_max(mails, profit), max(profit))
            FROM gold.thresholds WHERE moved = 0.1) AS at_ten,
          (SELECT format('at 40 % it has {:,}', arg_max(mails, profit)) FROM gold.thresholds WHERE moved = 0.4) AS at_forty,
          (SELECT format('Its {} customers', count(*)) FROM gold.mailing WHERE assigned = 'control') AS control
          FROM gold.verdict AS v WHERE used_for = 'test'""")
        for what, words in said.items():
            self.assertIn(words, text, what)


if __name__ == "__main__":
    program.main()
