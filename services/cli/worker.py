"""`onrecord worker`: the stream service."""

import typer

from services.cli.console import explained


def worker() -> None:
    """Read articles from Kafka until it is stopped (Ctrl-C or SIGTERM), and publish what they say.

    Everything is set through the environment, beginning with ONRECORD_KAFKA_BOOTSTRAP; a second signal ends it at
    once. Workers of one ONRECORD_GROUP_ID share the work.

    **Example:**

        ONRECORD_KAFKA_BOOTSTRAP=kafka:9092 ONRECORD_METRICS_PORT=9464 onrecord worker
    """
    from services.enricher.app import run_worker
    from services.enricher.settings import SettingsError, load_settings

    with explained(SettingsError):
        settings = load_settings()
    raise typer.Exit(run_worker(settings))
