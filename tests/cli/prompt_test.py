#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The prompt of `braid sql` on a terminal.

    prompt_test.py BRAID
"""
import fcntl
import os
import pty
import select
import stat
import subprocess
import termios
import time

import program
from sharing_test import ENDLESS, wait_until_busy

FIRST, NEXT = "braid> ", "  ...> "


class Terminal:
    """A pseudo-terminal on which one `braid sql` runs."""

    def __init__(self, project, state, **environment):
        self.screen, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [program.BRAID, "sql"], cwd=project.folder, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
            env={**os.environ, "XDG_STATE_HOME": str(state), "TERM": "xterm", **environment},
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(theirs)
        self.shown = ""
        self.wait_for(FIRST)

    def wait_for(self, text):
        """What is shown until `text` comes, which is the end of it."""
        deadline = time.monotonic() + program.SECONDS
        while text not in self.shown:
            if not select.select([self.screen], [], [], max(0, deadline - time.monotonic()))[0]:
                raise AssertionError(f"no {text!r} in {self.shown!r}")
            try:
                self.shown += os.read(self.screen, 65536).decode(errors="replace")
            except OSError:
                raise AssertionError(f"the program ended; no {text!r} in {self.shown!r}") from None
        end = self.shown.index(text) + len(text)
        shown, self.shown = self.shown[:end], self.shown[end:]
        return shown

    def type(self, text, until=FIRST):
        os.write(self.screen, text.encode())
        return self.wait_for(until)

    def end(self):
        """For a test that failed halfway."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(program.SECONDS)

    def leave(self, text="\x04"):
        os.write(self.screen, text.encode())
        code = self.process.wait(program.SECONDS)
        os.close(self.screen)
        return code


class PromptTest(program.ProgramTest):
    def setUp(self):
        super().setUp()
        self.shop = self.project()
        self.state = self.folder / "state"

    def terminal(self, **environment):
        terminal = Terminal(self.shop, self.state, **environment)
        self.addCleanup(terminal.end)
        return terminal

    def test_a_statement_of_several_lines(self):
        terminal = self.terminal()
        terminal.type("SELECT\n", until=NEXT)
        terminal.type("'a;b' AS x,\n", until=NEXT)
        self.assertIn("│ a;b │ 42 │", terminal.type("42 AS y;\n"))
        self.assertEqual(terminal.leave(), 0)

    def test_an_error_does_not_end_it(self):
        terminal = self.terminal()
        self.assertIn("error[SYNTAX]: ", terminal.type("SELCT;\n"))
        self.assertIn("error[BINDER]: ", terminal.type("SELECT nope;\n"))
        self.assertIn("│ 7 │", terminal.type("SELECT 7;\n"))
        self.assertEqual(terminal.leave("exit\n"), 0)

    def test_interrupt_clears_the_line(self):
        terminal = self.terminal()
        terminal.type("half of a line", until="line")
        terminal.type("\x03")
        for _ in range(5):  # at once, before the line is waited for
            self.assertIn("│ 6 │", terminal.type("SELECT 6;\n"))
            terminal.type("\x03")
        self.assertIn("│ 7 │", terminal.type("SELECT 7;\n"))
        terminal.type("SELECT 1 +\n", until=NEXT)
        terminal.type("\x03")
        self.assertIn("│ 8 │", terminal.type("SELECT 8;\n"))
        self.assertEqual(terminal.leave(), 0)

    def test_interrupt_ends_a_statement(self):
        terminal = self.terminal()
        terminal.type(f"SELECT 'working' AS w; {ENDLESS};\n", until="1 row")
        wait_until_busy(terminal.process)
        self.assertIn("error[INTERRUPTED]: ", terminal.type("\x03"))
        self.assertIn("│ 7 │", terminal.type("SELECT 7;\n"))
        self.assertEqual(terminal.leave(), 0)

    def test_a_transaction_spans_statements_and_others_wait_for_it(self):
        terminal = self.terminal()
        terminal.type("BEGIN;\n")
        terminal.type("CREATE TABLE gold.t AS SELECT 1 AS x;\n")
        self.assertIn("│ 1 │", terminal.type("FROM gold.t;\n"))
        terminal.type("ROLLBACK;\n")
        self.assertIn("error[TABLE_NOT_FOUND]: ", terminal.type("FROM gold.t;\n"))
        self.assertEqual(terminal.leave("\\q\n"), 0)

    def test_the_lake_is_free_between_statements(self):
        terminal = self.terminal()
        terminal.type("CREATE TABLE gold.t AS SELECT 1 AS x;\n")
        with self.shop.serving():
            terminal.type("INSERT INTO gold.t VALUES (2);\n")
            self.assertEqual(self.shop.rows("SELECT count(*) AS n FROM gold.t"), [{"n": 2}])
        self.assertIn("│ 2 │", terminal.type("SELECT count(*) AS n FROM gold.t;\n"))
        self.assertEqual(terminal.leave(), 0)

    def test_the_history_outlives_the_session_for_its_owner_alone(self):
        terminal = self.terminal()
        terminal.type("SELECT 4711 AS remembered;\n")
        self.assertEqual(terminal.leave(), 0)
        file = self.state / "braid" / "history"
        self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)
        terminal = self.terminal()
        self.assertIn("remembered", terminal.type("\x10", until="remembered;"))  # as the arrow upward
        self.assertIn("│       4711 │", terminal.type("\n"))
        self.assertEqual(terminal.leave(), 0)

    def test_what_is_typed_ahead_counts(self):
        terminal = self.terminal()
        self.assertEqual(terminal.leave("SELECT count(*) FROM range(300000000);\n\x04"), 0)

    def test_text_beyond_ascii(self):
        for locale in ("C.UTF-8", "C"):
            terminal = self.terminal(LC_ALL=locale)
            self.assertIn("│ 日é     │ 3 │", terminal.type("SELECT '日é' AS strange, length('日éx') AS n;\n"))
            self.assertEqual(terminal.leave(), 0)


if __name__ == "__main__":
    program.main()
