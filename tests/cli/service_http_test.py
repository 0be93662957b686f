#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`braid serve` over HTTP: endpoints, shapes, refusals, limits, draining.

    service_http_test.py BRAID
"""
import signal
import socket
import threading

import program
from sharing_test import processor_seconds

DECLARATIONS = """CREATE MATERIALIZED VIEW gold.points AS SELECT range AS x, range % 3 AS kind, range * 2.0 + range % 3 AS y FROM range(90);
CREATE MODEL line OPTIONS (model_type = 'linear_reg', input_label_cols = ['y']) AS SELECT x, 'k' || kind AS kind, y FROM gold.points;
CREATE MATERIALIZED VIEW gold.names AS SELECT range AS id, 'name ' || range AS name FROM range(5);
CREATE SERVICE guess (x BIGINT, kind VARCHAR) OPTIONS (outcome = 'y DOUBLE') AS
  SELECT p.predicted_y AS y, n.name FROM ML.PREDICT(MODEL line, (SELECT x, kind FROM request)) p
  LEFT JOIN gold.names n ON n.id = p.x;
CREATE SERVICE double (x BIGINT) AS SELECT x * 2 AS y FROM request;
CREATE SERVICE picky (x BIGINT) AS SELECT x FROM request, range(x);
CREATE SERVICE slow (n BIGINT) AS SELECT sum(a.range * b.range % 7)::BIGINT AS y FROM request, range(n) a, range(20000) b;
CREATE SERVICE every (flag BOOLEAN, small TINYINT, exact DECIMAL(9, 2), day DATE, moment TIMESTAMPTZ, text VARCHAR, list INTEGER[],
  record STRUCT(a INTEGER, b VARCHAR)) AS SELECT * FROM request;
"""
MOST_ROWS = 10000
MOST_BYTES = 8 << 20


class ServedTest(program.ServedTest):
    declarations = DECLARATIONS

    def call(self, service, body, **headers):
        return self.server.ask("POST", f"/v1/services/{service}", body, {name.replace("_", "-"): value for name, value in headers.items()})

    def assert_refused(self, answer, status, code):
        self.assertEqual(answer[0], status, answer[2])
        self.assertEqual(set(answer[2]), {"error"})
        self.assertEqual(set(answer[2]["error"]), {"code", "message", "hint"})
        self.assertEqual(answer[2]["error"]["code"], code)
        self.assertTrue(answer[1]["Content-Type"].startswith("application/json"))
        if status in (429, 503):
            self.assertTrue(int(answer[1]["Retry-After"]) >= 1)


class AskTest(ServedTest):
    def test_one_row_and_its_capture(self):
        status, _, body = self.call("guess", {"x": 4, "kind": "k1"}, X_Request_Id="mine-1")
        self.assertEqual(status, 200)
        self.assertEqual(set(body), {"rows"})
        (row,) = body["rows"]
        self.assertEqual(list(row), ["inference_id", "y", "name"])
        self.assertAlmostEqual(row["y"], 9, places=6)
        self.assertEqual(row["name"], "name 4")
        (captured,) = self.shop.rows("SELECT * FROM inference.guess WHERE client_request_id = 'mine-1'")
        self.assertEqual(list(captured), ["inference_id", "client_request_id", "arrived_at", "answered_at", "status", "error",
                                          "service_version", "model_versions", "lake_snapshot", "principal", "input", "output"])
        self.assertEqual(captured["inference_id"], row["inference_id"])
        self.assertEqual((captured["status"], captured["error"], captured["model_versions"]), ("ok", None, {"line": 1}))
        self.assertEqual(captured["input"], {"x": 4, "kind": "k1"})
        self.assertEqual(captured["output"], {"y": row["y"], "name": "name 4"})
        self.assertEqual(captured["inference_id"][14], "7")  # UUID version 7

    def test_rows_in_the_order_of_the_request_and_the_same_over_a_table(self):
        asked = [{"x": x, "kind": f"k{x % 4}"} for x in (7, 3, 0, 12, 4)]  # k3: not seen in training
        served = self.call("guess", {"rows": asked})[2]["rows"]
        values = ", ".join(f"({number}, {row['x']}, '{row['kind']}')" for number, row in enumerate(asked))
        table = self.shop.rows(f"SELECT * FROM guess(TABLE (SELECT x, kind FROM (VALUES {values}) t(i, x, kind) ORDER BY i))")
        before = len({row["inference_id"] for row in served})
        self.assertEqual(before, len(asked))
        key = lambda row: row["y"]  # noqa: E731: SQL promises no order
        self.assertEqual(sorted(({"y": row["y"], "name": row["name"]} for row in served), key=key), sorted(table, key=key))
        for row, question in zip(served, asked):
            self.assertEqual(row["name"], f"name {question['x']}" if question["x"] < 5 else None)

    def test_a_row_that_fails_leaves_the_others_alone(self):
        status, _, body = self.call("picky", {"rows": [{"x": 1}, {"x": 0}, {"x": 2}, {"x": 1}]})
        self.assertEqual(status, 200)
        self.assertEqual([row.get("x") for row in body["rows"]], [1, None, None, 1])
        for row in body["rows"][1:3]:
            self.assertEqual(set(row), {"inference_id", "error"})
            self.assertEqual(row["error"]["code"], "SERVICE_ROW_COUNT")
            self.assertEqual(set(row["error"]), {"code", "message", "hint"})
        failed = self.shop.rows("SELECT input.x AS x, output FROM inference.picky WHERE status = 'error' ORDER BY x")
        self.assertEqual(failed, [{"x": 0, "output": None}, {"x": 2, "output": None}])

    def test_each_type_comes_back(self):
        row = {"flag": True, "small": -7, "exact": "12.50", "day": "2024-02-29", "moment": "2024-01-02T03:04:05Z", "text": "é\"\n日",
               "list": [1, None, 3], "record": {"a": 1, "b": "x"}}
        (answer,) = self.call("every", row)[2]["rows"]
        answer.pop("inference_id")
        self.assertEqual(answer, row)
        (answer,) = self.call("every", {})[2]["rows"]
        self.assertEqual(set(answer.values()) - {answer["inference_id"]}, {None})

    def test_wrong_types(self):
        for field, value in (("flag", "yes"), ("small", 300), ("small", 1.5), ("small", "x"), ("exact", "many"), ("day", "2024-02-30"),
                             ("moment", 5), ("text", 5), ("list", 1), ("record", 1)):
            with self.subTest(field=field, value=value):
                self.assert_row_refused(self.call("every", {field: value}), "WRONG_TYPE", field)
        for value in ({"list": ["a"]}, {"record": {"a": "x"}}, {"record": {"c": 1}}):
            (row,) = self.call("every", value)[2]["rows"]
            self.assertIn(row["error"]["code"], ("WRONG_TYPE", "CONVERSION"))
        self.assert_row_refused(self.call("double", {"xx": 1}), "MALFORMED_REQUEST", "xx")
        self.assert_row_refused(self.call("double", {"rows": [1]}), "MALFORMED_REQUEST", "object")

    def assert_row_refused(self, answer, code, what):
        """A row fails by itself, so that the others of its request are answered."""
        self.assertEqual(answer[0], 200)
        (row,) = answer[2]["rows"]
        self.assertEqual(set(row), {"inference_id", "error"})
        self.assertEqual(row["error"]["code"], code)
        self.assertIn(what, row["error"]["message"])


class RefusalTest(ServedTest):
    def test_malformed_bodies(self):
        for body in ("", "{", "[]", "7", '{"x": 1} trailing', '{"x": 1, "x": 2}', '{"x": 01}', b"\xff\xfe",
                     "[" * 100000):
            with self.subTest(body=body[:30]):
                self.assert_refused(self.call("double", body, Content_Type="application/json"), 400, "MALFORMED_REQUEST")

    def test_what_is_not_there(self):
        answer = self.call("dubble", {"x": 1})
        self.assert_refused(answer, 404, "SERVICE_NOT_FOUND")
        self.assertIn("double", answer[2]["error"]["hint"])
        self.assert_refused(self.server.ask("GET", "/v1/services/dubble"), 404, "SERVICE_NOT_FOUND")
        self.assert_refused(self.server.ask("GET", "/v1/servces"), 404, "ROUTE_NOT_FOUND")
        self.assert_refused(self.server.ask("GET", "/"), 404, "ROUTE_NOT_FOUND")
        answer = self.server.ask("DELETE", "/v1/services/double")
        self.assert_refused(answer, 405, "METHOD_NOT_ALLOWED")
        self.assertIn("POST", answer[1]["Allow"])

    def test_other_media(self):
        self.assert_refused(self.call("double", "<x/>", Content_Type="text/xml"), 415, "UNSUPPORTED_MEDIA_TYPE")
        self.assertEqual(self.call("double", '{"x": 1}', Content_Type="application/json; charset=utf-8")[0], 200)
        self.assertEqual(self.call("double", '{"x": 1}')[0], 200)

    def test_sizes(self):
        rows = [{"x": number} for number in range(MOST_ROWS)]
        status, _, body = self.call("double", {"rows": rows})
        self.assertEqual((status, [row["y"] for row in body["rows"]]), (200, [2 * number for number in range(MOST_ROWS)]))
        self.assert_refused(self.call("double", {"rows": rows + [{"x": 1}]}), 413, "TOO_LARGE")
        self.assertEqual(self.declared_length(MOST_BYTES + 1), 413)
        self.assertEqual(self.call("double", '{"x": 1}' + " " * (MOST_BYTES - 8))[0], 200)

    def declared_length(self, length):
        """The status for a body of that length, of which nothing is sent."""
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=program.SECONDS) as connection:
            connection.sendall(f"POST /v1/services/double HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode())
            return int(connection.makefile("rb").readline().split()[1])

    def test_a_malformed_body_is_captured_and_an_unknown_service_is_not(self):
        self.call("double", "{", X_Request_Id="bad-1")
        rows = self.shop.rows("SELECT status, input, output, error FROM inference.double WHERE client_request_id = 'bad-1'")
        self.assertEqual([(row["status"], row["input"], row["output"]) for row in rows], [("error", None, None)])
        self.assertIn("MALFORMED_REQUEST", rows[0]["error"])


class EndpointTest(ServedTest):
    def test_health(self):
        self.assertEqual(self.server.ask("GET", "/healthz")[0], 200)
        self.assertEqual(self.server.ask("GET", "/readyz")[0], 200)
        self.assertEqual(self.server.ask("HEAD", "/healthz")[2], "")

    def test_services(self):
        status, _, body = self.server.ask("GET", "/v1/services")
        self.assertEqual((status, sorted(one["name"] for one in body["services"])), (200, ["double", "every", "guess", "picky", "slow"]))
        status, _, one = self.server.ask("GET", "/v1/services/guess")
        self.assertEqual(status, 200)
        self.assertIn(one, body["services"])
        self.assertEqual(one["parameters"], [{"name": "x", "type": "BIGINT"}, {"name": "kind", "type": "VARCHAR"}])
        self.assertEqual(one["outputs"], [{"name": "y", "type": "DOUBLE"}, {"name": "name", "type": "VARCHAR"}])
        self.assertEqual((one["version"], one["model_versions"]), (1, {"line": 1}))

    def test_openapi(self):
        status, _, document = self.server.ask("GET", "/openapi.json")
        self.assertEqual(status, 200)
        self.assertTrue(document["openapi"].startswith("3."))
        for path in ("/v1/services/guess", "/v1/services/double", "/v1/feedback", "/v1/services", "/healthz", "/readyz"):
            self.assertIn(path, document["paths"])


class FeedbackTest(ServedTest):
    def give(self, *rows, service="guess"):
        return self.server.ask("POST", "/v1/feedback", {"service": service, "rows": list(rows)})

    def test_known_and_unknown(self):
        identity = self.call("guess", {"x": 1, "kind": "k1"}, X_Request_Id="fb-1")[2]["rows"][0]["inference_id"]
        status, _, body = self.give(
            {"inference_id": identity, "outcome": {"y": 3.5}},
            {"client_request_id": "fb-1", "outcome": {"y": 4}, "origin": "human", "annotator": "ann", "observed_at": "2024-01-02T03:04:05Z"},
            {"client_request_id": "not-yet", "outcome": {"y": 5}})
        self.assertEqual((status, body), (200, {"accepted": 3, "unknown": 1}))
        rows = self.shop.rows("SELECT origin, annotator, observed_at, outcome.y AS y FROM feedback.guess ORDER BY y")
        self.assertEqual([(row["origin"], row["annotator"], row["y"]) for row in rows],
                         [("outcome", None, 3.5), ("human", "ann", 4.0), ("outcome", None, 5.0)])
        self.assertEqual(rows[1]["observed_at"], "2024-01-02T03:04:05Z")

    def test_refusals(self):
        identity = "01a212b4-3e14-700e-9adc-7b65cc0fffca"
        self.assert_refused(self.give({"inference_id": identity, "outcome": {"y": "much"}}), 422, "WRONG_TYPE")
        self.assert_refused(self.give({"inference_id": identity, "outcome": {"y": 1}}, service="gess"), 404, "SERVICE_NOT_FOUND")
        for body in ("{", '{"service": "guess"}', '{"rows": []}'):
            answer = self.server.ask("POST", "/v1/feedback", body, {"Content-Type": "application/json"})
            self.assert_refused(answer, 400, "MALFORMED_REQUEST")
        for row in ({"outcome": {"y": 1}}, {"inference_id": identity}, {"inference_id": "nonsense", "outcome": {"y": 1}},
                    {"inference_id": identity, "outcome": {"y": 1}, "origin": "guesswork"}):
            with self.subTest(row=row):
                answer = self.give(row)
                self.assertIn(answer[0], (400, 422), answer)
                self.assertIn("error", answer[2])


class LifeTest(program.ProgramTest):
    def setUp(self):
        super().setUp()
        self.shop = self.project()
        self.shop.write("all.sql", DECLARATIONS)
        self.shop.done("run")

    def test_only_loopback(self):
        for address in ("0.0.0.0:0", "[::]:0", "192.0.2.1:0"):
            answer = self.shop.run("serve", "--listen", address)
            self.assert_failed(answer, 2, "USAGE")
            self.assertEqual(answer.stdout, "")
        self.assert_failed(self.shop.run("serve", "--listen", "nonsense"), 2, "USAGE")

    def test_a_port_that_is_taken(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            self.assert_failed(self.shop.run("serve", "--listen", f"127.0.0.1:{taken.getsockname()[1]}"), 1, "IO")

    def test_a_new_version_answers_without_a_restart(self):
        with self.shop.serving() as server:
            ask = lambda: server.ask("POST", "/v1/services/double", {"x": 21})[2]["rows"][0]["y"]  # noqa: E731
            self.assertEqual(ask(), 42)
            self.shop.write("all.sql", DECLARATIONS.replace("x * 2 AS y", "x * 3 AS y"))
            self.shop.done("run")
            self.assertEqual(ask(), 63)
            self.assertEqual(server.ask("GET", "/v1/services/double")[2]["version"], 2)
        versions = self.shop.rows("SELECT service_version AS v, output.y AS y FROM inference.double ORDER BY v")
        self.assertEqual(versions, [{"v": 1, "y": 42}, {"v": 2, "y": 63}])

    def test_sigterm_lets_a_request_finish(self):
        server = program.Server(self.shop)
        answers = []
        asking = threading.Thread(target=lambda: answers.append(server.ask("POST", "/v1/services/slow", {"n": 5000})))
        begin = processor_seconds(server.process)
        asking.start()
        program.wait_until(lambda: processor_seconds(server.process) > begin + 0.1 or answers, "the request to be worked on")
        self.assertEqual(answers, [], "the request is too quick to be in flight")
        server.process.send_signal(signal.SIGTERM)
        asking.join(program.SECONDS)
        self.assertEqual(server.stop()[0], 0)
        self.assertEqual(answers[0][0], 200)
        self.assertEqual(self.shop.rows("SELECT status FROM inference.slow"), [{"status": "ok"}])
        with self.assertRaises(OSError):
            server.ask("GET", "/healthz")


if __name__ == "__main__":
    program.main()
