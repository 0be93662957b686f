# SPDX-License-Identifier: Apache-2.0
"""The built braid, and projects in folders of their own, for tests of the command line."""
import contextlib
import http.client
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

SECONDS = 120  # until something that should have happened counts as never happening
BRAID = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else ""


def main():
    """TEST.py BRAID [unittest's arguments]"""
    if not os.access(BRAID, os.X_OK):
        sys.exit(f"usage: {sys.argv[0]} BRAID [NAME …]")
    unittest.main(argv=[sys.argv[0]] + sys.argv[2:])


def wait_until(condition, what):
    """The first true value of condition(). Asks often, gives up after SECONDS."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"waited {SECONDS} s in vain: {what}")


class Project:
    """A folder, by default with a braid.yaml, and what is started in it."""

    def __init__(self, folder, yaml="name: test\n"):
        self.folder = pathlib.Path(folder).resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        if yaml is not None:
            self.write("braid.yaml", yaml)

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def run(self, *arguments, stdin=None, cwd=None, env=None, **options):
        """Runs braid to its end: returncode, and stdout, stderr as text, line ends as they are."""
        given = {"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin.encode()}
        answer = subprocess.run([BRAID, *arguments], cwd=cwd or self.folder, env={**os.environ, **(env or {})},
                                timeout=SECONDS, **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **given, **options})
        answer.stdout, answer.stderr = (answer.stdout or b"").decode(), (answer.stderr or b"").decode()
        return answer

    def start(self, *arguments, **options):
        return subprocess.Popen([BRAID, *arguments], cwd=self.folder, text=True, encoding="utf-8",
                                **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options})

    def done(self, *arguments, **options):
        """As run, of a command that must succeed."""
        answer = self.run(*arguments, **options)
        if answer.returncode != 0:
            raise AssertionError(f"braid {' '.join(arguments)} ended with {answer.returncode}:\n{answer.stderr}")
        return answer

    def rows(self, query):
        """The rows of the last result, as objects."""
        return json.loads(self.done("--format", "json", "sql", query).stdout.splitlines()[-1])

    @contextlib.contextmanager
    def serving(self):
        """A server on a port of its own, stopped by SIGTERM at the end."""
        server = Server(self)
        try:
            yield server
        finally:
            server.stop()


class Server:
    def __init__(self, project):
        self.process = project.start("serve", "--listen", "127.0.0.1:0")
        line = self.process.stdout.readline()
        if not line.startswith("listening on http://127.0.0.1:"):
            raise AssertionError(f"the server did not start: {line}{self.process.communicate(timeout=SECONDS)[1]}")
        self.port = int(line.rsplit(":", 1)[1])

    def stop(self):
        """Ends it by SIGTERM, unless it has ended; its exit code and standard error."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        said = self.process.communicate(timeout=SECONDS)[1] if not self.process.stderr.closed else ""
        return self.process.returncode, said

    def ask(self, method, path, body=None, headers=None):
        """Status, headers and the body, decoded when it is JSON. A body that is no text is sent as JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        try:
            if body is not None and not isinstance(body, (str, bytes)):
                body, headers = json.dumps(body), {"Content-Type": "application/json", **(headers or {})}
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            text = response.read().decode()
        finally:
            connection.close()
        is_json = (response.getheader("Content-Type") or "").startswith("application/json") and text
        return response.status, response.headers, json.loads(text) if is_json else text


class ProgramTest(unittest.TestCase):
    """Gives each test a folder, gone afterwards, and a home without anyone's history."""

    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="braid-test-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name).resolve()

    def project(self, yaml="name: test\n", name="project"):
        return Project(self.folder / name, yaml)

    def assert_failed(self, answer, exit_code, error_code):
        self.assertEqual(answer.returncode, exit_code, answer.stderr)
        self.assertIn(f"error[{error_code}]: ", answer.stderr)


class ServedTest(ProgramTest):
    """One served project of `declarations` for all tests of a class."""

    declarations = ""

    @classmethod
    def setUpClass(cls):
        cls.place = tempfile.TemporaryDirectory(prefix="braid-test-")
        cls.shop = Project(cls.place.name)
        cls.shop.write("all.sql", cls.declarations)
        cls.shop.done("run")
        cls.server = Server(cls.shop)

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.place.cleanup()
