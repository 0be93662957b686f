#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs what the documentation shows, as it is written, and compares what it shows as the answer.

    examples_test.py BRAID

In an expected answer `…` stands for any text of the line, a line of `…` alone for any lines; the lines
that frame a table are as wide as they like.
"""
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "cli"))
import open_inference  # noqa: E402
import program  # noqa: E402

REPOSITORY = HERE.parents[1]
PAGES = sorted((REPOSITORY / "docs" / "sql").glob("*.md"))
SERVING_PAGES = sorted((REPOSITORY / "docs" / "serving").glob("*.md"))


def blocks_of(text):
    """The fenced blocks: (language, content)."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def section(text, title):
    """What stands below a heading of the second level."""
    found = re.search(rf"^## {re.escape(title)}$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    if found is None:
        raise AssertionError(f"no section {title}")
    return found.group(1)


def examples_of(text):
    """Pairs of a block of SQL and the block of text after it, which is its answer."""
    blocks = blocks_of(text)
    for number, (language, content) in enumerate(blocks):
        if language == "sql":
            answer = blocks[number + 1] if number + 1 < len(blocks) else ("", "")
            if answer[0] != "text":
                raise AssertionError("an example without a block of text that shows its answer")
            yield content, answer[1]


def pattern_of(expected):
    lines = []
    for line in expected.splitlines():
        if line == "…":
            lines.append(r"(?:.*\n)*")
        elif line.startswith(("┌", "├", "└")):
            lines.append(line[0] + r"[─┬┼┴]*.\n")
        else:
            words = [".*".join(map(re.escape, word.split("…"))) for word in line.split()]
            lines.append(r" *" + r" +".join(words) + r" *\n")
    return "".join(lines)


class PageTest(program.ProgramTest):
    def test_every_page_has_an_example_that_holds(self):
        self.assertGreater(len(PAGES), 5)
        for page in PAGES:
            with self.subTest(page=page.name):
                examples = list(examples_of(page.read_text(encoding="utf-8")))
                self.assertTrue(examples, "a page without an example")
                self.run_examples(page.stem, examples)

    def run_examples(self, name, examples):
        for number, (statements, expected) in enumerate(examples):
            with open_inference.StandIn() as server:  # the connection that the page of remote models names
                project = self.project(server.yaml(), name=f"{name}{number}")
                project.write("example.sql.txt", statements)
                answer = project.done("sql", "-f", "example.sql.txt", stderr=subprocess.STDOUT, env={"no_proxy": "127.0.0.1"})
            if not re.fullmatch(pattern_of(expected), answer.stdout):
                self.fail(f"expected:\n{expected}\ngot:\n{answer.stdout}")


class Shell:
    """One bash in which lines are typed, with braid on its PATH."""

    def __init__(self, folder):
        binaries = folder / "bin"
        binaries.mkdir()
        (binaries / "braid").symlink_to(program.BRAID)
        environment = {**os.environ, "PATH": f"{binaries}:{os.environ['PATH']}"}
        self.process = subprocess.Popen(["bash"], cwd=folder, env=environment, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8")

    def type(self, text):
        """The exit code and output of a line, or of several."""
        self.process.stdin.write(text + "\necho \"<done $?>\"\n")
        self.process.stdin.flush()
        output = ""
        for line in self.process.stdout:
            output += line
            end = re.search(r"<done (\d+)>\n\Z", output)
            if end:
                return int(end.group(1)), output[: end.start()]
        raise AssertionError(f"the shell ended: {output}")

    def close(self):
        self.process.stdin.write("kill $(jobs -p) 2>/dev/null; wait\nexit\n")
        self.process.communicate(timeout=program.SECONDS)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as response:
            return response.status == 200
    except (urllib.error.URLError, OSError):
        return False


class ReadmeTest(program.ProgramTest):
    def test_five_minutes(self):
        readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
        tour = [content for _, content in blocks_of(section(readme, "Five minutes"))]
        self.assertEqual(len(tour), 3)
        build, sql, serve = tour
        self.shell = Shell(self.folder)
        self.addCleanup(self.shell.close)
        self.check_build(self.outputs(build))
        (self.folder / "model.txt").write_text(sql, encoding="utf-8")
        self.assertIn("│        15.0 │ 7 │", self.typed("braid sql -f ../model.txt"))
        self.assertIn("127.0.0.1:8080", serve)
        self.port = free_port()
        self.check_serve(self.outputs(serve.replace(":8080", f":{self.port}")))

    def typed(self, line):
        code, output = self.shell.type(line)
        self.assertEqual(code, 0, f"{line}\n{output}")
        if line.split("#")[0].rstrip().endswith("&"):
            program.wait_until(lambda: answers(self.port), "the server of the README")
        return output

    def outputs(self, block):
        return [self.typed(line) for line in block.splitlines()]

    def check_build(self, outputs):
        made, first, sales, rules, second = outputs
        self.assertIn("made a project", made)
        self.assertRegex(first, r"succeeded: 3 nodes, 3 changed, 0 skipped, snapshot \d+")
        self.assertIn("│ north │     2 │  155.90 │\n│ south │     1 │  340.50 │\n", sales)
        self.assertRegex(rules, r"silver.sales │ positive_amount │ drop row │ +3 │ +1 │")
        self.assertRegex(second, r"succeeded: 3 nodes, 0 changed, 3 skipped, nothing to commit")

    def check_serve(self, outputs):
        _, answer, captured = outputs
        found = re.search(r'\{"rows":\[\{"inference_id":"([0-9a-f-]{36})","predicted_y":15\.0\}\]\}', answer)
        self.assertIsNotNone(found, answer)
        self.assertIn(found.group(1), captured)
        self.assertRegex(captured, r'│ \{"x":7\} │ \{"predicted_y":15\.0\} │\n')


class ServingPageTest(program.ProgramTest):
    """Pages of docs/serving: a project of their SQL is served, and each command answers what stands below it."""

    def test_every_page(self):
        self.assertTrue(SERVING_PAGES)
        for page in SERVING_PAGES:
            with self.subTest(page=page.name):
                self.check(page)

    def check(self, page):
        blocks = blocks_of(page.read_text(encoding="utf-8"))
        commands = [(content, blocks[number + 1]) for number, (language, content) in enumerate(blocks) if language == "bash"]
        self.assertTrue(commands, "a page without a command")
        project = self.project(name=page.stem)
        project.write("all.sql", "".join(content for language, content in blocks if language == "sql"))
        project.done("run")
        with project.serving() as server:
            for command, (language, expected) in commands:
                self.assertEqual(language, "text", f"no answer below: {command}")
                self.assertIn("127.0.0.1:8080", command)
                answer = subprocess.run(["bash", "-c", command.replace(":8080", f":{server.port}")], stdout=subprocess.PIPE, check=True)
                wanted = ".*".join(map(re.escape, expected.strip().split("…")))
                if not re.fullmatch(wanted, answer.stdout.decode().strip(), re.DOTALL):
                    self.fail(f"{command}expected:\n{expected}\ngot:\n{answer.stdout.decode()}")


class FlightsTest(program.ProgramTest):
    def test_from_scratch(self):
        example = self.folder / "flights"
        unwanted = shutil.ignore_patterns(".braid", "landing")
        shutil.copytree(REPOSITORY / "examples" / "flights", example, ignore=unwanted)
        blocks = [content for _, content in blocks_of((example / "README.md").read_text(encoding="utf-8"))]
        scratch = [block for block in blocks if "braid plan && braid run" in block]
        self.assertEqual(len(scratch), 1)
        shell = Shell(self.folder)
        self.addCleanup(shell.close)
        self.assertEqual(shell.type("cd flights")[0], 0)
        code, output = shell.type(scratch[0].rstrip())
        self.assertEqual(code, 0, output)
        self.assertRegex(output, r"(?m)^bronze\.departures .* append .*first run")
        self.assertRegex(output, r"(?m)^bronze\.departures .* appended +109119 rows")
        self.assertRegex(output, r"(?m)^delay +model +trained .* version 1 became champion")
        self.assertRegex(output, r"(?m)^run \S+ succeeded: ")


if __name__ == "__main__":
    program.main()
