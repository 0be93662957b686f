# SPDX-License-Identifier: Apache-2.0
"""A server that speaks the Open Inference Protocol (version 2, REST), for tests of remote models."""
import contextlib
import http.server
import json
import threading
import time


def tensor(name, datatype, *shape):
    return {"name": name, "datatype": datatype, "shape": list(shape)}


def line(inputs):
    return {"y": [2 * x + 1 for x in inputs["x"]]}


def wide(inputs):
    """Lists, texts, integers and truth values; a row's three features come one after the other."""
    features = inputs["features"]
    rows = [features[at:at + 3] for at in range(0, len(features), 3)]
    return {"total": [sum(row) for row in rows],
            "ends": [value for row in rows for value in (row[0], row[-1])],
            "label": [note.upper() for note in inputs["note"]],
            "next": [count + 1 for count in inputs["count"]],
            "opposite": [not flag for flag in inputs["flag"]]}


def quote(inputs):
    """The model of the documentation's example."""
    return {"price": [20.0 + 10 * damage for damage in inputs["damage"]],
            "decision": ["repair" if damage < 5 else "replace" for damage in inputs["damage"]]}


# name: what it takes, what it gives, how.
MODELS = {
    "line": ([tensor("x", "FP64", -1)], [tensor("y", "FP64", -1)], line),
    "wide": ([tensor("features", "FP32", -1, 3), tensor("note", "BYTES", -1, 1), tensor("count", "INT32", -1), tensor("flag", "BOOL", -1)],
             [tensor("total", "FP32", -1), tensor("ends", "FP64", -1, 2), tensor("label", "BYTES", -1), tensor("next", "INT64", -1),
              tensor("opposite", "BOOL", -1)], wide),
    "quote": ([tensor("damage", "FP64", -1)], [tensor("price", "FP64", -1), tensor("decision", "BYTES", -1)], quote),
    "untold": ([], [], line),
    "single": ([tensor("x", "FP64", 1, 1)], [tensor("y", "FP64", 1, 1)], line),
    "fixed": ([tensor("x", "FP64", 8)], [tensor("y", "FP64", 8)], line),
    "open": ([tensor("x", "FP64", -1, -1, -1)], [tensor("y", "FP64", -1)], line),
    "unsigned": ([tensor("x", "UINT64", -1)], [tensor("y", "FP64", -1)], line),
}


class StandIn:
    """`faults` are taken one by one by the next requests: (status, body[, seconds]) in place of an answer; `requests` are what came."""

    def __init__(self, token=None):
        self.token, self.faults, self.requests, self.lock = token, [], [], threading.Lock()
        self.most_at_once = self.now = 0
        stand_in = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                self.reply(*stand_in.answer(self, None))

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.reply(*stand_in.answer(self, body))

            def reply(self, status, body):
                body = body if isinstance(body, bytes) else json.dumps(body).encode()
                with contextlib.suppress(OSError):  # the other side may have gone
                    self.send_response(status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

        class Quiet(http.server.ThreadingHTTPServer):
            def handle_error(self, request, client_address):
                pass  # the other side went in the middle

        self.server = Quiet(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def yaml(self, name="scorer", **keys):
        settings = {"type": "open_inference", "url": self.url, **keys}
        return f"name: test\nconnections: {{{name}: {{{', '.join(f'{key}: {json.dumps(value)}' for key, value in settings.items())}}}}}\n"

    def answer(self, handler, body):
        with self.lock:
            self.requests.append((handler.path, dict(handler.headers), body and json.loads(body)))
            fault = self.faults.pop(0) if self.faults and body else None
        if self.token and handler.headers["Authorization"] != f"Bearer {self.token}":
            return 401, {"error": f"no such token: {handler.headers['Authorization']}"}
        if fault:
            time.sleep(fault[2] if len(fault) > 2 else 0)
            return fault[:2]
        parts = handler.path.strip("/").split("/")
        name = parts[2]
        if name not in MODELS:
            return 404, {"error": f"no such model: {name}"}
        inputs, outputs, how = MODELS[name]
        if not body:
            return 200, {"name": name, "versions": ["1"], "platform": "test", "inputs": inputs, "outputs": outputs}
        return 200, {"model_name": name, "outputs": self.infer(json.loads(body), outputs, how)}

    @staticmethod
    def infer(request, outputs, how):
        rows = request["inputs"][0]["shape"][0]
        answers = how({given["name"]: given["data"] for given in request["inputs"]})
        known = {output["name"]: output for output in outputs}
        result = []
        for wanted in request["outputs"]:
            values = answers[wanted["name"]]
            told = known.get(wanted["name"], {"datatype": "FP64", "shape": [-1]})
            result.append({"name": wanted["name"], "datatype": told["datatype"], "shape": [rows, *told["shape"][1:]], "data": values})
        return result
