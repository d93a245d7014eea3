"""The local broker: a real Apache Kafka, started from Python packages alone."""

from services.broker.cluster import Cluster
from services.broker.errors import BrokerError
from services.broker.jvm import tool

__all__ = ["BrokerError", "Cluster", "tool"]
