"""The dashboard of what is read, for whoever answers for the events."""

from typing import Any

from deploy.grafana.panels import Heading, Query, heat, labels, lines, page


def _mean(metric: str) -> str:
    return f"sum(increase({metric}_sum[1h])) / sum(increase({metric}_count[1h]))"


def quality() -> dict[str, Any]:
    """Return the dashboard "quality"."""
    return page(
        "quality",
        "Does it find what it found yesterday, and is it as sure of it?",
        "now-24h",
        [
            Heading("What an article yields"),
            lines(
                "Found in an article",
                "Averages over an hour. Half of yesterday's: OnrecordFindsLess.",
                Query("job:onrecord_yield:ratio_increase1h", "{{found}}"),
                width=12,
            ),
            lines(
                "Quotes with a known speaker",
                "A source with a new layout shows here first.",
                Query(
                    'sum(rate(onrecord_quotes_total{speaker="known"}[$__rate_interval]))'
                    " / sum(rate(onrecord_quotes_total[$__rate_interval]))",
                    "share",
                ),
                unit="percentunit",
                most=1,
                width=6,
            ),
            lines(
                "Length of an article",
                "Shorter texts hold less. Fewer characters to a token than usual: markup among the text.",
                *(
                    Query(
                        f"sum(rate(onrecord_{unit}_read_total[$__rate_interval]))"
                        " / sum(rate(onrecord_articles_enriched_total[$__rate_interval]))",
                        unit,
                    )
                    for unit in ("characters", "tokens")
                ),
                width=6,
            ),
            Heading("Quotes and positions"),
            lines(
                "Quotes a second, by kind",
                "Direct, indirect or mixed.",
                Query("sum by (kind) (rate(onrecord_quotes_total[$__rate_interval]))", "{{kind}}"),
                stacked=True,
            ),
            lines(
                "Positions a second, by stance",
                "A stance that vanishes is a fault; slow changes are the news.",
                Query("sum by (stance) (rate(onrecord_positions_total[$__rate_interval]))", "{{stance}}"),
                stacked=True,
            ),
            lines(
                "Positions a second, by modality",
                "Their shares change with the news of the day; one that is gone for days is a fault.",
                Query("sum by (modality) (rate(onrecord_positions_total[$__rate_interval]))", "{{modality}}"),
                stacked=True,
            ),
            Heading("Confidence"),
            *(
                heat(
                    f"Confidence of {found}s",
                    "Drifts down: the texts are less and less like those it was made for.",
                    Query(
                        f"sum by (le) (increase(onrecord_{found}_confidence_ratio_bucket[$__rate_interval]))", "{{le}}"
                    ),
                )
                for found in ("quote", "position")
            ),
            lines(
                "Mean confidence",
                "Of what was found within an hour.",
                Query(_mean("onrecord_quote_confidence_ratio"), "quotes"),
                Query(_mean("onrecord_position_confidence_ratio"), "positions"),
                unit="percentunit",
                most=1,
                width=12,
            ),
            lines(
                "Entities a second, by type",
                "A type that falls against the others: the input changed, or the model did.",
                Query("sum by (type) (rate(onrecord_entities_total[$__rate_interval]))", "{{type}}"),
                stacked=True,
                width=12,
            ),
            lines(
                "Passed on unread, a second",
                "Articles in a language without a model.",
                Query("sum(rate(onrecord_articles_skipped_total[$__rate_interval]))", "articles"),
                width=12,
            ),
            labels("Models", "Compare figures only where these are the same.", "onrecord_model_info", width=12),
        ],
    )
