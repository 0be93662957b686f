#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""EXPORT MODEL: ONNX Runtime answers from the exported files as ML.PREDICT does. Runs with tools/python.

    export_onnx_test.py BRAID
"""
import json
import pathlib
import subprocess
import sys

import program

AGREEMENT = pathlib.Path(__file__).resolve().parents[1] / "python" / "onnx_agreement.py"
TRAINING = """CREATE TABLE gold.cases AS
  SELECT range AS n, CASE WHEN range % 7 > 0 THEN (range * 37 % 101) / 10.0 END AS size,
    ['red', 'green, "dark"', 'blue é', '', NULL][range % 5 + 1] AS colour, CASE WHEN range % 11 > 0 THEN range % 2 = 0 END AS flag,
    range * 13 % 29 AS noise
  FROM range(400);
CREATE TABLE gold.training AS
  SELECT size, colour, flag, coalesce(size, 5) * 3 + coalesce(length(colour), 2) - noise / 10.0 AS price,
    coalesce(size, 5) + noise / 4.0 > 8 AS late, CASE WHEN noise < 9 THEN 'low' WHEN coalesce(size, 5) > 6 THEN 'high' ELSE 'mid' END AS class
  FROM gold.cases;
"""
# Rows with all that training did not see: new categories, NULL everywhere, numbers out of range.
ASKED = """SELECT * FROM (VALUES (1.5::DOUBLE, 'red', true), (NULL, NULL, NULL), (1e6, 'never seen', false), (-3.25, '', true),
  (7, 'green, "dark"', NULL), (0, 'blue é', false)) t(size, colour, flag)
  UNION ALL SELECT size, colour, flag FROM gold.training"""


class ExportTest(program.ProgramTest):
    def setUp(self):
        super().setUp()
        self.shop = self.project()
        self.shop.done("sql", TRAINING + f"CREATE TABLE gold.asked AS {ASKED};")

    def train(self, name, kind, label, options=""):
        self.shop.done("sql", f"CREATE MODEL {name} OPTIONS (model_type = '{kind}', input_label_cols = ['{label}'],"
                              f" data_split_method = 'NO_SPLIT'{options}) AS SELECT size, colour, flag, {label} FROM gold.training")

    def check_agreement(self, name, label, columns):
        self.shop.done("sql", f"EXPORT MODEL {name} OPTIONS (uri = 'out/{name}', format = 'onnx')")
        folder = self.shop.folder / "out" / name
        self.assertEqual(sorted(path.name for path in folder.iterdir()), ["model.onnx", "signature.json"])
        ordered = "SELECT size, colour, flag FROM gold.asked ORDER BY ALL"
        answers = f"SELECT {columns} FROM ML.PREDICT(MODEL {name}, TABLE gold.asked) ORDER BY size, colour, flag"
        for file, query in (("input.csv", ordered), ("expected.csv", answers)):
            self.shop.write(f"out/{file}", self.shop.done("--format", "csv", "sql", query).stdout)
        compared = subprocess.run(
            [sys.executable, AGREEMENT, folder / "model.onnx", folder / "signature.json", self.shop.folder / "out/input.csv",
             self.shop.folder / "out/expected.csv", label], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=program.SECONDS)
        self.assertEqual((compared.returncode, compared.stdout.strip()), (0, "406 rows, 0 differences"))
        return json.loads((folder / "signature.json").read_text(encoding="utf-8"))

    def test_linear_regression(self):
        self.train("price", "linear_reg", "price")
        signature = self.check_agreement("price", "price", "predicted_price")
        self.assertEqual([column["name"] for column in signature["inputs"]], ["size", "colour", "flag"])

    def test_linear_regression_with_dummies_and_penalty(self):
        self.train("price", "linear_reg", "price", ", l2_reg = 0.5, category_encoding_method = 'DUMMY_ENCODING'")
        self.check_agreement("price", "price", "predicted_price")

    def test_two_classes(self):
        self.train("late", "logistic_reg", "late", ", l2_reg = 1")
        signature = self.check_agreement("late", "late", "predicted_late, predicted_late_probs")
        self.assertEqual(len(signature["outputs"]), 2)

    def test_three_classes(self):
        self.train("class", "logistic_reg", "class", ", l2_reg = 1")
        signature = self.check_agreement("class", "class", "predicted_class, predicted_class_probs")
        self.assertEqual(sorted(signature["outputs"][1]["classes"]), ["high", "low", "mid"])

    def test_a_version_is_exported_and_files_are_replaced(self):
        self.train("price", "linear_reg", "price")
        self.check_agreement("price", "price", "predicted_price")
        first = (self.shop.folder / "out/price/model.onnx").read_bytes()
        self.shop.done("sql", "CREATE OR REPLACE MODEL price OPTIONS (model_type = 'linear_reg', input_label_cols = ['price'],"
                              " data_split_method = 'NO_SPLIT') AS SELECT size, colour, flag, price * 2 AS price FROM gold.training")
        self.check_agreement("price", "price", "predicted_price")
        self.assertNotEqual((self.shop.folder / "out/price/model.onnx").read_bytes(), first)
        self.shop.done("sql", "EXPORT MODEL price@1 OPTIONS (uri = 'out/price')")
        self.assertEqual((self.shop.folder / "out/price/model.onnx").read_bytes(), first)

    def test_refusals(self):
        self.train("price", "linear_reg", "price")
        for statement, code in (("EXPORT MODEL prise OPTIONS (uri = 'x')", "MODEL_NOT_FOUND"),
                                ("EXPORT MODEL price@7 OPTIONS (uri = 'x')", "MODEL_NOT_FOUND"),
                                ("EXPORT MODEL price OPTIONS (format = 'onnx')", "INVALID_OPTION"),
                                ("EXPORT MODEL price OPTIONS (uri = 'x', format = 'pickle')", "INVALID_OPTION"),
                                ("EXPORT MODEL price OPTIONS (uri = 'braid.yaml')", "IO")):
            with self.subTest(statement=statement):
                self.assert_failed(self.shop.run("sql", statement), 1, code)
        self.assertFalse((self.shop.folder / "x").exists())


if __name__ == "__main__":
    program.main()
