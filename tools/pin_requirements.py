#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rewrites a requirements file with the versions and hashes that its "# wants:" line leads to now.

    tools/pin_requirements.py tools/requirements-test.txt

Run it with Debian 12's Python (3.11, x86_64): the hashes are those of its wheels.
"""
import json
import pathlib
import subprocess
import sys


def main(path):
    wants = [line for line in path.read_text().splitlines() if line.startswith("# wants:")]
    if len(wants) != 1:
        sys.exit(f"pin_requirements.py: {path} has no '# wants: package …' line")
    packages = wants[0].removeprefix("# wants:").split()
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed",
           "--only-binary=:all:", "--report=-"]
    report = json.loads(subprocess.run(pip + packages, check=True, stdout=subprocess.PIPE).stdout)
    lines = ["# SPDX-License-Identifier: Apache-2.0",
             "# Pinned by tools/pin_requirements.py from the next line.", wants[0]]
    for item in sorted(report["install"], key=lambda item: item["metadata"]["name"].lower()):
        name, version = item["metadata"]["name"], item["metadata"]["version"]
        sha256 = item["download_info"]["archive_info"]["hashes"]["sha256"]
        lines.append(f"{name}=={version} --hash=sha256:{sha256}")
    path.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(pathlib.Path(sys.argv[1]))
