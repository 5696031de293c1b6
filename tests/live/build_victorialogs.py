"""Build the VictoriaLogs that the live tests drive: `python -m tests.live.build_victorialogs`, as root, once.

Debian 12 has none, but the source package of VictoriaMetrics in the suite after it holds one. It is built with that
suite's own Go and libraries in a folder of its own, which takes about five minutes, two gigabytes and nothing outside
Debian; what is kept is one static program of 18 MB, in `~/.cache/cockpit-tests/victoria-logs`. The tests look for
`victoria-logs` in `COCKPIT_VICTORIALOGS`, there, and on PATH.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SUITE = "trixie"
KEPT = Path("~/.cache/cockpit-tests/victoria-logs").expanduser()
PACKAGE = "github.com/VictoriaMetrics/VictoriaMetrics"

STEPS = rf"""
set -e
export DEBIAN_FRONTEND=noninteractive
printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
chmod +x /usr/sbin/policy-rc.d
printf 'deb %s {SUITE} main\ndeb-src %s {SUITE} main\n' "$MIRROR" "$MIRROR" > /etc/apt/sources.list
apt-get update
apt-get install -y --no-install-recommends dpkg-dev
apt-get build-dep -y --no-install-recommends victoriametrics
mkdir -p /build/path/src/{PACKAGE}
cd /build
apt-get source --download-only victoriametrics
dpkg-source -x victoriametrics_*.dsc sources
cp -a sources/. /build/path/src/{PACKAGE}
export GO111MODULE=off GOPATH=/build/path:/usr/share/gocode GOCACHE=/build/cache CGO_ENABLED=0
export GOROOT="$(readlink -f /usr/lib/go)"
cd /build/path/src/{PACKAGE}
go build -buildvcs=false -trimpath -o /build/victoria-logs {PACKAGE}/app/victoria-logs
"""


def found() -> str | None:
    """Return the program's path where there is one."""
    named = os.environ.get("COCKPIT_VICTORIALOGS", "")
    for candidate in (named, str(KEPT), "victoria-logs"):
        if candidate and (path := shutil.which(candidate)):
            return path
    return None


def mirror() -> str:
    """Return the archive that this machine's apt takes Debian's packages from."""
    wanted = ["--format", "$(REPO_URI)", "Created-By: Packages", "Component: main"]
    listed = subprocess.run(["apt-get", "indextargets", *wanted], check=True, capture_output=True, text=True)
    archives = [uri for uri in listed.stdout.split() if "security" not in uri]
    if not archives:
        sys.exit("apt knows no archive of Debian's packages here: apt-get update")
    return archives[0].rstrip("/")


def main() -> None:
    if path := found():
        sys.stdout.write(f"there is one already: {path}\n")
        return
    if shutil.which("debootstrap") is None or os.geteuid() != 0:
        sys.exit("this needs root and debootstrap: apt-get install debootstrap")
    archive = mirror()
    with tempfile.TemporaryDirectory(prefix="victorialogs-", dir="/var/tmp") as folder:
        root = Path(folder, "root")
        bootstrap = [
            "debootstrap",
            "--variant=minbase",
            "--include=ca-certificates",
            SUITE,
            str(root),
            archive,
        ]
        subprocess.run(bootstrap, check=True)
        known = {**os.environ, "MIRROR": archive}
        subprocess.run(["chroot", str(root), "sh", "-c", STEPS], check=True, env=known)
        KEPT.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / "build" / "victoria-logs", KEPT)
    sys.stdout.write(f"built {KEPT}\n")


if __name__ == "__main__":
    main()
