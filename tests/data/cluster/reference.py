#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes reference.json: k-means from fixed first centroids, Davies-Bouldin indices and principal
components by scikit-learn 1.9.1, for tables in oracles/models. Run it in its folder."""
import json

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import davies_bouldin_score
from sklearn.preprocessing import StandardScaler


def kmeans(name, table, clusters, standardise):
    values = table.to_numpy(float)
    x = StandardScaler().fit_transform(values) if standardise else values
    start = x[np.linspace(0, len(x) - 1, clusters).astype(int)]
    fit = KMeans(clusters, init=start, n_init=1, tol=0, max_iter=1000, algorithm="lloyd").fit(x)
    return {"table": name, "inputs": list(table.columns), "standardise": standardise, "clusters": clusters, "start": start.ravel().tolist(),
            "centroids": fit.cluster_centers_.ravel().tolist(),
            "sizes": np.bincount(fit.labels_).tolist(), "inertia": fit.inertia_,
            "davies_bouldin": davies_bouldin_score(x, fit.labels_)}


def pca(name, table, scale):
    x = table.to_numpy(float)
    x = x - x.mean(0)
    if scale:
        x = x / x.std(0, ddof=1)
    fit = PCA(svd_solver="full").fit(x)
    signs = [1 if v[np.argmax(np.abs(v))] > 0 else -1 for v in fit.components_]
    one = PCA(1, svd_solver="full").fit(x)
    error = ((x - one.inverse_transform(one.transform(x))) ** 2).mean(1)
    return {"table": name, "inputs": list(table.columns), "scale": scale, "eigenvalues": fit.explained_variance_.tolist(),
            "components": [(s * v).tolist() for s, v in zip(signs, fit.components_)],
            "first_scores": (signs[0] * fit.transform(x)[:, 0]).tolist(),
            "error_of_one": error.tolist()}


def main():
    tables = {name: pd.read_csv(f"../oracles/models/{name}.csv").select_dtypes("number")
              for name in ("kmeans_iris", "kmeans_faithful", "pca_usarrests")}
    json.dump({"kmeans": [kmeans(name, table, clusters, standardise)
                          for name, table in tables.items() for clusters in (3, 8)
                          for standardise in (True, False)
                          # One flower lies between two centroids on the way: rounding decides its side.
                          if (name, clusters, standardise) != ("kmeans_iris", 8, False)],
               "pca": [pca(name, table, scale) for name, table in tables.items()
                       for scale in (True, False)]},
              open("reference.json", "w"), indent=1)


if __name__ == "__main__":
    main()
