#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Commands that meet on one lake, and commands that are interrupted.

    sharing_test.py BRAID
"""
import os
import pathlib
import signal
import subprocess

import program

ENDLESS = "SELECT sum(a.range * b.range % 7) AS x FROM range(30000000) a, range(30000000) b"


def processor_seconds(process):
    words = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def wait_until_busy(process):
    """Until an endless query has begun for sure: nothing before it takes as long."""
    begin = processor_seconds(process)
    program.wait_until(lambda: processor_seconds(process) > begin + 0.5, "an endless query to begin")


class SharingTest(program.ProgramTest):
    def setUp(self):
        super().setUp()
        self.shop = self.project()

    def test_each_command_works_while_the_lake_is_served(self):
        self.shop.write("v.sql", "CREATE MATERIALIZED VIEW gold.v AS SELECT 42 AS x;")
        script = self.shop.write("sub/script.txt", "SELECT 3 AS x")
        with self.shop.serving():
            self.assertIn("gold.v", self.shop.done("plan").stdout)
            self.shop.done("check")
            self.assertIn("1 changed", self.shop.done("run").stderr)
            self.assertEqual(self.shop.rows("FROM gold.v"), [{"x": 42}])
            csv = ["--format", "csv", "sql"]
            self.assertEqual(self.shop.done(*csv, stdin="SELECT 4 AS x").stdout, "x\n4\n")
            self.assertEqual(self.shop.done(*csv, "-f", "script.txt", cwd=script.parent).stdout, "x\n3\n")
            self.assertEqual(self.shop.done("-C", "..", *csv, "FROM gold.v", cwd=script.parent).stdout, "x\n42\n")

    def test_failures_are_the_same_when_forwarded(self):
        self.shop.write("v.sql", "CREATE MATERIALIZED VIEW gold.v (CONSTRAINT c EXPECT (x > 1) ON VIOLATION FAIL UPDATE)"
                                 " AS SELECT 1 AS x;")
        commands = (["--format", "json", "sql", "SELECT nope"], ["sql", "SELCT"], ["run", "--select", "w"], ["sql", "-f", "no"],
                    ["sql", "BEGIN; CREATE TABLE gold.half AS SELECT 1; SELECT nope"])
        here = [self.shop.run(*command) for command in commands]
        with self.shop.serving():
            there = [self.shop.run(*command) for command in commands]
            self.assert_failed(self.shop.run("run"), 3, "EXPECTATION_FAILED")
        for one, other in zip(here, there):
            self.assertEqual((one.returncode, one.stdout, one.stderr), (other.returncode, other.stdout, other.stderr))
        self.assertEqual(self.shop.rows("SELECT count(*) AS n FROM information_schema.tables WHERE table_name = 'half'"), [{"n": 0}])

    def test_a_second_server_is_refused(self):
        with self.shop.serving():
            answer = self.shop.run("serve", "--listen", "127.0.0.1:0")
            self.assert_failed(answer, 75, "LAKE_BUSY")
            self.assertEqual(answer.stdout, "")

    def test_many_at_once(self):
        self.shop.done("sql", "CREATE TABLE gold.t (x INTEGER)")
        writers = [self.shop.start("sql", f"INSERT INTO gold.t VALUES ({number})", stdout=subprocess.DEVNULL) for number in range(8)]
        for writer in writers:
            self.assertEqual((writer.communicate(timeout=program.SECONDS), writer.returncode)[1], 0)
        self.assertEqual(self.shop.rows("SELECT x FROM gold.t ORDER BY x"), [{"x": number} for number in range(8)])


class InterruptTest(program.ProgramTest):
    def setUp(self):
        super().setUp()
        self.shop = self.project()
        self.shop.done("sql", "CREATE TABLE gold.t AS SELECT 1 AS x")

    def interrupt(self, number=signal.SIGINT, script=f"SELECT 1 AS started; {ENDLESS}", server=None):
        process = self.shop.start("--format", "csv", "sql", script)
        self.addCleanup(process.kill)
        self.assertEqual(process.stdout.readline(), "started\n")
        wait_until_busy(server or process)
        process.send_signal(number)
        return process.communicate(timeout=program.SECONDS)[1], process.returncode

    def test_a_query(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            said, code = self.interrupt(number)
            self.assertEqual(code, 130, said)
            self.assertIn("error[INTERRUPTED]: ", said)

    def test_a_query_that_is_forwarded(self):
        with self.shop.serving() as server:
            said, code = self.interrupt(server=server.process)
            self.assertEqual(code, 130, said)
            self.assertEqual(self.shop.rows("FROM gold.t"), [{"x": 1}])
            self.assertEqual(server.ask("GET", "/healthz")[0], 200)

    def test_what_was_written_is_rolled_back(self):
        said, code = self.interrupt(script=f"BEGIN; INSERT INTO gold.t VALUES (2); SELECT 1 AS started; CREATE TABLE gold.u AS {ENDLESS}")
        self.assertEqual(code, 130, said)
        self.assertEqual(self.shop.rows("FROM gold.t"), [{"x": 1}])
        self.shop.done("sql", "INSERT INTO gold.t VALUES (3)")
        self.assertEqual(self.shop.rows("SELECT sum(x)::BIGINT AS x FROM gold.t"), [{"x": 4}])

    def test_a_run(self):
        self.shop.write("v.sql", f"CREATE MATERIALIZED VIEW bronze.quick AS SELECT 1 AS x;\n"
                                 f"CREATE MATERIALIZED VIEW gold.v AS SELECT q.x FROM bronze.quick q, ({ENDLESS});")
        process = self.shop.start("run")
        self.addCleanup(process.kill)
        self.assertRegex(process.stderr.readline(), "^bronze.quick .* updated")
        wait_until_busy(process)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=program.SECONDS)[1]
        self.assertEqual(process.returncode, 130, said)
        self.assertIn("error[INTERRUPTED]: ", said)
        self.assertEqual(self.shop.rows("SELECT status FROM braid.run"), [{"status": "interrupted"}])
        self.assertEqual(self.shop.rows("SELECT count(*) AS n FROM information_schema.tables WHERE table_name = 'quick'"), [{"n": 0}])


if __name__ == "__main__":
    program.main()
