"""The first dashboard to look at, and the one for a screen on the wall."""

from typing import Any

from deploy.grafana.panels import Query, lines, number, page, quantiles


def overview() -> dict[str, Any]:
    """Return the dashboard "overview"."""
    return page(
        "overview",
        "Does it run, is it in time, is anything lost on the way?",
        "now-6h",
        [
            number(
                "Workers",
                "Workers that answer. None: OnrecordNoWorker.",
                Query('count(up{job="onrecord"} == 1) or vector(0)', "workers"),
                [(None, "red"), (1, "green")],
                unit="none",
            ),
            number(
                "Alerts",
                "Alerts that fire; docs/operations.md has a section for each.",
                Query('count(ALERTS{alertstate="firing", alertname=~"Onrecord.*"}) or vector(0)', "alerts"),
                [(None, "green"), (1, "red")],
                unit="none",
            ),
            number(
                "Waiting",
                "Messages of the raw topic that are not confirmed yet.",
                Query("sum(job:onrecord_consumer_lag_messages:sum)", "messages"),
                [(None, "green"), (1000, "yellow")],
            ),
            number(
                "In time",
                "From the raw message's timestamp to the confirmed events: 95 of 100 articles take no longer.",
                Query("max(job:onrecord_end_to_end_seconds:p95_10m)", "95 of 100"),
                [(None, "green"), (60, "yellow")],
                unit="s",
            ),
            number(
                "Dead letters",
                "Of all messages finished in a quarter of an hour, the share that became dead letters.",
                Query("max(job:onrecord_articles_failed:ratio_rate15m)", "share"),
                [(None, "green"), (0.05, "yellow")],
                unit="percentunit",
            ),
            number(
                "Articles",
                "Articles whose events were confirmed within the last day.",
                Query("round(sum(increase(onrecord_articles_enriched_total[1d])))", "articles"),
                [(None, "blue")],
            ),
            lines(
                "Articles a second",
                "What comes in, and what has become of it.",
                Query("sum(job:onrecord_articles_received:rate5m)", "received"),
                Query("sum(job:onrecord_articles_enriched:rate5m)", "enriched"),
                Query("sum(job_reason:onrecord_articles_failed:rate5m)", "dead letters"),
                width=12,
            ),
            lines(
                "From raw message to confirmed events",
                "Grows with lag. Without lag: see reading and publishing among the internals.",
                *quantiles("onrecord_end_to_end_seconds"),
                unit="s",
                width=12,
            ),
            lines(
                "Waiting by worker",
                "Messages of a worker's partitions that are not confirmed yet.",
                Query("instance:onrecord_consumer_lag_messages:sum", "{{instance}}"),
                stacked=True,
                width=12,
            ),
            lines(
                "Dead letters a second, by reason",
                "`onrecord dlq list` shows them.",
                Query(
                    "sum by (reason) (job_reason:onrecord_articles_failed:rate5m) > 0"
                    " or sum(job_reason:onrecord_articles_failed:rate5m)",
                    "{{reason}}",
                ),
                width=12,
            ),
            lines(
                "Found a second",
                "Events of single items.",
                Query("sum(rate(onrecord_entities_total[$__rate_interval]))", "entities"),
                Query("sum(rate(onrecord_quotes_total[$__rate_interval]))", "quotes"),
                Query("sum(rate(onrecord_positions_total[$__rate_interval]))", "positions"),
            ),
            lines(
                "Seconds since the last confirmation",
                "Long while messages wait: OnrecordStuck.",
                Query("time() - (onrecord_last_progress_timestamp_seconds > 0)", "{{instance}}"),
                unit="s",
            ),
            lines(
                "Refused by the brokers",
                "Publishing that is tried again: OnrecordPublishErrors.",
                Query("sum by (instance) (increase(onrecord_publish_errors_total[$__rate_interval]))", "{{instance}}"),
            ),
        ],
    )
