#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Files of models: those of versions that are gone are removed, those that something refers to never, wherever the process is killed.

    retention_test.py BRAID
"""
import random
import signal
import time

import program

TRAIN = "CREATE OR REPLACE MODEL line OPTIONS (model_type = 'linear_reg', input_label_cols = ['y'], threads = 1) AS SELECT range AS x, range * {} AS y FROM range(100);"


class RetentionTest(program.ProgramTest):
    def setUp(self):
        super().setUp()
        self.shop = self.project()

    def sql(self, text):
        return self.shop.done("sql", text)

    def files(self):
        return {path.name for path in (self.shop.folder / ".braid" / "models").glob("*")}

    def kept(self):
        return {row["artefact_sha256"] for row in self.shop.rows("SELECT artefact_sha256 FROM braid.model_version")}

    def test_files_go_with_their_versions(self):
        self.sql("".join(TRAIN.format(factor) for factor in (1, 2, 3, 4)))
        self.assertEqual(len(self.files()), 4)
        self.sql("DROP MODEL line@2")
        self.assertEqual(self.files(), self.kept())
        self.sql("ALTER MODEL line SET OPTIONS (keep_versions = 1)")
        self.assertEqual(self.files(), self.kept())
        self.assertEqual(len(self.files()), 1)
        self.sql(TRAIN.format(4))  # version 4 goes, version 5 has the same content
        self.assertEqual(self.files(), self.kept())
        self.sql("DROP MODEL line")
        self.assertEqual(self.files(), set())

    def test_equal_versions_share_a_file(self):
        self.sql(TRAIN.format(1) * 3)
        self.assertEqual(len(self.files()), 1)
        self.sql("DROP MODEL line@1; SELECT * FROM ML.PREDICT(MODEL line@2, (SELECT 1 AS x))")
        self.assertEqual(self.files(), self.kept())

    def test_a_view_keeps_the_file_of_a_model_that_is_dropped(self):
        self.sql(TRAIN.format(3) + "CREATE VIEW gold.seen AS SELECT predicted_y FROM ML.PREDICT(MODEL line, (SELECT 2 AS x)); DROP MODEL line;")
        self.assertEqual(len(self.files()), 1)
        self.assertAlmostEqual(self.shop.rows("FROM gold.seen")[0]["predicted_y"], 6, places=6)
        self.sql("DROP VIEW gold.seen")
        self.sql("SELECT 1")  # opening looks
        self.assertEqual(self.files(), set())

    def test_what_a_killed_training_left_goes(self):
        self.sql(TRAIN.format(1))
        for number, name in enumerate(("model.json", "model.json.part", None)):
            left = self.shop.folder / ".braid" / "models" / (str(number) * 64)
            left.mkdir()
            if name:
                (left / name).write_text("{}")
        self.sql("SELECT 1")
        self.assertEqual(self.files(), self.kept())

    def test_a_running_server_removes_them(self):
        self.shop.write("all.sql", TRAIN.format(1).replace("OR REPLACE ", "") +
                        "CREATE SERVICE guess (x BIGINT) AS SELECT predicted_y FROM ML.PREDICT(MODEL line, TABLE request);")
        self.shop.done("run")
        with self.shop.serving() as served:
            for factor in (2, 3):
                self.shop.write("all.sql", self.shop.folder.joinpath("all.sql").read_text().replace(f"range * {factor - 1}", f"range * {factor}"))
                self.shop.done("run")
            self.sql("ALTER MODEL line SET OPTIONS (keep_versions = 1)")
            self.assertEqual(self.files(), self.kept())
            self.assertEqual(len(self.files()), 1)
            self.assertAlmostEqual(served.ask("POST", "/v1/services/guess", {"x": 2})[2]["rows"][0]["predicted_y"], 6, places=6)

    def test_kills(self):
        chance = random.Random(20261128)
        self.sql(TRAIN.format(1) + "ALTER MODEL line SET OPTIONS (keep_versions = 2);")
        factor = 1
        for kill in range(8):
            script = "".join(TRAIN.format(factor := factor + 1) for _ in range(200))
            working = self.shop.start("sql", script, stdout=program.subprocess.DEVNULL, stderr=program.subprocess.DEVNULL)
            time.sleep(0.4 + chance.random())
            working.send_signal(signal.SIGKILL)
            self.assertEqual(working.wait(program.SECONDS), -signal.SIGKILL)
            with self.subTest(kill=kill):
                versions = self.shop.rows("SELECT version, artefact_sha256 FROM braid.model_version ORDER BY version")
                self.assertLessEqual(len(versions), 2)
                self.assertEqual(self.files(), {row["artefact_sha256"] for row in versions})
                for row in versions:  # each can be read
                    self.shop.rows(f"SELECT predicted_y FROM ML.PREDICT(MODEL line@{row['version']}, (SELECT 1 AS x))")


if __name__ == "__main__":
    program.main()
