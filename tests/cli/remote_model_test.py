#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Models that a server answers for: what is asked, what comes back, faults of the server, and where remote models may be used.

    remote_model_test.py BRAID
"""
import json
import os
import signal
import time

import program
from open_inference import StandIn

LINE = "CREATE MODEL line REMOTE WITH CONNECTION scorer OPTIONS (endpoint = 'line'{});"
ASK = "SELECT y FROM ML.PREDICT(MODEL line, (SELECT 3.5 AS x))"


class RemoteModelTest(program.ProgramTest):
    def setUp(self):
        super().setUp()
        for name in list(os.environ):  # a proxy of the machine's would come between
            if name.lower().endswith("_proxy"):
                self.addCleanup(os.environ.__setitem__, name, os.environ.pop(name))
        self.server = StandIn().__enter__()
        self.addCleanup(self.server.__exit__)
        self.shop = self.project(self.server.yaml())

    def create(self, text=LINE.format("")):
        return self.shop.done("sql", text)

    def refused(self, sql, code):
        answer = self.shop.run("sql", sql)
        self.assert_failed(answer, 1, code)
        return answer.stderr

    def asked(self):
        """The bodies of the requests for answers."""
        return [body for _, _, body in self.server.requests if body]


class AskTest(RemoteModelTest):
    def test_the_signature_is_the_servers_when_none_is_declared(self):
        self.create()
        self.assertEqual(self.shop.rows("SELECT * FROM ML.PREDICT(MODEL line, (SELECT range AS x FROM range(3)))"),
                         [{"y": 1.0, "x": 0}, {"y": 3.0, "x": 1}, {"y": 5.0, "x": 2}])
        self.assertEqual(self.asked(), [{"inputs": [{"name": "x", "shape": [3], "datatype": "FP64", "data": [0, 1, 2]}],
                                         "outputs": [{"name": "y"}]}])
        self.assertEqual([path for path, _, _ in self.server.requests], ["/v2/models/line", "/v2/models/line/infer"])

    def test_lists_texts_integers_and_truth_values(self):
        self.create("""CREATE MODEL wide INPUT (features FLOAT[3], note VARCHAR, count INTEGER, flag BOOLEAN)
          OUTPUT (opposite BOOLEAN, label VARCHAR, next BIGINT, total DOUBLE, ends DOUBLE[2])
          REMOTE WITH CONNECTION scorer OPTIONS (endpoint = 'wide');""")
        query = """SELECT * EXCLUDE (features) FROM ML.PREDICT(MODEL wide, (FROM (VALUES (1, [1, 2, 3], 'größer "so"', 7, true),
          (2, [4.5, 5, 6], '', -8, false)) t(id, features, note, count, flag))) ORDER BY id"""
        self.assertEqual(self.shop.rows(query), [
            {"opposite": False, "label": 'GRÖSSER "SO"', "next": 8, "total": 6.0, "ends": [1.0, 3.0], "id": 1, "note": 'größer "so"',
             "count": 7, "flag": True},
            {"opposite": True, "label": "", "next": -7, "total": 15.5, "ends": [4.5, 6.0], "id": 2, "note": "", "count": -8, "flag": False}])
        (body,) = self.asked()
        self.assertEqual([(given["datatype"], given["shape"]) for given in body["inputs"]],
                         [("FP32", [2, 3]), ("BYTES", [2, 1]), ("INT32", [2]), ("BOOL", [2])])

    def test_rows_with_null_are_not_sent(self):
        self.create()
        self.assertEqual(self.shop.rows("""SELECT x, y FROM ML.PREDICT(MODEL line, (FROM (VALUES (1.0), (NULL), ('nan'::DOUBLE), (2.0)) t(x)))
          WHERE x IS NULL OR NOT isnan(x) ORDER BY x NULLS LAST"""), [{"x": 1.0, "y": 3.0}, {"x": 2.0, "y": 5.0}, {"x": None, "y": None}])
        self.assertEqual([body["inputs"][0]["data"] for body in self.asked()], [[1, 2]])
        self.assertEqual(self.shop.rows("SELECT y FROM ML.PREDICT(MODEL line, (SELECT NULL::DOUBLE AS x))"), [{"y": None}])
        self.assertEqual(len(self.asked()), 1)  # nothing to ask
        self.assertIn("x is infinite", self.refused("SELECT y FROM ML.PREDICT(MODEL line, (SELECT 'inf'::DOUBLE AS x))", "MODEL_INPUT"))

    def test_whole_batches(self):
        self.create()
        self.assertEqual(self.shop.rows("SELECT count(*) AS n, sum(y) AS s FROM ML.PREDICT(MODEL line, (SELECT range AS x FROM range(5000)))"),
                         [{"n": 5000, "s": 5000.0 * 5000}])
        self.assertEqual([body["inputs"][0]["shape"] for body in self.asked()], [[2048], [2048], [904]])
        self.server.requests.clear()
        self.create("CREATE OR REPLACE MODEL line REMOTE WITH CONNECTION scorer OPTIONS (endpoint = 'line', max_batching_rows = 700);")
        self.assertEqual(self.shop.rows("SELECT sum(y) AS s FROM ML.PREDICT(MODEL line, (SELECT range AS x FROM range(2000)))"), [{"s": 4e6}])
        self.assertEqual([body["inputs"][0]["shape"] for body in self.asked()], [[700], [700], [600]])

    def test_a_model_of_one_row_is_asked_row_by_row(self):
        self.create("CREATE MODEL single REMOTE WITH CONNECTION scorer OPTIONS (endpoint = 'single');")
        self.assertEqual(self.shop.rows("SELECT sum(y) AS s FROM ML.PREDICT(MODEL single, (SELECT range AS x FROM range(4)))"), [{"s": 16.0}])
        self.assertEqual([body["inputs"][0]["shape"] for body in self.asked()], [[1, 1]] * 4)

    def test_a_server_that_does_not_tell(self):
        answer = self.create("CREATE MODEL quiet INPUT (x DOUBLE) OUTPUT (y DOUBLE) REMOTE WITH CONNECTION scorer OPTIONS (endpoint = 'untold');")
        self.assertIn("the server does not say what its model takes and gives", answer.stderr)
        self.assertEqual(self.shop.rows("SELECT y FROM ML.PREDICT(MODEL quiet, (SELECT 1 AS x))"), [{"y": 3.0}])
        self.assertIn("write INPUT", self.refused("CREATE MODEL q REMOTE WITH CONNECTION scorer OPTIONS (endpoint = 'untold')", "MODEL_IMPORT"))


class SignatureTest(RemoteModelTest):
    def test_what_does_not_fit_is_refused_at_create(self):
        text = "CREATE MODEL m INPUT ({}) OUTPUT ({}) REMOTE WITH CONNECTION scorer OPTIONS (endpoint = 'line')"
        for inputs, outputs, told in [("x VARCHAR", "y DOUBLE", "INPUT x VARCHAR does not fit the server's x FP64 [-1]"),
                                      ("x DOUBLE[2]", "y DOUBLE", "does not fit"), ("z DOUBLE", "y DOUBLE", "no such input: z"),
                                      ("x DOUBLE", "z DOUBLE", "no such output: z"), ("x DOUBLE", "y BIGINT", "OUTPUT y BIGINT does not fit"),
                                      ("x DATE", "y DOUBLE", "INPUT takes no such type: x DATE")]:
            self.assertIn(told, self.refused(text.format(inputs, outputs), "MODEL_IMPORT"))
        for endpoint, told in [("fixed", "takes no rows one by one"), ("open", "cannot be filled"), ("unsigned", "without a type in SQL")]:
            self.assertIn(told, self.refused(f"CREATE MODEL m REMOTE WITH CONNECTION scorer OPTIONS (endpoint = '{endpoint}')", "MODEL_IMPORT"))
        self.assertIn("HTTP 404", self.refused("CREATE MODEL m REMOTE WITH CONNECTION scorer OPTIONS (endpoint = 'nobody')", "REMOTE_SERVER"))
        self.assertEqual(self.shop.rows("SELECT count(*) AS n FROM braid.model_version"), [{"n": 0}])

    def test_sql_names_no_address(self):
        self.refused("CREATE MODEL m REMOTE WITH CONNECTION scorer OPTIONS (endpoint = 'http://127.0.0.1:9')", "INVALID_OPTION")
        self.refused("CREATE MODEL m REMOTE WITH CONNECTION scorer OPTIONS (endpoint = '..')", "INVALID_OPTION")
        self.assertIn("did you mean scorer?", self.refused("CREATE MODEL m REMOTE WITH CONNECTION scorrer OPTIONS (endpoint = 'line')", "NOT_FOUND"))
        self.refused("CREATE MODEL m REMOTE WITH CONNECTION scorer OPTIONS (endpoint = 'line', url = 'http://x')", "INVALID_OPTION")
        self.refused("CREATE MODEL m OPTIONS (model_type = 'remote', endpoint = 'line')", "INVALID_OPTION")


class FaultTest(RemoteModelTest):
    def fault(self, *faults, options=""):
        self.create(f"CREATE OR REPLACE MODEL line REMOTE WITH CONNECTION scorer OPTIONS (endpoint = 'line'{options});")
        self.server.requests.clear()
        self.server.faults[:] = faults

    def test_unavailable_servers_are_asked_again(self):
        self.fault((503, {"error": "warming up"}), (502, b"bad gateway"))
        self.assertEqual(self.shop.rows(ASK), [{"y": 8.0}])
        self.assertEqual(len(self.asked()), 3)
        self.fault(*[(504, b"")] * 9, options=", max_retries = 1")
        self.assertIn("HTTP 504, after 2 tries", self.refused(ASK, "REMOTE_SERVER"))
        self.assertEqual(len(self.asked()), 2)

    def test_other_failures_are_told_at_once(self):
        for status in (400, 500, 302):
            self.fault((status, {"error": "x must\nbe small"}))
            said = self.refused(ASK, "REMOTE_SERVER")
            self.assertIn(f"HTTP {status} to POST {self.server.url}/v2/models/line/infer: x must be small", said)
            self.assertEqual(len(self.asked()), 1)

    def test_slow_servers(self):
        self.fault((200, b"{}", 5), options=", timeout_ms = 300")
        began = time.monotonic()
        self.assertIn("within 300 ms", self.refused(ASK, "REMOTE_SERVER"))
        self.assertLess(time.monotonic() - began, 4)
        self.assertEqual(len(self.asked()), 1)  # a try that timed out is not repeated

    def test_answers_that_are_none(self):
        def answer(**keys):
            return 200, {"outputs": [{"name": "y", "datatype": "FP64", "shape": [1], "data": [1], **keys}]}

        for fault, told in [((200, b"garbage"), "no JSON"), ((200, b'{"outputs": [{"name": "y", "datatype": "FP64", "shape": [1], "data": [NaN]}]}'), "no JSON"),
                            ((200, {}), "no outputs"), (answer(name="z"), "lacks output y"), (answer(shape=[2], data=[1, 2]), "shape [2] for 1 rows"),
                            (answer(data=[]), "0 values"), (answer(data=[None]), "null"), (answer(data=["7"]), '"7"'), (answer(datatype="INT64"), "INT64"),
                            ((200, b"\xff" * 10), "no JSON"), ((200, b" " * (65 << 20)), "more than 64 MiB")]:
            self.fault(fault)
            said = self.refused(ASK, "REMOTE_SERVER")
            self.assertIn(told, said)
            self.assertIn(f"POST {self.server.url}/v2/models/line/infer", said)

    def test_ctrl_c_does_not_wait_for_the_server(self):
        for faults in ([(200, b"{}", 60)], [(503, b"")] * 99):  # within a request, and between two
            self.fault(*faults, options=", max_retries = 20")
            asking = self.shop.start("sql", ASK)
            program.wait_until(self.asked, "a request")
            began = time.monotonic()
            asking.send_signal(signal.SIGINT)
            asking.communicate(timeout=program.SECONDS)
            self.assertEqual(asking.returncode, 130)
            self.assertLess(time.monotonic() - began, 5)

    def test_nobody_listens(self):
        self.create()
        self.server.__exit__()
        self.assertIn("cannot be reached, after 4 tries", self.refused(ASK, "REMOTE_SERVER"))


class UseTest(RemoteModelTest):
    def test_the_token_is_sent_and_never_shown(self):
        with StandIn(token="s3cr3t-t0ken") as guarded:
            self.shop.write("braid.yaml", guarded.yaml(token="${SCORER_TOKEN}"))
            said = self.shop.run("sql", LINE.format(""), env={"SCORER_TOKEN": "wrong-s3cret"})
            self.assert_failed(said, 1, "REMOTE_SERVER")
            self.assertIn("no such token: Bearer ***", said.stderr)
            env = {"SCORER_TOKEN": "s3cr3t-t0ken"}
            self.shop.done("sql", LINE.format(""), env=env)
            answer = self.shop.done("--format", "json", "sql", ASK + "; DESCRIBE MODEL line; SHOW MODELS; FROM braid.object", env=env)
            self.assertEqual(json.loads(answer.stdout.splitlines()[0]), [{"y": 8.0}])
            self.assertNotIn("s3cr3t", answer.stdout + answer.stderr)
            for path in (self.shop.folder / ".braid").rglob("*"):
                self.assertFalse(path.is_file() and b"s3cr3t" in path.read_bytes(), path)
            self.assert_failed(self.shop.run("sql", ASK), 4, "CONFIG_INVALID")  # the variable is not set

    def test_versions_say_where_they_are_answered(self):
        self.create()
        self.create("CREATE OR REPLACE MODEL line REMOTE WITH CONNECTION scorer OPTIONS (endpoint = 'line', model_version = '1', timeout_ms = 900);")
        shown = self.shop.rows("SHOW MODELS")
        self.assertEqual([(row["version"], row["type"], row["aliases"]) for row in shown],
                         [(1, "remote (scorer: line)", None), (2, "remote (scorer: line)", "champion")])
        told = {row["property"]: row["value"] for row in self.shop.rows("DESCRIBE MODEL line@2")}
        self.assertEqual(told["answered by"], f"connection scorer, {self.server.url}/v2/models/line/versions/1")
        self.assertEqual((told["type"], told["input x"], told["output y"]), ("remote", "DOUBLE", "DOUBLE"))
        self.server.requests.clear()
        self.shop.done("sql", ASK.replace("MODEL line", "MODEL line@1") + ";" + ASK)
        self.assertEqual([path for path, _, _ in self.server.requests], ["/v2/models/line/infer", "/v2/models/line/versions/1/infer"])
        self.shop.done("sql", "ALTER MODEL line@1 SET ALIAS champion")
        self.shop.write("braid.yaml", "name: test\n")
        self.assertIn("braid.yaml names no such connection: scorer", self.refused(ASK, "NOT_FOUND"))
        self.assertIn("not in braid.yaml", self.shop.done("sql", "DESCRIBE MODEL line").stdout)

    def test_what_needs_the_weights_is_refused(self):
        self.create()
        rows = "(SELECT 1.0 AS x, 2.0 AS y)"
        for call in ["WEIGHTS(MODEL line)", "FEATURE_IMPORTANCE(MODEL line)", "TRAINING_INFO(MODEL line)", f"EXPLAIN_PREDICT(MODEL line, {rows})",
                     f"GLOBAL_EXPLAIN(MODEL line, {rows})", f"EVALUATE(MODEL line, {rows})", "EVALUATE(MODEL line)", f"TRANSFORM(MODEL line, {rows})",
                     f"CONFUSION_MATRIX(MODEL line, {rows})", f"ROC_CURVE(MODEL line, {rows})", f"PREDICT_INTERVAL(MODEL line, {rows})",
                     f"DETECT_ANOMALIES(MODEL line, STRUCT(0.1 AS contamination), {rows})", f"PREDICT_CONFORMAL(MODEL line, {rows}, {rows})",
                     f"PREDICT_CALIBRATED(MODEL line, {rows}, {rows})", f"CALIBRATION_CURVE(MODEL line, {rows})",
                     f"EVALUATE_CALIBRATION(MODEL line, {rows})", f"COMPARE(MODEL line, MODEL line@1, {rows})", "FEATURE_INFO(MODEL line)",
                     f"VALIDATE_DATA_SKEW(MODEL line, {rows})", f"PERMUTATION_IMPORTANCE(MODEL line, {rows})", f"RECOMMEND(MODEL line, {rows})",
                     f"EVALUATE(MODEL line, {rows}, STRUCT(['x'] AS slice_cols))"]:
            with self.subTest(call=call):
                self.assertIn("remote", self.refused(f"SELECT * FROM ML.{call}", "NOT_SUPPORTED"))
        self.assertIn("remote", self.refused("EXPORT MODEL line OPTIONS (uri = 'out')", "EXPORT_UNSUPPORTED"))
        self.assertEqual(self.asked(), [])

    def test_in_a_project_and_a_service(self):
        self.shop.write("all.sql", LINE.format(", max_retries = 0") + """
          CREATE MATERIALIZED VIEW gold.scored AS SELECT x, y FROM ML.PREDICT(MODEL line, (SELECT range AS x FROM range(10)));
          CREATE SERVICE score (x DOUBLE) AS SELECT y FROM ML.PREDICT(MODEL line, TABLE request);""")
        self.assertIn("connected", self.shop.done("run").stderr)
        self.assertEqual(self.shop.rows("SELECT sum(y) AS s FROM gold.scored"), [{"s": 100.0}])
        asked = len(self.asked())
        self.shop.done("run")
        self.assertEqual(len(self.asked()), asked)  # nothing changed
        with self.shop.serving() as served:
            status, _, body = served.ask("POST", "/v1/services/score", {"rows": [{"x": 1}, {"x": 2}, {"x": None}]})
            self.assertEqual((status, [row["y"] for row in body["rows"]]), (200, [3.0, 5.0, None]))
            self.server.faults[:] = [(500, {"error": "out of order"})] * 4
            status, _, body = served.ask("POST", "/v1/services/score", {"x": 1})
            self.assertEqual((status, body["rows"][0]["error"]["code"]), (200, "REMOTE_SERVER"))
            self.server.faults.clear()
            self.assertEqual(served.ask("POST", "/v1/services/score", {"x": 1})[2]["rows"][0]["y"], 3.0)
        self.assertEqual(self.shop.rows("SELECT count(*) AS n, count(*) FILTER (status = 'error') AS e FROM inference.score"), [{"n": 5, "e": 1}])


class ConfigurationTest(program.ProgramTest):
    def test_what_is_wrong_is_told(self):
        for text, told in [("{scorer: {url: 'http://x'}}", "connections.scorer gives no type"), ("{scorer: {type: open_inference}}", "gives no url"),
                           ("{scorer: {type: grpc, url: 'http://x'}}", "Not a type of connection: grpc"),
                           ("{scorer: {type: open_inference, url: 'ftp://x'}}", "begins neither"),
                           ("{scorer: {type: open_inference, url: 'http://me:s3cr3t@x'}}", "holds a name or a password"),
                           ("{scorer: {type: open_inference, url: 'http://x/?a=b'}}", "holds a character"),
                           ("{scorer: {type: open_inference, url: 'http://:80'}}", "names no host"),
                           ("{scorer: {type: open_inference, url: 'http://x', token: 'two words s3cr3t'}}", "holds a space"),
                           ("{scorer: {type: open_inference, url: 'http://x', tokn: a}}", "did you mean token?"), ("[a]", "Not a group of settings")]:
            with self.subTest(text=text):
                answer = self.project(f"name: test\nconnections: {text}\n").run("sql", "SELECT 1")
                self.assert_failed(answer, 4, "CONFIG_INVALID")
                self.assertIn(told, answer.stderr)


if __name__ == "__main__":
    program.main()
