"""What is checked before the models are loaded: that the brokers are there, let us in, and have what we need."""

import asyncio
import logging

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import (
    IncompatibleBrokerVersion,
    KafkaError,
    TransactionalIdAuthorizationFailed,
    UnsupportedVersionError,
)

from services.enricher.admission import BrokerError, knock
from services.enricher.publish import discard, new_producer
from services.enricher.retry import Backoff, describe
from services.enricher.rights import missing_topics_and_rights
from services.enricher.settings import Delivery, Settings
from services.enricher.transactions import transactional_id

log = logging.getLogger(__name__)


async def check_brokers(settings: Settings) -> None:
    """Return when the brokers can be worked with; brokers that do not answer are asked again for a while.

    Raises BrokerError when they refuse us, when a topic or a right is missing, and when exactly-once delivery is asked
    of brokers that cannot or may not give it; GaveUpError when none answers.
    """
    topics, rights = await _ask(settings)
    if topics:
        raise BrokerError(f"topics are missing: {', '.join(topics)}; make them with: onrecord topics create")
    if rights:
        raise BrokerError(
            f"the brokers' access control lists, or the lack of a topic, keep from this worker: {', '.join(rights)} "
            "(docs/operations.md, Security)"
        )
    await _check_producer(settings)


async def _ask(settings: Settings) -> tuple[list[str], list[str]]:
    """Return which topics and which rights are missing, as soon as a broker answers."""
    backoff = Backoff(settings)
    while True:
        client = AIOKafkaClient(**settings.kafka.client_options())
        try:
            await knock(settings.kafka)
            await client.bootstrap()
            return await missing_topics_and_rights(client, settings.group_id)
        except (KafkaError, OSError) as error:
            log.warning("no broker answers at %s: %s", settings.kafka.bootstrap, describe(error))
            await backoff.pause(error)
        finally:
            await client.close()


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
                f"ONRECORD_DELIVERY=exactly_once needs brokers with transactions, and Write on transactional ids that "
                f"begin with {settings.group_id}- (else set ONRECORD_DELIVERY=at_least_once): {describe(error)}"
            ) from None
        except (KafkaError, TimeoutError) as error:
            log.warning("no producer can be opened yet: %s", describe(error))
            await backoff.pause(error)
        else:
            return
        finally:
            await discard(producer)
