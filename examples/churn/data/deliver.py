#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Delivers months of the shop's order file, as lines of text, the way its export made them.

    data/deliver.py MONTH… [--from FILE]        for instance 1997-01 1997-02

Each month becomes landing/YYYY-MM.txt in the folder of the project. FILE is CDNOW_master.txt as the Python
package lifetimes has it (README.md beside this says more); tools/setup.sh puts it into the cache of dependencies.
"""
import hashlib
import os
import pathlib
import sys

PROJECT = pathlib.Path(__file__).resolve().parents[1]
SHA256 = "eff6889ed364c5199d6eacbbeb7a6d559971df4406ac876f322c373f00a072ef"


def default_source():
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    return pathlib.Path(os.environ.get("BRAID_DEPS") or cache / "braid") / "lifetimes-0.11.3" / "CDNOW_master.txt"


def lines_by_month(content):
    """Lines begin with a space: customer, day as YYYYMMDD, number of CDs, dollars."""
    months = {}
    for line in content.decode("ascii").splitlines()[1:]:
        day = line.split()[1]
        months.setdefault(f"{day[:4]}-{day[4:6]}", []).append(line)
    return months


def main(arguments):
    source = default_source()
    if "--from" in arguments[:-1]:
        at = arguments.index("--from")
        source = pathlib.Path(arguments[at + 1])
        del arguments[at:at + 2]
    if not arguments or arguments[0].startswith("-"):
        sys.exit(__doc__)
    if not source.is_file():
        sys.exit(f"deliver.py: no file {source}; run tools/setup.sh, or say --from FILE")
    content = source.read_bytes()
    if hashlib.sha256(content).hexdigest() != SHA256:
        sys.exit(f"deliver.py: {source} is not the file that this example was made for (its SHA-256 is another)")
    months = lines_by_month(content)
    unknown = [month for month in arguments if month not in months]
    if unknown:
        sys.exit(f"deliver.py: no such month: {', '.join(unknown)}; there are {min(months)} to {max(months)}")
    (PROJECT / "landing").mkdir(exist_ok=True)
    for month in arguments:
        (PROJECT / "landing" / f"{month}.txt").write_text("".join(f"{line}\n" for line in months[month]))


if __name__ == "__main__":
    main(sys.argv[1:])
