"""The dashboard for whoever tunes a worker, or looks for what is wrong with one."""

from typing import Any

from grafana_foundation_sdk.builders.dashboard import QueryVariable
from grafana_foundation_sdk.models.dashboard import VariableOption, VariableRefresh, VariableSort

from deploy.grafana.panels import SOURCE, Heading, Panel, Query, labels, lines, page, quantiles

CHOSEN = '{instance=~"$instance"}'
"""The workers that are chosen at the top of the page; what every process has is asked of this job's alone."""
PROCESSES = '{job="onrecord", instance=~"$instance"}'


def _rate(metric: str) -> str:
    return f"rate({metric}{CHOSEN}[$__rate_interval])"


def internals() -> dict[str, Any]:
    """Return the dashboard "internals"."""
    worker = (
        QueryVariable("instance")
        .label("Worker")
        .datasource(SOURCE)
        .query({"query": "label_values(onrecord_build_info, instance)", "refId": "instance"})
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(VariableOption(text=["All"], value=["$__all"], selected=True))
    )
    return page(
        "internals",
        "What holds a worker up: its cores, the brokers, or its limits?",
        "now-6h",
        [
            Heading("Reading"),
            *_reading(),
            Heading("Kafka"),
            *_kafka(),
            Heading("Processes"),
            *_processes(),
            labels("Builds", "Version of the service and of Python.", f"onrecord_build_info{CHOSEN}", width=24),
        ],
        worker,
    )


def _reading() -> list[Panel]:
    step_seconds, articles = _rate("onrecord_reading_step_seconds_sum"), _rate("onrecord_reading_seconds_count")
    slowest = f"sum by (step, le) ({_rate('onrecord_reading_step_seconds_bucket')})"
    return [
        lines(
            "Time to read an article",
            "A child's time for a batch, shared among its articles.",
            *quantiles("onrecord_reading_seconds", CHOSEN),
            unit="s",
        ),
        lines(
            "Where that time goes, by step",
            "Averages. All steps grow alike: a slower machine. One alone: a release, a model, other articles.",
            Query(f"sum by (step) ({step_seconds}) / on () group_left sum({articles})", "{{step}}"),
            unit="s",
            stacked=True,
        ),
        lines(
            "The slowest articles, by step",
            "95 of 100 articles take no longer for a step; what is done for a batch at once, its share.",
            Query(f"histogram_quantile(0.95, {slowest})", "{{step}}"),
            unit="s",
        ),
        lines(
            "Children",
            "All busy and a queue: the cores are the limit.",
            Query(f"sum(onrecord_children{CHOSEN})", "ready or reading"),
            Query(f"sum(onrecord_children_busy{CHOSEN})", "reading"),
        ),
        lines(
            "Waiting for a child",
            "Articles taken from Kafka that no child reads yet.",
            Query(f"onrecord_queue_articles{CHOSEN}", "{{instance}}"),
        ),
        lines(
            "Articles in a batch",
            "Near 1 under full load: raise ONRECORD_IN_FLIGHT_ARTICLES.",
            Query(
                f"sum({_rate('onrecord_batch_articles_sum')}) / sum({_rate('onrecord_batch_articles_count')})", "mean"
            ),
        ),
        lines(
            "Read in a second of reading",
            "The speed of a child while it reads.",
            *(
                Query(
                    f"sum({_rate(f'onrecord_{unit}_read_total')}) / sum({_rate('onrecord_reading_seconds_sum')})", unit
                )
                for unit in ("characters", "tokens")
            ),
            width=12,
        ),
        lines(
            "Children replaced, by cause",
            "Other than recycled: OnrecordChildrenDie.",
            Query(f"sum by (cause) (increase(onrecord_child_restarts_total{CHOSEN}[$__rate_interval]))", "{{cause}}"),
            stacked=True,
            width=12,
        ),
    ]


def _kafka() -> list[Panel]:
    return [
        lines(
            "Time to publish a batch",
            "From the producer to the brokers' confirmation.",
            *quantiles("onrecord_publish_seconds", CHOSEN),
            unit="s",
        ),
        lines(
            "In flight",
            "Articles that are neither confirmed nor given up; ONRECORD_IN_FLIGHT_ARTICLES is the limit.",
            Query(f"onrecord_articles_in_flight{CHOSEN}", "{{instance}}"),
        ),
        lines(
            "In flight, bytes",
            "The same in raw bytes; ONRECORD_IN_FLIGHT_BYTES is the limit.",
            Query(f"onrecord_in_flight_bytes{CHOSEN}", "{{instance}}"),
            unit="bytes",
        ),
        lines(
            "Waiting by partition",
            "One partition alone: one key is too frequent.",
            Query(f"sum by (partition) (onrecord_consumer_lag_messages{CHOSEN})", "{{partition}}"),
            width=12,
        ),
        lines(
            "Partitions by worker",
            "Zero: more workers than partitions, or a group that does not settle.",
            Query(f"onrecord_partitions{CHOSEN}", "{{instance}}"),
            width=12,
        ),
    ]


def _processes() -> list[Panel]:
    return [
        lines(
            "Memory of the workers",
            "Resident; the process that talks to Kafka.",
            Query(f"process_resident_memory_bytes{PROCESSES}", "{{instance}}"),
            unit="bytes",
        ),
        lines(
            "Memory of the children",
            "Resident, shared pages included; ONRECORD_CHILD_MEMORY_BYTES is the limit.",
            Query(f"onrecord_child_memory_bytes{CHOSEN}", "{{instance}} child {{child}}"),
            unit="bytes",
        ),
        lines(
            "Processor time of the workers",
            "Seconds a second, without the children.",
            Query(f"rate(process_cpu_seconds_total{PROCESSES}[$__rate_interval])", "{{instance}}"),
        ),
        lines(
            "Delay of the event loop",
            "Above a tenth of a second: something blocks it.",
            Query(f"onrecord_event_loop_delay_seconds{CHOSEN}", "{{instance}}"),
            unit="s",
        ),
        lines(
            "Open files",
            "Of the limit.",
            Query(f"process_open_fds{PROCESSES} / process_max_fds{PROCESSES}", "{{instance}}"),
            unit="percentunit",
        ),
        lines(
            "Garbage collections a second",
            "Of the process that talks to Kafka.",
            Query(
                f"sum by (generation) (rate(python_gc_collections_total{PROCESSES}[$__rate_interval]))",
                "generation {{generation}}",
            ),
        ),
    ]
