"""The first connection to the brokers, and in one line what is wrong with it.

aiokafka asks every broker again whatever the reason is, and tells the reason to its log alone. Some reasons do not
pass: a wrong password, an authority that is not trusted. Of these the setting to look at is named.
"""

import ssl

from aiokafka.conn import AIOKafkaConnection, create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    AuthenticationMethodNotSupported,
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from services.enricher.settings import KAFKA_PREFIX, KafkaSettings

OTHER_NAME = frozenset({62, 64})
"""OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH (x509_vfy.h)."""


class BrokerError(Exception):
    """The brokers will not have this client as it is set up. The message is one line and names what to change."""


async def knock(settings: KafkaSettings) -> None:
    """Return when a broker lets us in and serves us.

    Raises BrokerError when one refuses for a reason that does not pass; otherwise, when none answers, what the last one
    failed with: OSError or KafkaError.
    """
    failure: Exception | None = None
    for address in settings.bootstrap.split(","):
        try:
            await _enter(settings, address.strip())
        except (OSError, KafkaError) as error:
            if line := _refusal(error, settings):
                raise BrokerError(f"{address.strip()} {line}") from None
            failure = error
        else:
            return
    assert failure is not None, "a setting without an address is not valid"
    raise failure


async def _enter(settings: KafkaSettings, address: str) -> None:
    host, _, port = address.rpartition(":")
    options = settings.client_options()
    del options["bootstrap_servers"]
    try:
        connection: AIOKafkaConnection = await create_conn(host.strip("[]"), int(port), client_id="onrecord", **options)
        try:
            # A listener that wants a password answers the first question, for versions, to everybody.
            await connection.send(MetadataRequest([]))
        finally:
            connection.close()
    except (KafkaConnectionError, ConnectionResetError) as error:
        raise KafkaConnectionError(
            f"the connection was closed; is {KAFKA_PREFIX}SECURITY_PROTOCOL={settings.security_protocol} right?"
        ) from error.__cause__


def _refusal(error: Exception, settings: KafkaSettings) -> str:
    """Return what makes a failure one that does not pass, and the setting behind it; nothing for any other failure."""
    protocol = f"{KAFKA_PREFIX}SECURITY_PROTOCOL={settings.security_protocol}"
    line = ""
    match error:
        case SaslAuthenticationFailed() | AuthenticationFailedError():
            names = f"{KAFKA_PREFIX}SASL_USERNAME, {KAFKA_PREFIX}SASL_PASSWORD"
            line = f"refuses the user {settings.sasl_username} or the password ({names})"
        case UnsupportedSaslMechanismError() | AuthenticationMethodNotSupported():
            line = f"does not offer {KAFKA_PREFIX}SASL_MECHANISM={settings.sasl_mechanism}"
        case IllegalSaslStateError():
            line = f"asks for no password, which is not {protocol}"
        case ssl.SSLCertVerificationError() if error.verify_code in OTHER_NAME:
            line = f"has a certificate for another name ({KAFKA_PREFIX}BOOTSTRAP): {error.verify_message}"
        case ssl.SSLCertVerificationError():
            line = f"has a certificate that is not trusted ({KAFKA_PREFIX}SSL_CAFILE): {error.verify_message}"
        case ssl.SSLError():
            line = f"does not speak TLS as {protocol} wants it: {error.reason}"
        case KafkaConnectionError() if isinstance(error.__cause__, ssl.SSLError):
            # Since TLS 1.3 a server judges the client's certificate after the client takes itself for connected.
            names = f"{KAFKA_PREFIX}SSL_CERTFILE, {KAFKA_PREFIX}SSL_KEYFILE"
            line = f"refuses the client's certificate, or the lack of one ({names}): {error.__cause__.reason}"
    return line
