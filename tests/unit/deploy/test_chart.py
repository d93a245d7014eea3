"""What the Helm chart promises, read from what the real helm renders."""

import copy
import json
import re
import tomllib
from typing import Any

import pytest
import yaml

from schemas.topics import RAW
from services.enricher.app import LEAVE_SECONDS
from services.enricher.settings import KafkaSettings, SecurityProtocol, Settings
from tests.unit.deploy.chart import (
    CHART,
    EVERYTHING,
    MUTUAL_TLS,
    NOTHING,
    PLAIN,
    ROOT,
    SCRAM,
    VALUES,
    helm,
    only,
    render,
)

every_set_of_values = pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
DOCKERFILE = (ROOT / "deploy/docker/Dockerfile").read_text(encoding="utf-8")


def pod(documents: list[dict[str, Any]]) -> dict[str, Any]:
    return dict(only("StatefulSet", documents)["spec"]["template"]["spec"])


def environment(documents: list[dict[str, Any]]) -> dict[str, Any]:
    """Return each variable's value, or where it comes from."""
    variables = pod(documents)["containers"][0]["env"]
    names = [variable["name"] for variable in variables]
    assert len(names) == len(set(names)), "a variable is set twice"
    return {variable["name"]: variable.get("value", variable.get("valueFrom")) for variable in variables}


@every_set_of_values
def test_helm_finds_no_fault_with_the_chart(values: dict[str, Any]) -> None:
    done = helm("lint", CHART, "--strict", values=values)
    assert done.returncode == 0, done.stdout + done.stderr


@every_set_of_values
def test_the_pod_may_do_nothing_that_it_need_not(values: dict[str, Any]) -> None:
    documents = render(values)
    spec = pod(documents)
    [container] = spec["containers"]
    [user] = re.findall(r"^USER (\d+):\d+$", DOCKERFILE, re.MULTILINE)
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] == int(user)
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "runAsNonRoot": True,
        "readOnlyRootFilesystem": True,
        "allowPrivilegeEscalation": False,
        "privileged": False,
        "capabilities": {"drop": ["ALL"]},
    }
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    assert not any(spec.get(name) for name in ("hostNetwork", "hostPID", "hostIPC"))
    writable = [mount["mountPath"] for mount in container["volumeMounts"] if not mount.get("readOnly")]
    assert writable == ["/tmp"]


@every_set_of_values
def test_what_is_mounted_is_a_volume_and_what_is_a_volume_is_mounted(values: dict[str, Any]) -> None:
    spec = pod(render(values))
    mounts = [mount["name"] for mount in spec["containers"][0]["volumeMounts"]]
    assert sorted(mounts) == sorted(volume["name"] for volume in spec["volumes"])


@every_set_of_values
def test_the_settings_are_ones_that_the_worker_takes(values: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    variables = environment(render(values))
    known = {f"ONRECORD_{name.upper()}" for name in Settings.model_fields}
    known |= {f"ONRECORD_KAFKA_{name.upper()}" for name in KafkaSettings.model_fields}
    ours = {name: value for name, value in variables.items() if name.startswith("ONRECORD_")}
    assert set(ours) <= known
    for name, value in ours.items():
        monkeypatch.setenv(name, value if isinstance(value, str) else "of a secret")
    settings = Settings()
    assert settings.metrics_port == pod(render(values))["containers"][0]["ports"][0]["containerPort"]


@every_set_of_values
def test_a_worker_is_killed_no_sooner_than_it_has_drained_and_left(values: dict[str, Any]) -> None:
    documents = render(values)
    drain = float(environment(documents)["ONRECORD_DRAIN_DEADLINE_SECONDS"])
    assert pod(documents)["terminationGracePeriodSeconds"] > drain + LEAVE_SECONDS


@every_set_of_values
def test_services_budgets_policies_and_monitors_select_the_pods(values: dict[str, Any]) -> None:
    documents = render(values)
    template = only("StatefulSet", documents)["spec"]["template"]["metadata"]["labels"]
    selectors = [only("StatefulSet", documents)["spec"]["selector"]["matchLabels"]]
    for document in documents:
        spec = document.get("spec", {})
        match document["kind"]:
            case "Service":
                selectors.append(spec["selector"])
            case "PodDisruptionBudget":
                selectors.append(spec["selector"]["matchLabels"])
            case "NetworkPolicy":
                selectors.append(spec["podSelector"]["matchLabels"])
            case "ServiceMonitor":
                service = only("Service", documents)
                assert spec["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
                assert spec["endpoints"][0]["port"] == service["spec"]["ports"][0]["name"]
    for selector in selectors:
        assert selector
        assert selector.items() <= template.items()
    assert only("StatefulSet", documents)["spec"]["serviceName"] == only("Service", documents)["metadata"]["name"]


@every_set_of_values
def test_no_secret_is_written_into_a_manifest(values: dict[str, Any]) -> None:
    documents = render(values)
    assert not [document for document in documents if document["kind"] == "Secret"]
    for name, value in environment(documents).items():
        if "PASSWORD" in name or "USERNAME" in name:
            assert set(value) == {"secretKeyRef"}, name


@pytest.mark.parametrize("probe", ["startupProbe", "livenessProbe", "readinessProbe"])
def test_the_probes_ask_pages_that_the_worker_has(probe: str) -> None:
    [container] = pod(render(PLAIN))["containers"]
    page = "/readyz" if probe == "readinessProbe" else "/livez"
    assert container[probe]["httpGet"] == {"path": page, "port": "metrics"}
    assert container["ports"] == [{"name": "metrics", "containerPort": 9464}]
    assert environment(render(PLAIN))["ONRECORD_METRICS_HOST"] == "0.0.0.0"


def test_a_pod_keeps_its_own_name_in_the_consumer_group() -> None:
    documents = render(PLAIN)
    variables = environment(documents)
    assert variables["ONRECORD_INSTANCE_ID"] == "$(POD_NAMESPACE).$(POD_NAME)"
    assert variables["POD_NAME"] == {"fieldRef": {"fieldPath": "metadata.name"}}
    assert variables["POD_NAMESPACE"] == {"fieldRef": {"fieldPath": "metadata.namespace"}}
    # Kubernetes puts in only what is defined before.
    order = list(variables)
    assert max(order.index("POD_NAME"), order.index("POD_NAMESPACE")) < order.index("ONRECORD_INSTANCE_ID")
    assert "ONRECORD_INSTANCE_ID" not in environment(render(NOTHING))


def test_the_group_waits_longer_than_a_pod_takes_to_be_replaced() -> None:
    documents = render(PLAIN)
    assert (
        float(environment(documents)["ONRECORD_SESSION_TIMEOUT_SECONDS"])
        > (pod(documents)["terminationGracePeriodSeconds"])
    )


def test_a_worker_has_the_memory_that_its_children_may_take() -> None:
    documents = render(PLAIN)
    limit = pod(documents)["containers"][0]["resources"]["limits"]["memory"]
    children = int(environment(documents)["ONRECORD_CHILDREN"])
    assert int(limit.removesuffix("Gi")) * 1024**3 > children * Settings.model_fields["child_memory_bytes"].default


def test_certificates_are_files_where_the_settings_say() -> None:
    spec = pod(render(MUTUAL_TLS))
    variables = environment(render(MUTUAL_TLS))
    folders = {mount["name"]: mount["mountPath"] for mount in spec["containers"][0]["volumeMounts"]}
    files = {
        f"{folders[volume['name']]}/{item['path']}"
        for volume in spec["volumes"]
        for item in volume.get("secret", {}).get("items", [])
    }
    named = {variables[f"ONRECORD_KAFKA_SSL_{name}"] for name in ("CAFILE", "CERTFILE", "KEYFILE")}
    assert named == files
    secret = {"secretKeyRef": {"name": "enricher-tls", "key": "password"}}
    assert variables["ONRECORD_KAFKA_SSL_KEY_PASSWORD"] == secret


def test_an_upgrade_can_be_tried_on_some_of_the_pods() -> None:
    for values, first in ((PLAIN, 0), (PLAIN | {"updatePartition": 1}, 1)):
        strategy = only("StatefulSet", render(values))["spec"]["updateStrategy"]
        assert strategy == {"type": "RollingUpdate", "rollingUpdate": {"partition": first}}


def test_names_of_releases_do_not_collide() -> None:
    names = {
        only("StatefulSet", render(PLAIN, release))["metadata"]["name"]
        for release in ("paper", "onrecord", "onrecord-2")
    }
    assert names == {"paper-onrecord", "onrecord", "onrecord-2"}


def test_a_new_chart_alone_restarts_no_pod() -> None:
    template = only("StatefulSet", render(PLAIN))["spec"]["template"]["metadata"]["labels"]
    assert not any("chart" in name or "version" in name for name in template)


def test_the_image_is_the_release_unless_a_digest_says_which() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert pod(render(PLAIN))["containers"][0]["image"] == f"onrecord:{version}"
    image = pod(render(EVERYTHING))["containers"][0]["image"]
    assert image == "registry.example.org/onrecord@sha256:" + "0" * 64


def test_the_network_policy_lets_in_those_who_watch_and_out_to_the_brokers() -> None:
    policy = only("NetworkPolicy", render(SCRAM))["spec"]
    assert set(policy["policyTypes"]) == {"Ingress", "Egress"}
    [inward] = policy["ingress"]
    assert inward["from"]
    assert [port["port"] for port in inward["ports"]] == ["metrics"]
    names, brokers = policy["egress"]
    assert {port["port"] for port in names["ports"]} == {53}
    assert [port["port"] for port in brokers["ports"]] == [9094, 9095]

    everything = only("NetworkPolicy", render(EVERYTHING))["spec"]
    assert everything["ingress"] == []
    assert everything["egress"][1] == {
        "to": [{"ipBlock": {"cidr": "192.0.2.0/24"}}],
        "ports": [{"protocol": "TCP", "port": 9200}],
    }
    assert everything["egress"][2]["ports"][0]["port"] == 4318


def test_keda_scales_the_stateful_set_by_the_lag_of_its_own_group() -> None:
    documents = render(EVERYTHING)
    assert "replicas" not in only("StatefulSet", documents)["spec"], "helm and KEDA would fight over them"
    scaled = only("ScaledObject", documents)["spec"]
    assert scaled["scaleTargetRef"]["kind"] == "StatefulSet"
    assert scaled["scaleTargetRef"]["name"] == only("StatefulSet", documents)["metadata"]["name"]
    [trigger] = scaled["triggers"]
    variables = environment(documents)
    assert trigger["type"] == "kafka"
    assert all(isinstance(value, str) for value in trigger["metadata"].values()), "KEDA takes strings alone"
    assert trigger["metadata"]["topic"] == RAW.name
    assert trigger["metadata"]["consumerGroup"] == variables["ONRECORD_GROUP_ID"]
    assert trigger["metadata"]["bootstrapServers"] == variables["ONRECORD_KAFKA_BOOTSTRAP"]
    assert trigger["metadata"]["sasl"] == "scram_sha512"
    assert trigger["metadata"]["tls"] == "enable"
    authentication = only("TriggerAuthentication", documents)
    assert trigger["authenticationRef"]["name"] == authentication["metadata"]["name"]
    parameters = {target["parameter"]: target["key"] for target in authentication["spec"]["secretTargetRef"]}
    assert parameters == {"username": "username", "password": "kafka-password", "ca": "ca.crt"}


def test_keda_starts_no_more_workers_than_there_are_partitions() -> None:
    defaults = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    assert defaults["keda"]["maxReplicas"] == RAW.partitions


def test_what_is_not_asked_for_is_not_made() -> None:
    assert {document["kind"] for document in render(NOTHING)} == {"StatefulSet", "Service"}
    optional = {"ScaledObject", "TriggerAuthentication", "ServiceMonitor"}
    assert not optional & {document["kind"] for document in render(PLAIN)}
    assert "TriggerAuthentication" not in {document["kind"] for document in render(VALUES["plain_keda"])}


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("kafka.bootstrap", "", "/kafka/bootstrap"),
        ("kafka.bootstrap", "kafka", "/kafka/bootstrap"),
        ("kafka.securityProtocol", "SASL_SSL", "/kafka/sasl/secret"),
        ("kafka.securityProtocol", "TLS", "/kafka/securityProtocol"),
        ("drainDeadlineSeconds", "25s", "/drainDeadlineSeconds"),
        ("settings", {"ONRECORD_KAFKA_SASL_PASSWORD": "x"}, "ONRECORD_KAFKA_SASL_PASSWORD"),
        ("settings", {"ONRECORD_CHILDREN": "4"}, "ONRECORD_CHILDREN"),
        ("settings", {"LOG_LEVEL": "DEBUG"}, "LOG_LEVEL"),
        ("image.digest", "latest", "/image/digest"),
        ("replica", 3, "replica"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused(path: str, value: object, said: str) -> None:
    values = copy.deepcopy(PLAIN)
    *parents, last = path.split(".")
    part = values
    for parent in parents:
        part = part.setdefault(parent, {})
    part[last] = value
    done = helm("template", "paper", CHART, values=values)
    assert done.returncode != 0
    assert said in done.stderr


def test_every_value_is_described_and_every_description_has_its_value() -> None:
    """Both files say the same values, down to the ones that hold what Kubernetes defines."""
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))

    def described(node: dict[str, Any], at: str = "") -> set[str]:
        inner = node.get("properties")
        return {at} if inner is None else set().union(*(described(inner[name], f"{at}/{name}") for name in inner))

    def present(node: Any, paths: set[str], at: str = "") -> set[str]:
        if at in paths or not isinstance(node, dict):
            return {at}
        return set().union(*(present(value, paths, f"{at}/{name}") for name, value in node.items()))

    paths = described(schema)
    # Helm's own, and what is there only for those who need it.
    assert present(values, paths) == paths - {"/global", "/resources/claims"}


def test_every_security_protocol_of_the_settings_is_taken() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    protocols = schema["properties"]["kafka"]["properties"]["securityProtocol"]["enum"]
    assert set(protocols) == set(SecurityProtocol)
