"""docker-compose.yml, the Dockerfile and Prometheus's settings agree with each other and with the project."""

import json
import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.broker.lock import KAFKA_VERSION
from services.enricher.settings import KafkaSettings, Settings
from tests.containers.engine import compose_command

ROOT = Path(__file__).parents[3]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "deploy/docker/Dockerfile").read_text(encoding="utf-8")


def test_a_service_waits_for_the_health_of_those_it_needs() -> None:
    gated = {name: service["depends_on"] for name, service in SERVICES.items() if "depends_on" in service}
    assert set(gated) == {"topics", "enricher", "prometheus", "grafana"}
    for needs in gated.values():
        for other, how in needs.items():
            if how["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[other]
            else:
                assert (other, how["condition"]) == ("topics", "service_completed_successfully")


def test_images_are_pinned_and_kafka_is_the_one_of_the_local_broker() -> None:
    images = {service["image"] for service in SERVICES.values() if "build" not in service}
    assert f"apache/kafka:{KAFKA_VERSION}" in images
    for image in images:
        assert re.search(r":v?\d+\.\d+\.\d+$", image), image


def test_everything_listens_on_the_loopback_interface_alone() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_what_is_mounted_or_built_from_is_there() -> None:
    volumes = [volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])]
    for source in volumes:
        assert source in COMPOSE["volumes"] or (ROOT / source).exists(), source
    copies = re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE)
    copied = [name for line in copies for name in line.split()]
    assert copied
    for name in copied:
        assert (ROOT / name).exists(), name
        assert f"!{name}" in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()


def test_the_settings_are_ones_that_the_worker_knows() -> None:
    known = {f"ONRECORD_{name.upper()}" for name in Settings.model_fields}
    known |= {f"ONRECORD_KAFKA_{name.upper()}" for name in KafkaSettings.model_fields}
    used = {name for service in SERVICES.values() for name in service.get("environment", {}) if "ONRECORD" in name}
    used |= set(re.findall(r"ONRECORD_\w+", DOCKERFILE))
    assert used
    assert used <= known


def test_the_worker_is_stopped_no_sooner_than_it_has_drained() -> None:
    grace = re.fullmatch(r"(\d+)s", SERVICES["enricher"]["stop_grace_period"])
    assert grace is not None
    assert int(grace[1]) > Settings.model_fields["drain_deadline_seconds"].default


def test_prometheus_scrapes_the_port_that_the_worker_serves() -> None:
    port = Settings.model_fields["metrics_port"].default
    prometheus = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text(encoding="utf-8"))
    [job] = prometheus["scrape_configs"]
    [discovery] = job["dns_sd_configs"]
    assert (discovery["names"], discovery["port"]) == (["enricher"], port)
    replicas = SERVICES["enricher"]["deploy"]["replicas"]
    assert SERVICES["enricher"]["ports"] == [f"127.0.0.1:{port}-{port + replicas - 1}:{port}"]
    assert f"EXPOSE {port}" in DOCKERFILE
    assert str(port) in DOCKERFILE.partition("HEALTHCHECK")[2].partition("ENTRYPOINT")[0]


def test_prometheus_and_grafana_find_what_is_mounted() -> None:
    prometheus, grafana = (_mounted(name) for name in ("prometheus", "grafana"))
    settings = yaml.safe_load(prometheus["/etc/prometheus/prometheus.yml"].read_text(encoding="utf-8"))
    [rules] = settings["rule_files"]
    assert list(prometheus[f"/etc/prometheus/{Path(rules).parent}"].glob(Path(rules).name))

    provisioning = "/etc/grafana/provisioning"
    source = grafana[f"{provisioning}/datasources"] / "prometheus.yml"
    [datasource] = yaml.safe_load(source.read_text(encoding="utf-8"))["datasources"]
    assert datasource["url"] == "http://prometheus:9090"
    assert datasource["jsonData"]["timeInterval"] == settings["global"]["scrape_interval"]
    provider = grafana[f"{provisioning}/dashboards"] / "provider.yml"
    [found] = yaml.safe_load(provider.read_text(encoding="utf-8"))["providers"]
    home = Path(SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert home.parent.as_posix() == found["options"]["path"] == f"{provisioning}/dashboards"
    assert (grafana[found["options"]["path"]] / home.name).exists()


def _mounted(service: str) -> dict[str, Path]:
    """Return what a service finds where, by the path in its container."""
    mounts = [volume.split(":") for volume in SERVICES[service]["volumes"]]
    return {inside: ROOT / outside for outside, inside, _ in mounts}


@pytest.mark.parametrize("service", ["topics", "enricher"])
def test_our_containers_may_do_nothing_that_they_need_not(service: str) -> None:
    assert SERVICES[service]["read_only"] is True
    assert SERVICES[service]["tmpfs"] == ["/tmp"]
    assert SERVICES[service]["cap_drop"] == ["ALL"]
    assert SERVICES[service]["security_opt"] == ["no-new-privileges:true"]


def test_the_image_runs_as_a_numeric_user_who_is_not_root() -> None:
    assert len(re.findall(r"^FROM ", DOCKERFILE, re.MULTILINE)) == 2
    [user] = re.findall(r"^USER (\d+):\d+$", DOCKERFILE.rpartition("FROM ")[2], re.MULTILINE)
    assert int(user) > 0


def test_the_image_installs_what_is_locked_for_the_project() -> None:
    """Made by the command in its first lines, with the project's lock file as the constraint."""
    image, project = (_locked(ROOT / folder / "requirements.lock") for folder in ("deploy/docker", ""))
    assert image.items() <= project.items()
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    names = {re.match(r"[\w.-]+", dependency)[0] for dependency in dependencies}  # type: ignore[index]
    assert names <= {line.partition("==")[0].partition("[")[0] for line in image}


def _locked(path: Path) -> dict[str, set[str]]:
    """Return the hashes of each locked version."""
    lines = re.split(r"\n(?=[a-z0-9])", path.read_text(encoding="utf-8"), flags=re.IGNORECASE)
    return {line.split()[0]: set(re.findall(r"sha256:\w{64}", line)) for line in lines if "==" in line.split()[0]}


PRODUCTION = {
    "ONRECORD_IMAGE": "registry.example.org/onrecord@sha256:" + "0" * 64,
    "ONRECORD_KAFKA_BOOTSTRAP": "kafka-1.example.org:9094",
    "ONRECORD_KAFKA_SASL_USERNAME": "enricher",
    "ONRECORD_KAFKA_SASL_PASSWORD": "of the enricher",
    "ONRECORD_KAFKA_SSL_CAFILE": "/etc/onrecord/ca.pem",
    "GRAFANA_ADMIN_PASSWORD": "of the administrator",
}
"""What the production file cannot do without."""


def _compose_config(*files: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Return what docker compose makes of the files, as JSON."""
    chosen = [argument for name in files for argument in ("--file", str(ROOT / name))]
    path = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    return subprocess.run(
        [*compose_command(), *chosen, "config", "--format", "json"],
        capture_output=True, text=True, check=False, env=path | environment,
    )  # fmt: skip


def test_docker_compose_accepts_the_file() -> None:
    done = _compose_config("docker-compose.yml")
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)["services"]) == set(SERVICES)


def test_in_production_workers_reach_brokers_of_yours_over_tls_with_a_password() -> None:
    done = _compose_config("docker-compose.yml", "deploy/docker/production.yml", **PRODUCTION)
    assert done.returncode == 0, done.stderr
    services = json.loads(done.stdout)["services"]
    assert set(services) == {"enricher", "prometheus", "grafana"}
    enricher = services["enricher"]
    assert enricher["image"] == PRODUCTION["ONRECORD_IMAGE"]
    assert "build" not in enricher
    assert "ports" not in enricher
    assert enricher["read_only"] is True
    settings = enricher["environment"]
    assert settings["ONRECORD_KAFKA_SECURITY_PROTOCOL"] == "SASL_SSL"
    [secret] = enricher["secrets"]
    assert settings["ONRECORD_KAFKA_SSL_CAFILE"] == secret["target"]
    memory = int(enricher["deploy"]["resources"]["limits"]["memory"])
    assert memory > int(settings["ONRECORD_CHILDREN"]) * Settings.model_fields["child_memory_bytes"].default
    assert services["grafana"]["environment"]["GF_AUTH_ANONYMOUS_ENABLED"] == "false"


@pytest.mark.parametrize("missing", PRODUCTION)
def test_in_production_nothing_starts_without_its_secrets(missing: str) -> None:
    given = {name: value for name, value in PRODUCTION.items() if name != missing}
    done = _compose_config("docker-compose.yml", "deploy/docker/production.yml", **given)
    assert done.returncode != 0
    assert missing in done.stderr
