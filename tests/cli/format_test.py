#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `braid sql` reads (argument, file, pipe) and the forms in which it writes results.

    format_test.py BRAID
"""
import csv
import io
import json
import signal

import program

# Column, expression, its text in csv, its value in JSON.
VALUES = [
    ("small", "1::TINYINT", "1", "1"),
    ("nothing", "NULL::INTEGER", "", "null"),
    ("empty", "''", '""', '""'),
    ("quoted", "'a,\"b\"' || chr(10) || 'c|d'", '"a,""b""\nc|d"', r'"a,\"b\"\nc|d"'),
    ("return_only", "'a' || chr(13)", '"a\r"', r'"a\r"'),
    ("backslash", "'\\n'", "\\n", r'"\\n"'),
    ("wide", "'日本é👍'", "日本é👍", '"日本é👍"'),
    ("big", "9223372036854775807", "9223372036854775807", "9223372036854775807"),
    ("unsigned", "18446744073709551615::UBIGINT", "18446744073709551615", "18446744073709551615"),
    ("huge", "-170141183460469231731687303715884105727::HUGEINT", "-170141183460469231731687303715884105727",
     '"-170141183460469231731687303715884105727"'),
    ("exact", "'12345678901234567890.120'::DECIMAL(38, 3)", "12345678901234567890.120", '"12345678901234567890.120"'),
    ("floating", "0.1::DOUBLE", "0.1", "0.1"),
    ("exponent", "1e300::DOUBLE", "1e+300", "1e+300"),
    ("truth", "true", "true", "true"),
    ("day", "DATE '2024-02-29'", "2024-02-29", '"2024-02-29"'),
    ("clock", "TIME '12:34:56.5'", "12:34:56.5", '"12:34:56.5"'),
    ("local", "TIMESTAMP '2024-01-02 03:04:05.006'", "2024-01-02T03:04:05.006", '"2024-01-02T03:04:05.006"'),
    ("instant", "TIMESTAMPTZ '2024-01-02 03:04:05+02'", "2024-01-02T01:04:05Z", '"2024-01-02T01:04:05Z"'),
    ("span", "INTERVAL '1 month 2 days'", "P1M2D", '"P1M2D"'),
    ("bytes", "'ab\\x00'::BLOB", "YWIA", '"YWIA"'),
    ("list", "[1, NULL, 3]", '"[1,null,3]"', "[1,null,3]"),
    ("record", "{'a': 1, 'b': 'x\"y', 'c': DATE '2024-02-29'}", '"{""a"":1,""b"":""x\\""y"",""c"":""2024-02-29""}"',
     r'{"a":1,"b":"x\"y","c":"2024-02-29"}'),
    ("lists", "[['a', ''], NULL, []]", '"[[""a"",""""],null,[]]"', '[["a",""],null,[]]'),
    ("map", "MAP {'k': 1}", '"{""k"":1}"', '{"k":1}'),
    ("identity", "uuid '00000000-0000-0000-0000-00000000000a'", "00000000-0000-0000-0000-00000000000a",
     '"00000000-0000-0000-0000-00000000000a"'),
]
QUERY = "SELECT " + ", ".join(f"{expression} AS {name}" for name, expression, _, _ in VALUES)


class FormatTest(program.ProgramTest):
    def setUp(self):
        super().setUp()
        self.nowhere = self.project(yaml=None)

    def out(self, form, query):
        return self.nowhere.done("--format", form, "sql", query).stdout

    def test_csv_of_each_type(self):
        names, values = ",".join(one[0] for one in VALUES), ",".join(one[2] for one in VALUES)
        self.assertEqual(self.out("csv", QUERY), f"{names}\n{values}\n")
        read = list(csv.reader(io.StringIO(self.out("csv", QUERY), newline="")))
        self.assertEqual([len(row) for row in read], [len(VALUES)] * 2)

    def test_json_of_each_type(self):
        row = ",".join(f'"{name}":{value}' for name, _, _, value in VALUES)
        self.assertEqual(self.out("json", QUERY), "[{" + row + "}]\n")
        json.loads(self.out("json", QUERY))

    def test_csv_of_rows_and_names(self):
        self.assertEqual(self.out("csv", 'SELECT 1 AS "a,b", NULL AS "say ""x""" WHERE false'), '"a,b","say ""x"""\n')
        self.assertEqual(self.out("csv", "SELECT * FROM (VALUES (1, NULL), (NULL, '')) t(a, b)"), 'a,b\n1,\n,""\n')

    def test_several_statements(self):
        script = "SELECT 1 AS a; CREATE TABLE gold.t (x INTEGER); INSERT INTO gold.t VALUES (5); FROM gold.t; SELECT 2 AS b WHERE false"
        self.assertEqual(self.out("json", script), '[{"a":1}]\n[{"x":5}]\n[]\n')
        self.assertEqual(self.out("csv", script), "a\n1\nx\n5\nb\n")
        self.assertEqual(self.out("table", script).count("┌"), 3)

    def test_many_rows_arrive_whole(self):
        rows = json.loads(self.out("json", "SELECT range AS i, 'row ' || range AS s FROM range(10000) ORDER BY i"))
        self.assertEqual(rows, [{"i": i, "s": f"row {i}"} for i in range(10000)])
        self.assertEqual(len(self.out("table", "FROM range(500)").splitlines()), 505)  # no terminal: none left out

    def test_table(self):
        query = "SELECT * FROM (VALUES (1, '日本', 1.50), (10, 'a' || chr(10) || 'b' || chr(9) || chr(27), NULL)) t(n, text, price)"
        self.assertEqual(self.out("table", query), """\
┌────┬────────────┬───────┐
│  n │ text       │ price │
├────┼────────────┼───────┤
│  1 │ 日本       │  1.50 │
│ 10 │ a\\nb\\t\\x1b │  NULL │
└────┴────────────┴───────┘
2 rows
""")

    def test_markdown(self):
        query = "SELECT 1 AS n, 'a|b' || chr(10) || 'c' AS text, NULL AS \"x|y\", [1, 2] AS list"
        self.assertEqual(self.out("markdown", query),
                         "| n | text | x\\|y | list |\n| ---: | --- | ---: | --- |\n| 1 | a\\|b\\nc | NULL | [1,2] |\n")

    def test_errors_as_text_and_as_json(self):
        query = "SELECT 1 AS ok; SELECT\n  'é', nope"
        answer = self.nowhere.run("--format", "csv", "sql", query)
        self.assert_failed(answer, 1, "BINDER")
        self.assertEqual(answer.stdout, "ok\n1\n")
        self.assertIn(":2:8\n   |   'é', nope\n   |        ^\n", answer.stderr)
        answer = self.nowhere.run("--format", "json", "sql", query)
        self.assertEqual((answer.returncode, answer.stdout), (1, '[{"ok":1}]\n'))
        error = json.loads(answer.stderr.splitlines()[-1])["error"]
        self.assertEqual(set(error), {"code", "message", "hint", "file", "line", "column"})
        self.assertEqual((error["code"], error["line"], error["column"]), ("BINDER", 2, 8))


class InputTest(program.ProgramTest):
    def setUp(self):
        super().setUp()
        self.place = self.project()

    def test_argument_file_and_pipe(self):
        self.place.write("sub/script.txt", "-- a comment\nSELECT 3 AS x;\n")
        for arguments, stdin, want in (
            (["sql", "SELECT 1 AS x"], None, "1"),
            (["sql", "-f", "sub/script.txt"], None, "3"),
            (["sql"], "SELECT 4 AS x", "4"),
            (["sql", "-f", "-"], "SELECT 5 AS x;", "5"),
        ):
            with self.subTest(arguments=arguments):
                self.assertEqual(self.place.done("--format", "csv", *arguments, stdin=stdin).stdout, f"x\n{want}\n")

    def test_a_file_starts_where_the_command_is_and_names_its_errors(self):
        self.place.write("sub/script.txt", "SELECT 1;\nSELCT 2;\n")
        answer = self.place.run("sql", "-f", "script.txt", cwd=self.place.folder / "sub")
        self.assert_failed(answer, 1, "SYNTAX")
        self.assertIn("script.txt:2:1\n   | SELCT 2;\n   | ^\n", answer.stderr)
        self.assert_failed(self.place.run("sql", "-f", "script.txt"), 1, "IO")

    def test_nothing_to_do(self):
        for text in ("", ";", "-- only a comment"):
            answer = self.place.done("sql", text)
            self.assertEqual(answer.stdout, "")

    def test_a_reader_that_leaves(self):
        """As with `| head -1`: the writer ends by SIGPIPE or an error, and the lake opens again."""
        process = self.place.start("--format", "csv", "sql", "FROM range(100000000)")
        self.assertEqual(process.stdout.readline(), "range\n")
        process.stdout.close()
        self.assertIn(process.wait(program.SECONDS), (-signal.SIGPIPE, 1))
        process.stderr.close()
        self.assertEqual(self.place.rows("SELECT 1 AS x"), [{"x": 1}])

    def test_a_failed_script_keeps_what_was_done_before(self):
        script = "CREATE TABLE gold.t AS SELECT 1 AS x; BEGIN; INSERT INTO gold.t VALUES (2); SELECT nope"
        self.assert_failed(self.place.run("sql", script), 1, "BINDER")
        self.assertEqual(self.place.rows("FROM gold.t"), [{"x": 1}])


if __name__ == "__main__":
    program.main()
