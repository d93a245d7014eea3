"""The Helm chart, rendered by the real helm, for the tests of what comes out."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
CHART = ROOT / "deploy" / "helm" / "onrecord"

PLAIN: dict[str, Any] = {"kafka": {"bootstrap": "kafka:9092", "securityProtocol": "PLAINTEXT"}}
"""The least that a user has to say."""
SCRAM: dict[str, Any] = {
    "kafka": {
        "bootstrap": "kafka-1.example.org:9094,kafka-2.example.org:9095",
        "sasl": {"secret": "enricher", "passwordKey": "kafka-password"},
        "tls": {"caSecret": "brokers"},
    }
}
MUTUAL_TLS: dict[str, Any] = {
    "kafka": {
        "bootstrap": "kafka:9095",
        "securityProtocol": "SSL",
        "tls": {"caSecret": "brokers", "clientSecret": "enricher-tls", "keyPasswordKey": "password"},
    }
}
EVERYTHING: dict[str, Any] = SCRAM | {
    "image": {
        "repository": "registry.example.org/onrecord",
        "digest": "sha256:" + "0" * 64,
        "pullSecrets": [{"name": "registry"}],
    },
    "settings": {"ONRECORD_LOG_LEVEL": "DEBUG"},
    "drainDeadlineSeconds": 100,
    "keda": {"enabled": True, "maxReplicas": 3},
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "networkPolicy": {
        "metricsFrom": [],
        "kafkaTo": [{"ipBlock": {"cidr": "192.0.2.0/24"}}],
        "kafkaPorts": [9200],
        "extraEgress": [{"ports": [{"protocol": "TCP", "port": 4318}]}],
    },
    "serviceAccount": {"annotations": {"example.org/role": "enricher"}},
    "podAnnotations": {"example.org/team": "news"},
    "podLabels": {"team": "news"},
    "nodeSelector": {"kubernetes.io/arch": "amd64"},
    "tolerations": [{"key": "batch", "operator": "Exists"}],
    "affinity": {"podAntiAffinity": {}},
    "priorityClassName": "high",
}
NOTHING: dict[str, Any] = PLAIN | {
    "staticMembership": False,
    "podDisruptionBudget": {"enabled": False},
    "networkPolicy": {"enabled": False},
    "serviceAccount": {"name": "theirs"},
}
MUTUAL_TLS_KEDA: dict[str, Any] = MUTUAL_TLS | {"keda": {"enabled": True}}
PLAIN_KEDA: dict[str, Any] = PLAIN | {"keda": {"enabled": True, "minReplicas": 0}}
VALUES = {
    "plain": PLAIN,
    "scram": SCRAM,
    "mutual_tls": MUTUAL_TLS,
    "everything": EVERYTHING,
    "nothing": NOTHING,
    "mutual_tls_keda": MUTUAL_TLS_KEDA,
    "plain_keda": PLAIN_KEDA,
}


def tool(name: str) -> str:
    """Return the path of a program that `make tools` builds, or that is installed; skip the test when it is neither."""
    found = shutil.which(name, path=str(ROOT / "dist" / "tools")) or shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not on this machine; `make tools` builds it where Go is")
    return found


def helm(*arguments: str | Path, values: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """Run helm with these values on its standard input."""
    return subprocess.run(
        [tool("helm"), *arguments, "--kube-version", "1.34", "--values", "-"],
        input=json.dumps(values), capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def render(values: dict[str, Any], release: str = "paper", namespace: str = "news") -> list[dict[str, Any]]:
    """Return what the chart makes of these values."""
    done = helm("template", release, CHART, "--namespace", namespace, values=values)
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def only(kind: str, documents: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the one document of that kind."""
    [document] = [document for document in documents if document["kind"] == kind]
    return document
