"""What is checked before the models are loaded: that the brokers are there, let us in, and have what we need."""

import asyncio
import logging
import ssl

from aiokafka.client import AIOKafkaClient
from aiokafka.conn import create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    AuthenticationMethodNotSupported,
    IncompatibleBrokerVersion,
    KafkaConnectionError,
    KafkaError,
    TransactionalIdAuthorizationFailed,
    UnsupportedSaslMechanismError,
    UnsupportedVersionError,
)

from schemas.topics import CATALOGUE
from services.enricher.publish import discard, new_producer
from services.enricher.retry import Backoff, describe
from services.enricher.settings import Delivery, Settings
from services.enricher.transactions import transactional_id

log = logging.getLogger(__name__)


class BrokerError(Exception):
    """The brokers do not let this worker start. The message is one line and names what to change."""


async def check_brokers(settings: Settings) -> None:
    """Return when the brokers can be worked with; brokers that do not answer are asked again for a while.

    Raises BrokerError when they refuse us, when a topic is missing, and when exactly-once delivery is asked of brokers
    that cannot or may not give it; GaveUpError when none answers.
    """
    client = await _connected(settings)
    try:
        cluster = await client.fetch_all_metadata()
        present = cluster.topics()
    finally:
        await client.close()
    if missing := [topic.name for topic in CATALOGUE if topic.name not in present]:
        raise BrokerError(
            f"topics are missing, or hidden from this user: {', '.join(missing)}; "
            "make them with: onrecord topics create"
        )
    await _check_producer(settings)


async def _connected(settings: Settings) -> AIOKafkaClient:
    backoff = Backoff(settings)
    while True:
        client = AIOKafkaClient(**settings.kafka.client_options())
        try:
            await client.bootstrap()
        except KafkaConnectionError as error:
            await client.close()
            reason = await _refusal(settings)
            log.warning("no broker answers at %s: %s", settings.kafka.bootstrap, describe(reason or error))
            await backoff.pause(error)
        else:
            return client


async def _refusal(settings: Settings) -> Exception | None:
    """Return why no broker can be reached, which bootstrap() hides; raises BrokerError if that will not pass."""
    options = settings.kafka.client_options()
    host, _, port = options.pop("bootstrap_servers").split(",")[0].strip().rpartition(":")
    try:
        connection = await create_conn(host.strip("[]"), int(port), client_id="onrecord", **options)
    except (AuthenticationFailedError, AuthenticationMethodNotSupported, UnsupportedSaslMechanismError) as error:
        where = f"{host}:{port} refuses user {settings.kafka.sasl_username}"
        raise BrokerError(f"{where} (ONRECORD_KAFKA_SASL_USERNAME, _PASSWORD, _MECHANISM): {describe(error)}") from None
    except ssl.SSLError as error:
        raise BrokerError(f"{host}:{port}: TLS failed (ONRECORD_KAFKA_SSL_...): {describe(error)}") from None
    except (OSError, KafkaError) as error:
        return error
    connection.close()
    return None


async def _check_producer(settings: Settings) -> None:
    """Open a producer of the kind that the lanes use, and close it again."""
    exactly_once = settings.delivery is Delivery.EXACTLY_ONCE
    backoff = Backoff(settings)
    while True:
        producer = new_producer(settings, transactional_id(settings, "start") if exactly_once else None)
        try:
            async with asyncio.timeout(settings.kafka.request_timeout_seconds):
                await producer.start()
        except (IncompatibleBrokerVersion, TransactionalIdAuthorizationFailed, UnsupportedVersionError) as error:
            raise BrokerError(
                f"ONRECORD_DELIVERY=exactly_once needs brokers with transactions, and the right to transactional ids "
                f"that begin with {settings.group_id}- (else set ONRECORD_DELIVERY=at_least_once): {describe(error)}"
            ) from None
        except (KafkaError, TimeoutError) as error:
            log.warning("no producer can be opened yet: %s", describe(error))
            await backoff.pause(error)
        else:
            return
        finally:
            await discard(producer)
