#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that an exported model answers in ONNX Runtime as it did in Braid.

Usage: onnx_agreement.py model.onnx signature.json input.csv expected.csv label

input.csv holds the model's inputs by name, expected.csv the columns predicted_<label> and, for a
classification, predicted_<label>_probs as Braid's CSV writes them (RFC 4180, NULL empty, an empty text
as "", nested values as JSON), row by row. Exits 0 if all numbers agree to 1e-6 (relative above 1) and
all labels are equal. Needs onnxruntime, numpy; with onnx installed the file is checked as well.
"""
import json
import math
import sys

import numpy
import onnxruntime

TOLERANCE = 1e-6


def read_csv(path):
    """Returns {column: [text or None]}: unlike the csv module, tells NULL from an empty text."""
    with open(path, encoding="utf-8", newline="") as file:
        text = file.read()
    rows, row, field, at = [], [], None, 0
    while at < len(text):
        if text[at] == '"':
            field, at = "", at + 1
            while True:
                end = text.index('"', at)
                field += text[at:end]
                at = end + 1
                if text[at : at + 1] != '"':
                    break
                field, at = field + '"', at + 1
        elif text[at] == ",":
            row.append(field)
            field, at = None, at + 1
        elif text[at] in "\r\n":
            at += 2 if text.startswith("\r\n", at) else 1
            rows.append(row + [field])
            row, field = [], None
        else:
            end = at
            while end < len(text) and text[end] not in ",\r\n":
                end += 1
            field, at = text[at:end], end
    if row or field is not None:
        rows.append(row + [field])
    names, values = rows[0], rows[1:]
    for number, value in enumerate(values, 2):
        if len(value) != len(names):
            sys.exit(f"{path}: line {number} has {len(value)} fields instead of {len(names)}")
    return {name: [value[i] for value in values] for i, name in enumerate(names)}


def make_feed(signature, table):
    feed = {}
    for column in signature["inputs"]:
        texts = table[column["name"]]
        if column["type"] == "double":
            numbers = {"true": 1.0, "false": 0.0}
            values = [math.nan if t is None else numbers.get(t) if t in numbers else float(t) for t in texts]
            array = numpy.array(values, dtype=numpy.float64)
        else:
            array = numpy.array([column["null"] if t is None else t for t in texts], dtype=object)
        feed[column["name"]] = array.reshape(-1, 1)
    return feed


def close(got, right):
    return abs(got - right) <= TOLERANCE * max(1.0, abs(right))


def compare(signature, outputs, expected, label):
    """Returns the differences, as texts."""
    wrong = []
    predicted = outputs[signature["outputs"][0]["name"]].reshape(-1)
    right = expected["predicted_" + label]
    if len(predicted) != len(right):
        return [f"{len(predicted)} answers for {len(right)} rows"]
    if len(signature["outputs"]) == 1:
        return [
            f"row {row}: {got!r} instead of {text}"
            for row, (got, text) in enumerate(zip(predicted, right))
            if not close(float(got), float(text))
        ]
    classes = signature["outputs"][1]["classes"]
    probabilities = outputs[signature["outputs"][1]["name"]]
    for row, (got, text) in enumerate(zip(predicted, right)):
        if got != text:
            wrong.append(f"row {row}: label {got!r} instead of {text!r}")
    for row, text in enumerate(expected.get(f"predicted_{label}_probs", [])):
        for item in json.loads(text):
            name = item["label"]
            name = str(name).lower() if isinstance(name, bool) else str(name)
            got = float(probabilities[row][classes.index(name)])
            if not close(got, item["prob"]):
                wrong.append(f"row {row}: probability of {name} {got!r} instead of {item['prob']!r}")
    return wrong


def main():
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    model_path, signature_path, input_path, expected_path, label = sys.argv[1:]
    with open(signature_path, encoding="utf-8") as file:
        signature = json.load(file)
    try:
        import onnx

        onnx.checker.check_model(onnx.load(model_path), full_check=True)
    except ImportError:
        pass
    session = onnxruntime.InferenceSession(model_path, providers=["CPUExecutionProvider"])
    names = [output["name"] for output in signature["outputs"]]
    answers = session.run(names, make_feed(signature, read_csv(input_path)))
    wrong = compare(signature, dict(zip(names, answers)), read_csv(expected_path), label)
    for line in wrong[:20]:
        print(line, file=sys.stderr)
    print(f"{answers[0].shape[0]} rows, {len(wrong)} differences")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
