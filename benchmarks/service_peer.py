# SPDX-License-Identifier: Apache-2.0
"""The peer of Braid's services: FastAPI on uvicorn (uvloop, httptools), the model in onnxruntime, the lookup in a dict.

    service_peer.py MODEL.onnx LOOKUP.csv WORKERS

Answers one row as Braid does, {"rows": [{"late": …, "probability": …}]}, without an id: it keeps nothing. Its workers
are processes that accept from one socket, which the first line on standard output names."""
import csv
import os
import socket
import sys

import fastapi
import numpy
import onnxruntime
import pydantic
import uvicorn


class Plain(pydantic.BaseModel):
    c1: float
    c2: float
    c3: float
    c4: float
    c5: float
    c6: float


class Keyed(pydantic.BaseModel):
    id: int
    c1: float
    c2: float
    c3: float


class Model:
    def __init__(self, path):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.inputs = [each.name for each in self.session.get_inputs()]

    def answer(self, *values):
        row = {name: numpy.array([[value]]) for name, value in zip(self.inputs, values, strict=True)}
        label, probabilities = self.session.run(["predicted_late", "probabilities"], row)
        return {"rows": [{"late": label[0, 0] == "true", "probability": float(probabilities[0, 1])}]}


def read_lookup(path):
    with open(path, newline="") as lines:
        return {int(key): [float(value) for value in values] for key, *values in list(csv.reader(lines))[1:]}


def make_app(model, accounts):
    app = fastapi.FastAPI()

    @app.post("/v1/services/plain")
    async def plain(row: Plain):
        return model.answer(row.c1, row.c2, row.c3, row.c4, row.c5, row.c6)

    @app.post("/v1/services/keyed")
    async def keyed(row: Keyed):
        return model.answer(row.c1, row.c2, row.c3, *accounts[row.id])

    return app


def main(model, lookup, workers):
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    print(f"listening on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    for _ in range(workers - 1):
        if os.fork() == 0:
            break
    app = make_app(Model(model), read_lookup(lookup))
    config = uvicorn.Config(app, loop="uvloop", http="httptools", log_level="warning", access_log=False)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
