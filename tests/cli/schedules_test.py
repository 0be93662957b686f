#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a project by its schedules while it is served: new files, new labels, the clock; a run that fails.

    schedules_test.py BRAID
"""
import program

PIPELINE = """
CREATE STREAMING TABLE gold.jobs AS SELECT * FROM STREAM read_files('in/*.csv');
CREATE MODEL quote OPTIONS (model_type = 'linear_reg', input_label_cols = ['price'], data_split_method = 'NO_SPLIT')
  RETRAIN WHEN new_labels >= 3 AS SELECT hours, price FROM gold.jobs;
CREATE SERVICE ask (hours DOUBLE) OPTIONS (outcome = 'price DOUBLE') AS
  SELECT predicted_price AS price FROM ML.PREDICT(MODEL quote, TABLE request);
CREATE STREAMING TABLE gold.learned AS SELECT "input".hours AS hours, outcome.price AS price FROM STREAM inference.ask_labelled;
"""
SCHEDULES = """name: shop
schedules:
  - {on: new_data, every: 1s, select: [gold.jobs+]}
  - {on: new_labels, every: 1s, select: gold.learned}
  - {cron: '* * * * *', select: [gold.learned]}
"""


class ScheduleTest(program.ProgramTest):
    def setUp(self):
        super().setUp()
        self.shop = self.project()
        self.shop.write("pipeline.sql", PIPELINE)
        self.shop.write("in/1.csv", "hours,price\n1,50\n2,80\n3,110\n")

    def wait_for(self, query, wanted):
        """Until the query gives these rows; a table may still be to come."""
        def answered():
            answer = self.shop.run("--format", "json", "sql", query)
            return answer.returncode == 0 and program.json.loads(answer.stdout) == wanted
        program.wait_until(answered, f"{query}: {wanted}")

    def price(self, server, hours=4):
        status, _, body = server.ask("POST", "/v1/services/ask", {"hours": hours})
        self.assertEqual(status, 200, body)
        return body["rows"][0]

    def test_what_is_no_schedule_is_refused(self):
        for schedules, wanted in ((" - cron: '61 * * * *'", "minute"),
                                  (" - on: full_moon", "new_labels"),
                                  (" - {on: new_data, every: 5}", "length of time"),
                                  (" - {cron: '@daily', on: new_data}", "either cron or on"),
                                  (" - {cron: '@daily', selct: a}", "did you mean select"),
                                  (" - {cron: '0 0 30 2 *'}", "never comes")):
            with self.subTest(schedules=schedules):
                self.shop.write("braid.yaml", f"name: shop\nschedules:\n{schedules}\n")
                answer = self.shop.run("plan")
                self.assert_failed(answer, 4, "CONFIG_INVALID")
                self.assertIn(wanted, answer.stderr)
                self.assertIn("braid.yaml:", answer.stderr)

    def test_runs_by_files_labels_and_the_clock(self):
        self.shop.write("braid.yaml", SCHEDULES)
        self.shop.done("run")
        server = program.Server(self.shop)
        self.addCleanup(server.stop)
        self.assertAlmostEqual(self.price(server)["price"], 140, places=6)

        # Two labels are not enough for another version, a third one is.
        self.shop.write("in/2.csv", "hours,price\n4,240\n5,250\n")
        self.wait_for("SELECT count(*) AS n FROM gold.jobs", [{"n": 5}])
        self.wait_for("SELECT max(version) AS v FROM braid.model_version", [{"v": 1}])
        self.shop.write("in/3.csv", "hours,price\n6,360\n")
        self.wait_for("SELECT max(version) AS v FROM braid.model_version", [{"v": 2}])
        self.wait_for("SELECT outcome, quantities['new_labels'] AS n FROM braid.model_decision WHERE decision = 'retrain' "
                      "ORDER BY \"at\" DESC LIMIT 2", [{"outcome": True, "n": 3.0}, {"outcome": False, "n": 2.0}])
        program.wait_until(lambda: abs(self.price(server)["price"] - 140) >= 1, "the second version answers")

        # A label runs what reads it.
        row = self.price(server, 7)
        server.ask("POST", "/v1/feedback", {"service": "ask", "rows": [{"inference_id": row["inference_id"],
                                                                         "outcome": {"price": 333}}]})
        self.wait_for("SELECT hours, price FROM gold.learned", [{"hours": 7.0, "price": 333.0}])

        # A run that fails leaves everything; services go on, and so do the schedules once it is mended.
        self.shop.write("in/4.csv", "hours,price\nmany,much\n")
        self.wait_for("SELECT count(*) > 0 AS told FROM braid.run WHERE status = 'failed'", [{"told": True}])
        self.price(server)
        self.shop.write("in/4.csv", "hours,price\n8,400\n")
        self.wait_for("SELECT count(*) AS n FROM gold.jobs", [{"n": 7}])
        code, said = server.stop()
        self.assertEqual(code, 0, said)
        self.assertRegex(said, r"(?m)^schedule on new_labels: run ")
        self.assertIn("many", said)


if __name__ == "__main__":
    program.main()
