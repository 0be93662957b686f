# SPDX-License-Identifier: Apache-2.0
"""The lake table of numbers, categories and a label of two classes that benchmarks of classifiers read."""
import measure
from wide_table import uniform

ROWS = measure.size(1_000_000, 200_000, 20_000)
NUMBERS = [f"c{number}" for number in range(1, 17)]
CATEGORIES = {"g1": 5, "g2": 10, "g3": 20, "g4": 40}  # how many values each has


def project():
    made = measure.Project("mixed")
    if made.is_new:
        numbers = ", ".join(f"{uniform(i)} AS {name}" for i, name in enumerate(NUMBERS))
        categories = ", ".join(f"'v' || CAST(floor({size} * {uniform(20 + i)}) AS INTEGER) AS {name}"
                               for i, (name, size) in enumerate(CATEGORIES.items()))
        odds = " + ".join(f"{0.25 * i - 2} * ({name} - 0.5)" for i, name in enumerate(NUMBERS))
        odds += " + " + " + ".join(f"0.4 * sin(ascii(right({name}, 1)))" for name in CATEGORIES)
        made.sql(f"CREATE TABLE gold.mixed AS SELECT * EXCLUDE (luck), luck < 1 / (1 + exp(-({odds} + 2 * c1 * c2 - 1))) AS y "
                 f"FROM (SELECT {numbers}, {categories}, {uniform(63)} AS luck FROM range({ROWS}))")
    return made
