#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the command line takes and refuses: options, exit codes, projects, braid.yaml.

    command_line_test.py BRAID
"""
import json

import program

COMMANDS = ("init", "plan", "run", "sql", "serve", "check")


class UsageTest(program.ProgramTest):
    def test_help_of_each_command(self):
        project = self.project()
        everything = project.done("--help").stdout
        for code in ("0 done", "1 a statement", "2 wrong usage", "3 an expectation", "4 the project", "75 the lake", "130 "):
            self.assertIn(code, everything)
        for command in COMMANDS:
            self.assertRegex(everything, rf"\n  {command} ")
            answer = project.done(command, "--help")
            self.assertIn(f"Usage: braid {command} ", answer.stdout)
            self.assertIn("--format", answer.stdout)
            self.assertEqual(answer.stderr, "")

    def test_wrong_usage(self):
        project = self.project()
        for arguments, hint in (
            ([], "braid --help"),
            (["servee"], "did you mean braid serve?"),
            (["run", "--selct", "x"], "braid run --help"),
            (["--format", "jsn", "sql", "SELECT 1"], "did you mean json?"),
            (["sql", "SELECT 1", "-f", "x"], "one of them"),
            (["sql", "a", "b"], "braid sql --help"),
            (["--wait", "-1", "sql", "SELECT 1"], "braid sql --help"),
            (["--wait", "soon", "sql", "SELECT 1"], "--help"),
            (["init"], "braid init --help"),
            (["init", "x", "--template", "full"], "empty"),
        ):
            with self.subTest(arguments=arguments):
                answer = project.run(*arguments)
                self.assert_failed(answer, 2, "USAGE")
                self.assertIn("hint: ", answer.stderr)
                self.assertIn(hint, answer.stderr)
                self.assertLess(len(answer.stderr), 300)
                self.assertEqual(answer.stdout, "")

    def test_version(self):
        self.assertRegex(self.project().done("--version").stdout, r"^braid \d+\.\d+\.\d+ \(DuckDB v[\d.]+\)\n$")


class ProjectTest(program.ProgramTest):
    def test_the_nearest_project_upward(self):
        project = self.project()
        below = project.write("a/b/notes.txt", "").parent
        project.done("sql", "CREATE TABLE gold.here AS SELECT 7 AS x", cwd=below)
        self.assertEqual(project.done("-C", "../..", "--format", "csv", "sql", "FROM gold.here", cwd=below).stdout, "x\n7\n")
        self.assertEqual(sorted(path.name for path in project.folder.iterdir()), [".braid", "a", "braid.yaml"])
        self.assert_failed(project.run("-C", ".", "sql", "SELECT 1", cwd=below), 4, "PROJECT_NOT_FOUND")

    def test_no_project(self):
        nowhere = self.project(yaml=None)
        for command in ("run", "plan", "check", "serve"):
            self.assert_failed(nowhere.run(command), 4, "PROJECT_NOT_FOUND")
        answer = nowhere.done("--format", "csv", "sql", "CREATE TABLE gold.t AS SELECT 1 AS x; FROM gold.t")
        self.assertEqual(answer.stdout, "x\n1\n")
        self.assertIn("temporary lake", answer.stderr)
        self.assertEqual(list(nowhere.folder.iterdir()), [])

    def test_the_home_moves_the_lake(self):
        project = self.project("name: test\nlake:\n  home: ${PLACE}/lake\n")
        project.done("sql", "CREATE TABLE gold.t AS SELECT 1", env={"PLACE": "elsewhere"})
        self.assertTrue((project.folder / "elsewhere/lake/catalog.sqlite").exists())
        self.assertFalse((project.folder / ".braid").exists())

    def test_errors_of_braid_yaml_say_where(self):
        for text, line, column, hint in (
            ("name: q\nlake:\n  hom: x\n", 3, 3, "did you mean home?"),
            ("nam: q\n", 1, 1, "did you mean name?"),
            ("name: q\nengine: {threads: many}\n", 2, 19, "0 means all cores"),
            ("name: q\nengine: 4\n", 2, 9, ""),
            ("name: [a\n", 2, 1, ""),
            ("", 1, 1, "name: my_project"),
            ("name: ''\n", 1, 7, ""),
            ("name: q\nname: r\n", 2, 1, ""),
            ("name: ${BRAID_NOT_SET}\n", 1, 7, "export BRAID_NOT_SET"),
            ("name: q\nschedules: [a]\n", 2, 13, ""),
            ("name: q\nlake: {catalog: 'postgres:x'}\n", 2, 17, "sqlite"),
            ("name: q\nserver: {listen: nope}\n", 2, 18, "127.0.0.1:8080"),
        ):
            with self.subTest(text=text):
                project = self.project(text)
                answer = project.run("sql", "SELECT 1")
                self.assert_failed(answer, 4, "CONFIG_INVALID")
                self.assertIn(f"braid.yaml:{line}:{column}\n", answer.stderr)
                self.assertIn(hint, answer.stderr)


class InitTest(program.ProgramTest):
    def test_a_project_that_runs(self):
        place = self.project(yaml=None)
        answer = place.done("init", "new/shop")
        self.assertEqual(answer.stdout, "")
        self.assertIn("next: cd new/shop && braid run", answer.stderr)
        self.assertIn("3 changed", place.done("-C", "new/shop", "run").stderr)

    def test_other_files_stay(self):
        place = self.project(yaml=None, name="full")
        place.write("notes.txt", "mine")
        place.done("init", ".")
        self.assertEqual((place.folder / "notes.txt").read_text(), "mine")
        self.assert_failed(place.run("init", "."), 1, "PROJECT_EXISTS")

    def test_nothing_is_replaced_or_half_made(self):
        place = self.project(yaml=None, name="full")
        place.write("bronze/sales.sql", "mine")
        self.assert_failed(place.run("init", "."), 1, "PROJECT_EXISTS")
        self.assertEqual([path.name for path in place.folder.iterdir()], ["bronze"])
        self.assert_failed(place.run("init", "bronze/sales.sql"), 1, "IO")


BROKEN = """CREATE TABLE nothing AS SELECT 1;
CREATE STREMING TABLE bronze.a AS SELECT 1;
CREATE MATERIALIZED VIEW gold.v AS SELECT 'é' AS x,
  y FROM gold.w;
CREATE MATERIALIZED VIEW gold.w AS SELECT * FROM gold.v;
"""


class CheckTest(program.ProgramTest):
    def test_all_problems_with_their_places(self):
        project = self.project()
        project.write("sub/all.sql", BROKEN)
        answer = project.run("check")
        self.assertEqual((answer.returncode, answer.stdout), (4, ""))
        self.assertIn("error[SYNTAX]: ", answer.stderr)
        self.assertIn("  --> sub/all.sql:2:8\n   | CREATE STREMING TABLE bronze.a AS SELECT 1;\n   |        ^\n", answer.stderr)
        self.assertIn("hint: did you mean STREAMING?\n", answer.stderr)
        self.assertRegex(answer.stderr, r"error\[CYCLE\]: .*\n  --> sub/all.sql:4:10\n   \|   y FROM gold.w;\n   \|          \^\n")
        self.assertIn("\n3 problems\n", answer.stderr)

    def test_as_json(self):
        project = self.project()
        project.write("all.sql", BROKEN)
        answer = project.run("--format", "json", "check")
        problems = [json.loads(line)["error"] for line in answer.stderr.splitlines() if line.startswith("{")]
        self.assertEqual([(one["code"], one["file"], one["line"], one["column"]) for one in problems],
                         [("NOT_SUPPORTED", "all.sql", 1, 1), ("SYNTAX", "all.sql", 2, 8), ("CYCLE", "all.sql", 4, 10)])
        self.assertEqual(set(problems[0]), {"code", "message", "hint", "file", "line", "column"})

    def test_a_broken_project_is_neither_planned_nor_run(self):
        project = self.project()
        project.write("all.sql", BROKEN)
        for command in ("run", "plan"):
            answer = project.run(command)
            self.assert_failed(answer, 4, "PROJECT_INVALID")
            self.assertIn("all.sql:2:8", answer.stderr)
        project.write("all.sql", "CREATE MATERIALIZED VIEW gold.v AS SELECT 1 AS x;")
        self.assertEqual(project.done("check").stdout, "")


DECLARATIONS = """CREATE MATERIALIZED VIEW bronze.a AS SELECT 1 AS x;
CREATE MATERIALIZED VIEW silver.b (CONSTRAINT most EXPECT (x < {most}) ON VIOLATION FAIL UPDATE) AS SELECT x FROM bronze.a;
CREATE MATERIALIZED VIEW gold.c AS SELECT x FROM silver.b;
"""


class RunTest(program.ProgramTest):
    def setUp(self):
        super().setUp()
        self.shop = self.project()
        self.shop.write("all.sql", DECLARATIONS.format(most=9))

    def planned(self, *arguments):
        lines = self.shop.done("plan", *arguments).stdout.splitlines()
        return {line.split()[0]: line.split()[3] for line in lines}

    def test_plan_then_run(self):
        plan = {"bronze.a": "update", "silver.b": "update", "gold.c": "update"}
        self.assertEqual(self.planned(), plan)
        self.assertEqual(self.planned(), plan)  # to plan changes nothing
        answer = self.shop.done("run")
        self.assertEqual(answer.stdout, "")
        self.assertIn("3 nodes, 3 changed, 0 skipped", answer.stderr)
        self.assertEqual(set(self.planned().values()), {"skip"})
        self.assertEqual(set(self.planned("--full-refresh").values()), {"update"})

    def test_select(self):
        self.assertEqual(list(self.planned("--select", "gold.*")), ["gold.c"])
        self.assertEqual(list(self.planned("--select", "+silver.b")), ["bronze.a", "silver.b"])
        self.assertEqual(list(self.planned("--select", "silver.b+")), ["silver.b", "gold.c"])
        self.assertEqual(list(self.planned("--select", "bronze.a", "gold.c")), ["bronze.a", "gold.c"])
        self.assertIn("1 nodes, 1 changed", self.shop.done("run", "--select", "bronze.a").stderr)
        self.assertEqual(self.planned(), {"bronze.a": "skip", "silver.b": "update", "gold.c": "update"})
        answer = self.shop.run("run", "--select", "gold.cc")
        self.assert_failed(answer, 1, "NOT_FOUND")
        self.assertIn("did you mean gold.c?", answer.stderr)

    def test_exit_codes_of_what_fails(self):
        self.shop.done("run")
        self.shop.write("all.sql", DECLARATIONS.format(most=1))
        self.assert_failed(self.shop.run("run"), 3, "EXPECTATION_FAILED")
        self.shop.write("all.sql", "CREATE MATERIALIZED VIEW gold.c AS\n  SELECT nope FROM range(1);")
        answer = self.shop.run("run")
        self.assert_failed(answer, 1, "BINDER")
        self.assertIn("  --> all.sql:2:", answer.stderr)
        self.assertEqual(self.shop.rows("FROM gold.c"), [{"x": 1}])
        runs = self.shop.rows("SELECT command, status FROM braid.run ORDER BY started_at")
        self.assertEqual(runs, [{"command": "braid run", "status": status} for status in ("succeeded", "failed", "failed")])


if __name__ == "__main__":
    program.main()
