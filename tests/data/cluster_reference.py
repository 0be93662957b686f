#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes cluster/reference.json: k-means from fixed first centroids, Davies-Bouldin indices and
principal components by scikit-learn, for the rows in cluster/*.csv. Run it in tests/data."""
import json

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import davies_bouldin_score
from sklearn.preprocessing import StandardScaler


def kmeans(table, clusters, standardise):
    values = table.to_numpy(float)
    x = StandardScaler().fit_transform(values) if standardise else values
    start = x[np.linspace(0, len(x) - 1, clusters).astype(int)]
    fit = KMeans(clusters, init=start, n_init=1, tol=0, max_iter=1000, algorithm="lloyd").fit(x)
    return {"standardise": standardise, "clusters": clusters, "start": start.ravel().tolist(),
            "centroids": fit.cluster_centers_.ravel().tolist(),
            "sizes": np.bincount(fit.labels_).tolist(), "inertia": fit.inertia_,
            "davies_bouldin": davies_bouldin_score(x, fit.labels_)}


def pca(table, scale):
    x = table.to_numpy(float)
    x = x - x.mean(0)
    if scale:
        x = x / x.std(0, ddof=1)
    fit = PCA(svd_solver="full").fit(x)
    signs = [1 if v[np.argmax(np.abs(v))] > 0 else -1 for v in fit.components_]
    two = PCA(2, svd_solver="full").fit(x)
    error = ((x - two.inverse_transform(two.transform(x))) ** 2).mean(1)
    return {"scale": scale, "eigenvalues": fit.explained_variance_.tolist(),
            "components": [(s * v).tolist() for s, v in zip(signs, fit.components_)],
            "first_scores": [(signs[k] * fit.transform(x)[:, k]).tolist() for k in range(2)],
            "error_of_two": error.tolist()}


def main():
    iris = pd.read_csv("cluster/iris.csv")
    arrests = pd.read_csv("cluster/us_arrests.csv").drop(columns="state")
    numbers = iris.drop(columns="species")
    json.dump({"iris_kmeans": [kmeans(numbers, 3, True), kmeans(numbers, 3, False),
                               kmeans(numbers, 8, True)],
               "arrests_kmeans": [kmeans(arrests, 4, True)],
               "iris_pca": [pca(numbers, True), pca(numbers, False)],
               "arrests_pca": [pca(arrests, True), pca(arrests, False)]},
              open("cluster/reference.json", "w"), indent=1)


if __name__ == "__main__":
    main()
