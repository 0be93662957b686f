#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes rotation_starts.json: the criteria of rotations by factor_analyzer 0.5 from the unrotated loadings and from many random ones.

factor_analyzer starts at the loadings as they are; a random orthogonal matrix times them is a random start. Its loadings are judged by
criteria that are written out here (Bernaards and Jennrich 2005), so nothing is shared with Braid. Loadings: principal axes of
harman74.csv, and of simulated rows in which most variables load on two factors.
"""
import json
import pathlib

import numpy as np
from factor_analyzer.rotator import Rotator
from scipy.stats import ortho_group

HERE = pathlib.Path(__file__).resolve().parent
STARTS = 60
METHODS = {"geomin": "geomin_obl", "oblimin": "oblimin", "quartimax": "quartimax", "varimax": "varimax"}


def criterion(rotation, loadings):
    squares = loadings**2
    if rotation == "geomin":
        return np.exp(np.log(squares + 0.01).mean(1)).sum()
    if rotation == "oblimin":
        return (squares * (squares.sum(1, keepdims=True) - squares)).sum() / 4
    if rotation == "quartimax":
        return -(squares**2).sum() / 4
    return -((squares - squares.mean(0)) ** 2).sum() / 4


def principal_axes(correlation, factors):
    communalities = 1 - 1 / np.diag(np.linalg.inv(correlation))
    for _ in range(500):
        reduced = correlation.copy()
        np.fill_diagonal(reduced, communalities)
        values, vectors = np.linalg.eigh(reduced)
        loadings = vectors[:, ::-1][:, :factors] * np.sqrt(np.maximum(values[::-1][:factors], 0))
        communalities = np.minimum((loadings**2).sum(1), 0.995)
    return loadings


def simulated():
    rng = np.random.default_rng(12)
    pattern = np.where(rng.random((18, 5)) < 0.45, rng.uniform(0.3, 0.8, (18, 5)), 0.02)
    rows = rng.normal(size=(400, 5)) @ pattern.T + rng.normal(0, 0.6, (400, 18))
    return np.corrcoef(rows.T)


def search(loadings, rotation):
    values = []
    for start in range(STARTS):
        turned = loadings if start == 0 else loadings @ ortho_group.rvs(loadings.shape[1], random_state=start)
        rotator = Rotator(METHODS[rotation], normalize=False, max_iter=2000, tol=1e-6)
        values.append(float(criterion(rotation, rotator.fit_transform(turned))))
    return {"rotation": rotation, "unrotated_start": values[0], "least": min(values),
            "share_at_least": float(np.mean(np.array(values) < min(values) + 1e-6))}


def main():
    harman = np.corrcoef(np.loadtxt(HERE / "harman74.csv", delimiter=",", skiprows=1).T)
    cases = []
    for name, correlation, factors in [("harman74", harman, 5), ("simulated", simulated(), 5)]:
        loadings = principal_axes(correlation, factors)
        cases.append({"name": name, "loadings": loadings.tolist(), "rotations": [search(loadings, rotation) for rotation in METHODS]})
    with open(HERE / "rotation_starts.json", "w") as file:
        json.dump({"starts": STARTS, "cases": cases}, file)
        file.write("\n")


if __name__ == "__main__":
    main()
