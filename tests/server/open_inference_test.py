#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Open Inference Protocol, version 2: `braid serve` asked in its bytes, and by Triton's and KServe's clients where they
are installed.

    open_inference_test.py BRAID
"""
import http.client
import importlib.util
import json
import math
import os
import struct
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
import program  # noqa: E402

DECLARATIONS = """CREATE MATERIALIZED VIEW gold.points AS
  SELECT range AS x, 'k' || range % 3 AS kind, range * 2.0 + range % 3 AS y, CASE WHEN range % 7 < 2 THEN 'low' WHEN range > 45 THEN 'high' ELSE 'mid' END AS level
  FROM range(90);
CREATE MODEL line OPTIONS (model_type = 'linear_reg', input_label_cols = ['y']) AS SELECT x, kind, y FROM gold.points;
CREATE MODEL level OPTIONS (model_type = 'logistic_reg', input_label_cols = ['level']) AS SELECT x, kind, level FROM gold.points;
CREATE SERVICE simple ("INPUT0" INTEGER[], "INPUT1" INTEGER[]) AS
  SELECT list_transform(list_zip(INPUT0, INPUT1), lambda p: p[1] + p[2]) AS "OUTPUT0",
         list_transform(list_zip(INPUT0, INPUT1), lambda p: p[1] - p[2]) AS "OUTPUT1" FROM request;
CREATE SERVICE guess (x BIGINT, kind VARCHAR) AS
  SELECT predicted_y AS y, level.predicted_level, level.predicted_level_probs
  FROM ML.PREDICT(MODEL line, TABLE request) line, ML.PREDICT(MODEL level, TABLE request) level;
CREATE SERVICE every (flag BOOLEAN, tiny TINYINT, small SMALLINT, whole INTEGER, big BIGINT, utiny UTINYINT, usmall USMALLINT,
  uwhole UINTEGER, ubig UBIGINT, half FLOAT, number DOUBLE, text VARCHAR, exact DECIMAL(9, 2), day DATE, record STRUCT(a INTEGER),
  photo BLOB) AS SELECT * FROM request;
CREATE SERVICE photo (photo BLOB) AS SELECT octet_length(photo) AS size, photo FROM request;
CREATE SERVICE total (x DOUBLE[]) AS SELECT list_sum(x) AS total FROM request;
CREATE SERVICE pairs (a DOUBLE, b DOUBLE) AS SELECT a + b AS sum FROM request;
CREATE SERVICE picky (x BIGINT) AS SELECT x FROM request, range(x);
CREATE SERVICE orphan (x BIGINT) OPTIONS (capture = 'off') AS SELECT x + 1 AS y FROM request;
"""
FORMATS = {"INT8": "b", "INT16": "h", "INT32": "i", "INT64": "q", "UINT8": "B", "UINT16": "H", "UINT32": "I", "UINT64": "Q", "FP16": "e",
           "FP32": "f", "FP64": "d", "BOOL": "?"}


def to_bytes(datatype, values):
    if datatype == "BYTES":
        values = [value.encode() if isinstance(value, str) else value for value in values]
        return b"".join(struct.pack("<I", len(value)) + value for value in values)
    return struct.pack(f"<{len(values)}{FORMATS[datatype]}", *values)


def from_bytes(datatype, data):
    if datatype != "BYTES":
        return [one[0] for one in struct.iter_unpack("<" + FORMATS[datatype], data)]
    values = []
    while data:
        size = struct.unpack_from("<I", data)[0]
        values.append(data[4:4 + size])
        data = data[4 + size:]
    return values


class InferenceTest(program.ServedTest):
    declarations = DECLARATIONS

    def raw(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=program.SECONDS)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def get(self, path):
        status, _, body = self.raw("GET", path)
        return status, json.loads(body)

    def infer(self, model, inputs, status=200, **fields):
        """Inputs as (name, datatype, shape, data); outputs by name, and the answer."""
        body = {"inputs": [dict(zip(("name", "datatype", "shape", "data"), one)) for one in inputs], **fields}
        got, headers, answer = self.raw("POST", f"/v2/models/{model}/infer", json.dumps(body), {"Content-Type": "application/json"})
        answer = json.loads(answer)
        self.assertEqual(got, status, answer)
        self.assertEqual(headers["Content-Type"], "application/json")
        if status != 200:
            self.assertEqual(set(answer), {"error"})
            self.assertIsInstance(answer["error"], str)
            return answer["error"]
        return {output["name"]: output for output in answer["outputs"]}, answer

    def infer_binary(self, model, inputs, **fields):
        """As infer, every tensor in binary, both ways."""
        tensors = [to_bytes(datatype, data) for _, datatype, _, data in inputs]
        head = json.dumps({"inputs": [{"name": name, "datatype": datatype, "shape": shape, "parameters": {"binary_data_size": len(data)}}
                                      for (name, datatype, shape, _), data in zip(inputs, tensors)],
                           "parameters": {"binary_data_output": True}, **fields}).encode()
        status, headers, body = self.raw("POST", f"/v2/models/{model}/infer", head + b"".join(tensors),
                                         {"Inference-Header-Content-Length": str(len(head)), "Content-Type": "application/octet-stream"})
        self.assertEqual(status, 200, body)
        self.assertEqual(headers["Content-Type"], "application/octet-stream")
        size = int(headers["Inference-Header-Content-Length"])
        answer, rest = json.loads(body[:size]), body[size:]
        outputs = {}
        for output in answer["outputs"]:
            self.assertNotIn("data", output)
            length = output["parameters"]["binary_data_size"]
            outputs[output["name"]] = {**output, "data": from_bytes(output["datatype"], rest[:length])}
            rest = rest[length:]
        self.assertEqual(rest, b"")
        return outputs, answer


class ServerTest(InferenceTest):
    def test_health_and_metadata(self):
        for path in ("/v2/health/live", "/v2/health/ready"):
            self.assertEqual(self.get(path), (200, {"live": True, "ready": True}))
        status, server = self.get("/v2")
        self.assertEqual((status, server["name"]), (200, "braid"))
        self.assertIn("binary_tensor_data", server["extensions"])
        self.assertEqual(self.get("/v2/models/guess/ready")[0], 200)
        self.assertEqual(self.get("/v2/models/line/ready")[0], 200)
        self.assertEqual(self.get("/v2/models/line/versions/1/ready")[0], 200)

    def test_metadata_of_a_service_and_of_a_model(self):
        self.assertEqual(self.get("/v2/models/guess")[1], {
            "name": "guess", "versions": ["1"], "platform": "braid_service",
            "inputs": [{"name": "x", "datatype": "INT64", "shape": [-1]}, {"name": "kind", "datatype": "BYTES", "shape": [-1]}],
            "outputs": [{"name": "y", "datatype": "FP64", "shape": [-1]}, {"name": "predicted_level", "datatype": "BYTES", "shape": [-1]},
                        {"name": "predicted_level_probs.label", "datatype": "BYTES", "shape": [-1, -1]},
                        {"name": "predicted_level_probs.prob", "datatype": "FP64", "shape": [-1, -1]},
                        {"name": "inference_id", "datatype": "BYTES", "shape": [-1]}]})
        for path in ("/v2/models/line", "/v2/models/line/versions/1", "/v2/models/line@1", "/v2/models/line@champion"):
            self.assertEqual(self.get(path)[1], {
                "name": "line", "versions": ["1"], "platform": "braid_linear_reg",
                "inputs": [{"name": "x", "datatype": "FP64", "shape": [-1]}, {"name": "kind", "datatype": "BYTES", "shape": [-1]}],
                "outputs": [{"name": "predicted_y", "datatype": "FP64", "shape": [-1]}]})

    def test_index(self):
        status, _, body = self.raw("POST", "/v2/repository/index", "{}")
        self.assertEqual(status, 200)
        names = [one["name"] for one in json.loads(body)]
        self.assertEqual(sorted(names), sorted(["simple", "guess", "every", "photo", "total", "pairs", "picky", "orphan", "line", "level"]))

    def test_statistics(self):
        def count():
            (stats,) = self.get("/v2/models/total/stats")[1]["model_stats"]
            self.assertEqual((stats["name"], stats["version"]), ("total", "1"))
            return stats["inference_count"], stats["inference_stats"]["success"]["count"], stats["inference_stats"]["fail"]["count"]

        rows, answers, failures = count()
        self.infer("total", [("x", "FP64", [3, 2], [1] * 6)])
        self.infer("total", [("y", "FP64", [3, 2], [1] * 6), ("x", "FP64", [3, 2], [1] * 6)], status=400)
        self.assertEqual(count(), (rows + 3, answers + 1, failures + 1))

    def test_unknown_names(self):
        for path in ("/v2/models/gues", "/v2/models/gues/ready", "/v2/models/line/versions/9", "/v2/models/line@nobody",
                     "/v2/models/guess/versions/7", "/v2/modls"):
            with self.subTest(path=path):
                status, body = self.get(path)
                self.assertEqual(status, 404)
                self.assertIsInstance(body["error"], str)
        self.assertTrue(self.get("/v2/models/gues")[1]["error"].startswith("Request for unknown model"))
        self.assertIn("guess", self.get("/v2/models/gues")[1]["error"])


class InferTest(InferenceTest):
    def test_adds_and_subtracts_as_the_examples_of_the_clients_do(self):
        first, second = list(range(16)), [1] * 16
        inputs = [("INPUT0", "INT32", [1, 16], first), ("INPUT1", "INT32", [1, 16], [second])]  # flat, and nested
        for ask in (self.infer, self.infer_binary):
            outputs, answer = ask("simple", inputs)
            self.assertEqual((answer["model_name"], answer["model_version"]), ("simple", "1"))
            self.assertEqual(outputs["OUTPUT0"]["shape"], [1, 16])
            self.assertEqual(outputs["OUTPUT0"]["datatype"], "INT32")
            self.assertEqual(outputs["OUTPUT0"]["data"], [x + 1 for x in first])
            self.assertEqual(outputs["OUTPUT1"]["data"], [x - 1 for x in first])
            inputs[1] = ("INPUT1", "INT32", [1, 16], second)

    def test_an_answer_is_that_of_v1_and_is_captured_like_it(self):
        rows = [{"x": 4, "kind": "k1"}, {"x": 50, "kind": "k2"}, {"x": 7, "kind": "k0"}]
        plain = self.server.ask("POST", "/v1/services/guess", {"rows": rows})[2]["rows"]
        outputs, answer = self.infer("guess", [("kind", "BYTES", [3], ["k1", "k2", "k0"]), ("x", "INT64", [3, 1], [4, 50, 7])],
                                     id="order-7", parameters={"priority": 3})
        self.assertEqual(answer["id"], "order-7")
        self.assertEqual(outputs["y"]["data"], [row["y"] for row in plain])
        self.assertEqual(outputs["predicted_level"]["data"], [row["predicted_level"] for row in plain])
        labels, probabilities = outputs["predicted_level_probs.label"], outputs["predicted_level_probs.prob"]
        self.assertEqual((labels["shape"], probabilities["shape"]), ([3, 3], [3, 3]))
        self.assertEqual(labels["data"], ["high", "low", "mid"] * 3)  # a column is the same class in every row
        for number, row in enumerate(plain):
            by_label = {one["label"]: one["prob"] for one in row["predicted_level_probs"]}
            self.assertEqual(probabilities["data"][3 * number:3 * number + 3], [by_label[label] for label in ("high", "low", "mid")])
        captured = self.shop.rows("SELECT inference_id, status, input, output.y AS y FROM inference.guess WHERE client_request_id = 'order-7'"
                                  " ORDER BY list_position([4, 50, 7], input.x::INTEGER)")
        self.assertEqual([row["inference_id"] for row in captured], outputs["inference_id"]["data"])
        self.assertEqual([row["input"] for row in captured], rows)
        self.assertEqual([(row["status"], row["y"]) for row in captured], [("ok", row["y"]) for row in plain])
        # What the client knows the request by finds it again.
        told = self.server.ask("POST", "/v1/feedback", {"service": "guess", "rows": [{"client_request_id": "order-7", "outcome": {"label": "a"}}]})
        self.assertEqual(told[2], {"accepted": 1, "unknown": 0})

    def test_a_model_is_served_as_it_is(self):
        expected = self.shop.rows("SELECT predicted_y AS y FROM ML.PREDICT(MODEL line, (SELECT 4 AS x, 'k1' AS kind))")
        for model in ("line", "line/versions/1", "line@1", "line@champion"):
            outputs, answer = self.infer(model, [("x", "FP64", [1], [4]), ("kind", "BYTES", [1], ["k1"])])
            self.assertEqual((answer["model_name"], answer["model_version"]), ("line", "1"))
            self.assertEqual(list(outputs), ["predicted_y"])
            self.assertAlmostEqual(outputs["predicted_y"]["data"][0], expected[0]["y"], places=9)
        outputs, _ = self.infer("level", [("x", "FP64", [2], [4, 50]), ("kind", "BYTES", [2], ["k1", "k2"])])
        self.assertEqual(list(outputs), ["predicted_level", "predicted_level_probs.label", "predicted_level_probs.prob"])
        for number in (0, 1):
            shares = outputs["predicted_level_probs.prob"]["data"][3 * number:3 * number + 3]
            self.assertAlmostEqual(sum(shares), 1, places=9)
            best = outputs["predicted_level_probs.label"]["data"][3 * number + shares.index(max(shares))]
            self.assertEqual(outputs["predicted_level"]["data"][number], best)

    def test_each_datatype_both_ways(self):
        values = {"flag": ("BOOL", [True, False]), "tiny": ("INT8", [-128, 127]), "small": ("INT16", [-32768, 5]),
                  "whole": ("INT32", [-2**31, 2**31 - 1]), "big": ("INT64", [-2**63, 2**63 - 1]), "utiny": ("UINT8", [0, 255]),
                  "usmall": ("UINT16", [0, 65535]), "uwhole": ("UINT32", [0, 2**32 - 1]), "ubig": ("UINT64", [0, 2**64 - 1]),
                  "half": ("FP32", [0.5, -1.25]), "number": ("FP64", [0.1, -1e300])}
        inputs = [(name, datatype, [2], data) for name, (datatype, data) in values.items()]
        inputs += [("text", "BYTES", [2], ["é\"", "日本"]), ("exact", "BYTES", [2], ["12.50", "-0.01"]), ("day", "BYTES", [2], ["2024-02-29", "1999-12-31"]),
                   ("record", "BYTES", [2], ['{"a":1}', '{"a":2}'])]
        for ask, to_text in ((self.infer, lambda text: text), (self.infer_binary, bytes.decode)):
            given = inputs + ([("photo", "BYTES", [2], [b"\x00\xff", b""])] if ask == self.infer_binary else [])
            wanted = [{"name": name} for name, *_ in given]
            outputs, _ = ask("every", given, outputs=wanted)
            self.assertEqual(list(outputs), [name for name, *_ in given])
            for name, (datatype, data) in values.items():
                self.assertEqual((name, outputs[name]["datatype"], outputs[name]["data"]), (name, datatype, data))
            self.assertEqual([to_text(text) for text in outputs["text"]["data"]], ["é\"", "日本"])
            self.assertEqual((outputs["exact"]["datatype"], outputs["exact"]["data"]), ("FP64", [12.5, -0.01]))
            self.assertEqual([to_text(text) for text in outputs["day"]["data"]], ["2024-02-29", "1999-12-31"])
            self.assertEqual([json.loads(to_text(text)) for text in outputs["record"]["data"]], [{"a": 1}, {"a": 2}])
            if ask == self.infer_binary:
                self.assertEqual(outputs["photo"]["data"], [b"\x00\xff", b""])

    def test_numbers_widen_where_nothing_is_lost(self):
        for datatype, value in (("INT32", 3), ("UINT8", 3), ("FP16", 0.5), ("FP32", 0.25)):
            outputs, _ = self.infer_binary("every", [("number", datatype, [1], [value])], outputs=[{"name": "number"}])
            self.assertEqual(outputs["number"]["data"], [value])
        outputs, _ = self.infer("every", [("whole", "FP32", [1], [4.0])], outputs=[{"name": "whole"}])
        self.assertEqual(outputs["whole"]["data"], [4])
        error = self.infer("every", [("whole", "FP32", [1], [4.5])], status=422)
        self.assertIn("row 0", error)
        self.assertIn("whole", error)

    def test_one_tensor_of_all_columns(self):
        outputs, _ = self.infer_binary("every", [("number", "FP32", [2, 1], [0.5, 2])], outputs=[{"name": "number"}])
        self.assertEqual(outputs["number"]["shape"], [2])
        outputs, _ = self.infer("orphan", [("input-0", "INT32", [3, 1], [[1], [2], [3]])])
        self.assertEqual(outputs["y"]["data"], [2, 3, 4])
        expected = self.shop.rows("SELECT * FROM pairs(TABLE (SELECT 0.5 AS a, 2.0 AS b))")[0]
        outputs, _ = self.infer_binary("pairs", [("predict", "FP32", [2, 2], [0.5, 2, 1, 3])])
        self.assertEqual(outputs["sum"]["data"], [expected["sum"], 4.0])
        error = self.infer("guess", [("input-0", "FP32", [1, 3], [1, 2, 3])], status=400)
        self.assertIn("input-0", error)

    def test_outputs_as_asked(self):
        inputs = [("x", "INT64", [1], [4]), ("kind", "BYTES", [1], ["k1"])]
        outputs, _ = self.infer("guess", inputs, outputs=[{"name": "predicted_level"}, {"name": "y"}])
        self.assertEqual(list(outputs), ["predicted_level", "y"])
        self.assertIn("predicted_level", self.infer("guess", inputs, status=400, outputs=[{"name": "predicted_leve"}]))
        body = json.dumps({"inputs": [dict(zip(("name", "datatype", "shape", "data"), one)) for one in inputs],
                           "outputs": [{"name": "y", "parameters": {"binary_data": True}}, {"name": "predicted_level"}]})
        _, headers, answer = self.raw("POST", "/v2/models/guess/infer", body)
        head = json.loads(answer[:int(headers["Inference-Header-Content-Length"])])
        self.assertEqual(head["outputs"][0]["parameters"], {"binary_data_size": 8})
        self.assertIsInstance(head["outputs"][1]["data"][0], str)
        self.assertEqual(len(answer) - int(headers["Inference-Header-Content-Length"]), 8)

    def test_null_and_what_is_no_number(self):
        outputs, _ = self.infer("every", [("number", "FP64", [2], [None, 1]), ("whole", "INT32", [2], [None, 1])],
                                outputs=[{"name": "number"}, {"name": "whole"}, {"name": "text"}])
        self.assertEqual(outputs["number"]["data"], [None, 1])
        self.assertEqual(outputs["whole"]["data"], [None, 1])
        self.assertEqual(outputs["text"]["data"], [None, None])
        outputs, _ = self.infer_binary("every", [("number", "FP64", [2], [math.nan, math.inf])], outputs=[{"name": "number"}])
        self.assertTrue(math.isnan(outputs["number"]["data"][0]))
        self.assertEqual(outputs["number"]["data"][1], math.inf)
        body = json.dumps({"inputs": [{"name": "number", "datatype": "FP64", "shape": [1], "data": [1]}],
                           "outputs": [{"name": "text", "parameters": {"binary_data": True}}]})
        status, _, answer = self.raw("POST", "/v2/models/every/infer", body)
        self.assertEqual(status, 422)
        self.assertIn("text", json.loads(answer)["error"])

    def test_a_photo_as_the_whole_body(self):
        photo = bytes(range(256)) * 40
        status, headers, body = self.raw("POST", "/v2/models/photo/infer", photo, {"Inference-Header-Content-Length": "0"})
        self.assertEqual(status, 200, body)
        size = int(headers["Inference-Header-Content-Length"])
        head = json.loads(body[:size])
        self.assertEqual([output["name"] for output in head["outputs"]], ["size", "photo", "inference_id"])
        self.assertEqual(struct.unpack_from("<q", body, size)[0], len(photo))
        self.assertIn(photo, body[size:])
        status, headers, body = self.raw("POST", "/v2/models/total/infer", struct.pack("<3d", 1, 2, 3.5), {"Inference-Header-Content-Length": "0"})
        self.assertEqual(struct.unpack_from("<d", body, int(headers["Inference-Header-Content-Length"]))[0], 6.5)
        self.assertEqual(self.raw("POST", "/v2/models/guess/infer", b"x", {"Inference-Header-Content-Length": "0"})[0], 400)
        outputs, _ = self.infer("photo", [("photo", "BYTES", [1], ["plain"])])
        self.assertEqual((outputs["size"]["data"], outputs["photo"]["data"]), ([5], ["cGxhaW4="]))

    def test_a_row_that_fails_fails_the_request_and_all_are_captured(self):
        error = self.infer("picky", [("x", "INT64", [3], [1, 0, 1])], status=422, id="picky-1")
        self.assertIn("ow 1", error)
        rows = self.shop.rows("SELECT status, input.x AS x FROM inference.picky WHERE client_request_id = 'picky-1' ORDER BY x")
        self.assertEqual([(row["status"], row["x"]) for row in rows], [("error", 0), ("ok", 1), ("ok", 1)])

    def test_malformed_requests(self):
        whole = {"name": "x", "datatype": "INT64", "shape": [1], "data": [1]}
        bodies = ["", "{", "[]", "{}", {"inputs": []}, {"inputs": 1}, {"inputs": [1]}, {"inputs": [{**whole, "shape": [2]}]},
                  {"inputs": [{**whole, "shape": [-1]}]}, {"inputs": [{**whole, "shape": []}]}, {"inputs": [{**whole, "datatype": "INT65"}]},
                  {"inputs": [{**whole, "data": ["a"]}]}, {"inputs": [{**whole, "datatype": "INT8", "data": [300]}]},
                  {"inputs": [whole, whole]}, {"inputs": [{**whole, "name": "z"}, whole]}, {"inputs": [whole], "id": 5},
                  {"inputs": [{**whole, "parameters": {"binary_data_size": 8}}]},
                  {"inputs": [{**whole, "parameters": {"shared_memory_region": "r"}}]},
                  {"inputs": [{**whole, "shape": [1, 1000000000, 0], "data": []}]}]
        for body in bodies:
            with self.subTest(body=body):
                text = body if isinstance(body, str) else json.dumps(body)
                status, _, answer = self.raw("POST", "/v2/models/orphan/infer", text)
                self.assertIn(status, (400, 413), answer)
                self.assertIsInstance(json.loads(answer)["error"], str)
        for size in ("7000", "x", "-1", "1"):
            status, _, answer = self.raw("POST", "/v2/models/orphan/infer", json.dumps({"inputs": [whole]}), {"Inference-Header-Content-Length": size})
            self.assertEqual(status, 400, answer)
        self.assertEqual(self.raw("POST", "/v2/models/orphan/infer", b"\x1f\x8b", {"Content-Encoding": "gzip"})[0], 415)
        self.infer("orphan", [("x", "INT64", [10001], [1] * 10001)], status=413)


@unittest.skipUnless(importlib.util.find_spec("tritonclient"), "tritonclient is not installed")
class TritonClientTest(InferenceTest):
    def test_its_default_calls(self):
        import numpy
        import tritonclient.http as triton
        from tritonclient.utils import InferenceServerException
        client = triton.InferenceServerClient(f"127.0.0.1:{self.server.port}")
        self.assertTrue(client.is_server_live() and client.is_server_ready() and client.is_model_ready("simple"))
        self.assertTrue(client.is_model_ready("line", "1"))
        self.assertFalse(client.is_model_ready("nobody"))
        self.assertEqual(client.get_server_metadata()["name"], "braid")
        self.assertEqual(client.get_model_metadata("simple")["inputs"][0]["datatype"], "INT32")
        self.assertTrue(client.get_model_repository_index())
        first = numpy.arange(16, dtype=numpy.int32).reshape(1, 16)
        second = numpy.full((1, 16), -1, dtype=numpy.int32)
        inputs = [triton.InferInput("INPUT0", [1, 16], "INT32"), triton.InferInput("INPUT1", [1, 16], "INT32")]
        inputs[0].set_data_from_numpy(first, binary_data=False)
        inputs[1].set_data_from_numpy(second)
        outputs = [triton.InferRequestedOutput("OUTPUT0"), triton.InferRequestedOutput("OUTPUT1", binary_data=False)]
        for wanted in (outputs, None):
            answer = client.infer("simple", inputs, outputs=wanted, request_id="t-1")
            numpy.testing.assert_array_equal(answer.as_numpy("OUTPUT0"), first + second)
            numpy.testing.assert_array_equal(answer.as_numpy("OUTPUT1"), first - second)
            self.assertEqual(answer.get_response()["id"], "t-1")
        texts = triton.InferInput("kind", [2], "BYTES")
        texts.set_data_from_numpy(numpy.array(["k1", "k2"], dtype=numpy.object_))
        numbers = triton.InferInput("x", [2], "FP64")
        numbers.set_data_from_numpy(numpy.array([4, 50], dtype=numpy.float64))
        answer = client.infer("level", [texts, numbers])
        self.assertEqual(answer.as_numpy("predicted_level_probs.prob").shape, (2, 3))
        self.assertEqual(answer.as_numpy("predicted_level_probs.label")[0].tolist(), [b"high", b"low", b"mid"])
        with self.assertRaises(InferenceServerException) as failure:
            client.infer("wrong_model_name", inputs)
        self.assertTrue(failure.exception.message().startswith("Request for unknown model"))


@unittest.skipUnless(importlib.util.find_spec("kserve"), "kserve is not installed")
class KServeClientTest(InferenceTest):
    def test_its_calls(self):
        import asyncio

        import kserve
        import numpy

        async def ask():
            client = kserve.InferenceRESTClient(kserve.inference_client.RESTConfig(protocol="v2"))
            base = f"http://127.0.0.1:{self.server.port}"
            ready = [await client.is_server_ready(base), await client.is_server_live(base), await client.is_model_ready(base, "guess")]
            answers = []
            for binary in (False, True):
                numbers = kserve.InferInput("x", [2], "INT64")
                numbers.set_data_from_numpy(numpy.array([4, 50], dtype=numpy.int64), binary_data=binary)
                texts = kserve.InferInput("kind", [2], "BYTES")
                texts.set_data_from_numpy(numpy.array(["k1", "k2"], dtype=numpy.object_), binary_data=binary)
                request = kserve.InferRequest(infer_inputs=[numbers, texts], model_name="guess", request_id="k-1")
                answers.append(await client.infer(base, request, model_name="guess"))
            await client.close()
            return ready, answers

        ready, answers = asyncio.run(ask())
        self.assertEqual(ready, [True, True, True])
        plain = self.server.ask("POST", "/v1/services/guess", {"rows": [{"x": 4, "kind": "k1"}, {"x": 50, "kind": "k2"}]})[2]["rows"]
        for answer in answers:
            self.assertEqual((answer.model_name, answer.id), ("guess", "k-1"))
            outputs = {output.name: output.as_numpy().tolist() for output in answer.outputs}
            self.assertEqual(outputs["y"], [row["y"] for row in plain])
            self.assertEqual(outputs["predicted_level"], [row["predicted_level"] for row in plain])


if __name__ == "__main__":
    program.main()
