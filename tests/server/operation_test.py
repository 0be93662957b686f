#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What operating `braid serve` needs: metrics, request ids and trace context, deadlines, limits, draining, the access log.

    operation_test.py BRAID
"""
import concurrent.futures
import importlib.util
import json
import os
import re
import signal
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
import program  # noqa: E402

DECLARATIONS = """CREATE SERVICE double (x BIGINT) AS SELECT x * 2 AS y FROM request;
CREATE SERVICE slow (n BIGINT) AS SELECT sum(a.range * b.range % 7)::BIGINT AS y FROM request, range(n) a, range(20000) b;
"""
FOREVER = 10**7  # so many rows of slow that no machine is done in time
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\]|\\.)*",?)*)\})? (\S+)')


def samples(text):
    """{(name, labels): value} of Prometheus' text format; anything else is an error."""
    found, declared = {}, set()
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            name = line.split()[2]
            if name in declared:
                raise AssertionError(f"declared twice: {name}")
            declared.add(name)
        elif not line.startswith("# HELP "):
            match = SAMPLE.fullmatch(line)
            if match is None or re.sub(r"_(bucket|sum|count)$", "", match[1]) not in declared and match[1] not in declared:
                raise AssertionError(f"not a sample of something declared: {line}")
            key = (match[1], match[2] or "")
            if key in found:
                raise AssertionError(f"a sample comes twice: {line}")
            found[key] = float(match[3])
    return found


class OperationTest(program.ProgramTest):
    yaml = "name: test\n"

    def setUp(self):
        super().setUp()
        self.shop = self.project(yaml=self.yaml)
        self.shop.write("all.sql", DECLARATIONS)
        self.shop.done("run")
        self.server = program.Server(self.shop)
        self.addCleanup(self.server.stop)

    def ask(self, service, body, **headers):
        return self.server.ask("POST", f"/v1/services/{service}", body, {name.replace("_", "-"): value for name, value in headers.items()})

    def in_flight(self):
        return samples(self.server.ask("GET", "/metrics")[2])[("braid_http_requests_in_flight", "")] - 1  # less the scrape itself


class MetricsTest(OperationTest):
    def test_metrics(self):
        for number in range(3):
            self.assertEqual(self.ask("double", {"rows": [{"x": number}, {"x": "wrong"}]})[0], 200)
        self.assertEqual(self.ask("double", "{", Content_Type="application/json")[0], 400)
        self.assertEqual(self.ask("nobody", {"x": 1})[0], 404)
        status, headers, text = self.server.ask("GET", "/metrics")
        self.assertEqual(status, 200)
        self.assertEqual(headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
        found = samples(text)
        self.assertEqual(found[("braid_requests_total", 'service="double",status="200"')], 3)
        self.assertEqual(found[("braid_requests_total", 'service="double",status="400"')], 1)
        self.assertEqual(found[("braid_rows_total", 'service="double",result="ok"')], 3)
        self.assertEqual(found[("braid_rows_total", 'service="double",result="error"')], 4)
        self.assertEqual(found[("braid_request_duration_seconds_count", 'service="double"')], 4)
        self.assertGreater(found[("braid_request_duration_seconds_sum", 'service="double"')], 0)
        buckets = [value for (name, labels), value in found.items() if name == "braid_request_duration_seconds_bucket" and '"double"' in labels]
        self.assertEqual(buckets, sorted(buckets))
        self.assertEqual(found[("braid_capture_rows_total", 'service="double",state="captured"')], 7)
        self.assertEqual(found[("braid_capture_rows_total", 'service="double",state="served"')], 7)
        self.assertGreaterEqual(found[("braid_capture_commit_seconds_count", "")], 4)
        self.assertGreater(found[("braid_lake_snapshot", "")], 0)
        self.assertEqual(found[("braid_http_requests_total", 'method="POST",status="404"')], 1)
        self.assertFalse([key for key in found if "nobody" in key[1]], "a name that a client made up is a label")
        if importlib.util.find_spec("prometheus_client"):
            from prometheus_client.parser import text_string_to_metric_families
            families = {family.name: family for family in text_string_to_metric_families(text)}
            self.assertEqual(families["braid_request_duration_seconds"].type, "histogram")
            self.assertEqual(families["braid_requests"].type, "counter")
            parsed = [sample for family in families.values() for sample in family.samples]
            self.assertEqual(len(parsed), len(found))


class AccessLogTest(OperationTest):
    yaml = "name: test\nserver: {access_log: access.jsonl}\n"

    def test_ids_traces_and_the_log(self):
        _, headers, _ = self.ask("double", {"x": 1}, X_Request_Id="mine-1", traceparent=TRACE)
        self.assertEqual((headers["X-Request-Id"], headers["traceparent"]), ("mine-1", TRACE))
        _, headers, _ = self.ask("double", {"x": 1}, traceparent="00-nonsense", Authorization="Bearer sesame")
        self.assertRegex(headers["X-Request-Id"], r"^[0-9a-f]{8}-[0-9a-f]{4}-7")
        self.assertNotIn("traceparent", headers)
        self.server.ask("GET", "/v1/services?token=sesame")
        self.server.stop()
        text = (self.shop.folder / "access.jsonl").read_text(encoding="utf-8")
        self.assertNotIn("sesame", text)
        first, second, third = [json.loads(line) for line in text.splitlines()]
        self.assertEqual((first["request_id"], first["trace_id"]), ("mine-1", "4bf92f3577b34da6a3ce929d0e0e4736"))
        self.assertEqual((first["method"], first["path"], first["status"], first["remote"]), ("POST", "/v1/services/double", 200, "127.0.0.1"))
        self.assertEqual(first["bytes_in"], len('{"x": 1}'))
        self.assertGreater(first["ms"], 0)
        self.assertRegex(first["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
        self.assertEqual(second["request_id"], headers["X-Request-Id"])
        self.assertNotIn("trace_id", second)
        self.assertEqual((third["path"], third["status"]), ("/v1/services", 200))
        # An id that the server made is no client's id of the captured row.
        rows = self.shop.rows("SELECT client_request_id AS id FROM inference.double ORDER BY id NULLS LAST")
        self.assertEqual([row["id"] for row in rows], ["mine-1", None])


class DeadlineTest(OperationTest):
    def test_a_request_that_takes_too_long(self):
        begin = time.monotonic()
        status, _, body = self.ask("slow", {"rows": [{"n": FOREVER}, {"n": 1}]}, X_Request_Timeout_Ms="300", X_Request_Id="late-1")
        self.assertLess(time.monotonic() - begin, 60)
        self.assertEqual(status, 504)
        self.assertEqual([row["error"]["code"] for row in body["rows"]], ["INTERRUPTED", "INTERRUPTED"])
        # The worker is free again, and the next request is not stopped for the last one's sake.
        self.assertEqual(self.ask("slow", {"n": 1})[0], 200)
        self.assertEqual(self.ask("double", {"x": 4}, X_Request_Timeout_Ms="60000")[2]["rows"][0]["y"], 8)
        rows = self.shop.rows("SELECT status, error, input.n AS n FROM inference.slow WHERE client_request_id = 'late-1' ORDER BY n")
        self.assertEqual([(row["status"], row["n"]) for row in rows], [("error", 1), ("error", FOREVER)])
        self.assertIn("INTERRUPTED", rows[0]["error"])
        inputs = {"inputs": [{"name": "n", "datatype": "INT64", "shape": [1], "data": [FOREVER]}]}
        status, _, body = self.server.ask("POST", "/v2/models/slow/infer", inputs, {"X-Request-Timeout-Ms": "300"})
        self.assertEqual(status, 504)
        self.assertIsInstance(body["error"], str)

    def test_times_that_are_none(self):
        for value in ("0", "-1", "soon", "1.5", "99999999999"):
            self.assertEqual(self.ask("double", {"x": 1}, X_Request_Timeout_Ms=value)[0], 400)


class LimitsTest(OperationTest):
    yaml = "name: test\nserver: {timeout_ms: 3000, max_body_bytes: 2000, max_queued_requests: 1}\n"

    def test_limits_and_back_pressure(self):
        self.assertEqual(self.ask("double", {"rows": [{"x": 1}] * 300})[0], 413)
        askers = (os.cpu_count() or 1) + 5
        with concurrent.futures.ThreadPoolExecutor(askers) as pool:
            answers = list(pool.map(lambda _: self.ask("slow", {"n": FOREVER}), range(askers)))
        statuses = [status for status, _, _ in answers]
        self.assertEqual(set(statuses), {503, 504}, statuses)
        for status, headers, body in answers:
            if status == 503:
                self.assertGreaterEqual(int(headers["Retry-After"]), 1)
                self.assertEqual(body["error"]["code"], "OVERLOADED")
        self.assertEqual(self.ask("double", {"x": 1})[0], 200)
        account = samples(self.server.ask("GET", "/metrics")[2])
        shed = statuses.count(503)
        self.assertEqual(account[("braid_requests_total", 'service="slow",status="503"')], shed)


class DrainTest(OperationTest):
    def test_sigterm(self):
        answers = []
        asking = threading.Thread(target=lambda: answers.append(self.ask("slow", {"n": FOREVER}, X_Request_Timeout_Ms="4000")))
        asking.start()
        program.wait_until(lambda: self.in_flight() >= 1 or answers, "the request to be in flight")
        self.assertEqual(answers, [])
        self.server.process.send_signal(signal.SIGTERM)
        status, headers, body = program.wait_until(
            lambda: (lambda answer: answer if answer[0] == 503 else None)(self.server.ask("GET", "/readyz")), "readiness to fall")
        self.assertEqual((body["status"], headers["Connection"]), ("stopping", "close"))
        status, headers, body = self.ask("double", {"x": 1})
        self.assertEqual((status, headers["Connection"], body["error"]["code"]), (503, "close", "OVERLOADED"))
        self.assertTrue(headers["Retry-After"])
        status, _, body = self.server.ask("GET", "/v2/health/ready")
        self.assertEqual((status, body), (503, {"live": True, "ready": False}))
        self.assertEqual(self.server.ask("GET", "/healthz")[0], 200)
        asking.join(program.SECONDS)
        self.assertEqual(answers[0][0], 504)  # it went on until its own time was over
        self.assertEqual(self.server.stop()[0], 0)
        self.assertEqual(self.shop.rows("SELECT count(*) AS n FROM inference.slow"), [{"n": 1}])


class SettingsTest(program.ProgramTest):
    def test_settings_that_are_wrong(self):
        for setting in ("timeout_ms: soon", "timeout_ms: -1", "max_body_bytes: 1", "max_connections: 0", "access_log: ''", "acess_log: off"):
            with self.subTest(setting=setting):
                project = self.project(yaml=f"name: test\nserver: {{{setting}}}\n", name=str(abs(hash(setting))))
                self.assert_failed(project.run("check"), 4, "CONFIG_INVALID")
        project = self.project(yaml="name: test\nserver: {access_log: no/such/folder/log}\n", name="nowhere")
        self.assert_failed(project.run("serve", "--listen", "127.0.0.1:0"), 1, "IO")


if __name__ == "__main__":
    program.main()
