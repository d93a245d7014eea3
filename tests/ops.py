"""`make ops-test`: what running onrecord takes, tried with the real tools, and which those were.

A broker, a worker and Prometheus start and see traffic; promtool fires and clears every alert; helm, kubeconform and
the operators' own models take the chart; the image is built, and the composed system reads articles. A tool that is not
here has its tests skipped, and the reason stands at the end.
"""

import re
import shutil
import subprocess
import sys
from collections import Counter

import pytest

from services.broker.java import find_java
from services.broker.lock import KAFKA_VERSION
from tests.containers.engine import TOOLS

SUITE = (
    "tests/unit/deploy",
    "tests/integration/test_lag.py",
    "tests/integration/test_tracing.py",
    "tests/integration/test_prometheus.py",
    "tests/integration/test_containers.py",
)
VERSIONS = {
    "prometheus": ("prometheus", "--version"),
    "promtool": ("promtool", "--version"),
    "helm": ("helm", "version", "--short"),
    "docker": ("docker", "--version"),
    "dockerd": ("dockerd", "--version"),
    "docker compose": ("docker", "compose", "version"),
    "debootstrap": ("debootstrap", "--version"),
}
"""How each program is asked for its version; looked for among what `make tools` builds, then on the PATH."""
MODULES = {"kubeconform": "github.com/yannh/kubeconform", "docker-compose": "github.com/docker/compose/v2"}
"""Of programs that do not know their version when they are built from their modules: Go has noted it in them."""


class Skips:
    """Counts the tests that were skipped, by reason."""

    def __init__(self) -> None:
        self.reasons: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Called by pytest for each step of each test."""
        if report.skipped and isinstance(report.longrepr, tuple):
            self.reasons[report.longrepr[2].removeprefix("Skipped: ")] += 1


def main() -> int:
    """Run the suite, print tools and skips, and return pytest's exit status."""
    skips = Skips()
    status = pytest.main(["-q", "-o", "timeout=1800", *SUITE, *sys.argv[1:]], plugins=[skips])
    java = find_java()
    lines = ["", "Real tools:", f"  Kafka {KAFKA_VERSION}, Java {java.version} ({java.path})"]
    lines += [f"  {name}: {_version(*command)}" for name, command in VERSIONS.items()]
    lines += [f"  {name}: {_version_of_module(name, module)}" for name, module in MODULES.items()]
    lines += ["", "Skipped:", *[f"  {count} tests: {reason}" for reason, count in skips.reasons.items()]]
    sys.stdout.write("\n".join(lines if skips.reasons else [*lines, "  nothing"]) + "\n")
    return int(status)


def _version(program: str, *arguments: str) -> str:
    """Return the first line of what a program says of its version."""
    found = _find(program)
    if found is None:
        return "not here"
    asked = subprocess.run([found, *arguments], capture_output=True, text=True, check=False)
    said = (asked.stdout + asked.stderr).strip().splitlines()
    return said[0] if asked.returncode == 0 and said else "not here"


def _version_of_module(program: str, module: str) -> str:
    found = _find(program)
    if found is None or shutil.which("go") is None:
        return "not here" if found is None else f"{found}, of a version that only Go can tell"
    noted = subprocess.run(["go", "version", "-m", found], capture_output=True, text=True, check=True).stdout
    versions = re.findall(rf"^\t(?:mod|dep)\t{re.escape(module)}\t(\S+)", noted, re.MULTILINE)
    return versions[0] if versions else found


def _find(program: str) -> str | None:
    return shutil.which(program, path=str(TOOLS)) or shutil.which(program)


if __name__ == "__main__":
    sys.exit(main())
