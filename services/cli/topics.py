"""`onrecord topics`: the topics of the catalogue, made and compared with it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.console import UserError, fail, note, one_line, show, table

if TYPE_CHECKING:
    from aiokafka.admin import AIOKafkaAdminClient

    from schemas.topics import Topic

app = typer.Typer(help="Make the topics, list them, and compare them with the catalogue.", no_args_is_help=True)

# Three copies survive the loss of one broker with two in-sync replicas left.
_COPIES = 3


@dataclass(frozen=True, slots=True)
class Found:
    """A topic as the brokers have it."""

    partitions: int
    replication_factor: int
    config: dict[str, str]


@app.command()
def create(
    replication_factor: Annotated[
        int | None, typer.Option(min=1, help="Copies of each message; by default 3, or fewer where brokers are fewer.")
    ] = None,
    partitions: Annotated[
        int | None, typer.Option(min=1, help="Partitions of each topic; the catalogue's by default.")
    ] = None,
) -> None:
    """Make the topics that are not there yet, and report where the others differ from the catalogue.

    What is there is never changed. The exit status is 1 when something differs.

    **Example:**

        onrecord topics create --replication-factor 3
    """
    from services.cli import kafka

    created, differences = kafka.run(make(replication_factor, partitions))
    for name in created:
        show(f"{name}: created")
    for line in differences:
        fail(line)
    if not created and not differences:
        note("all topics are there, as the catalogue has them")
    if differences:
        raise typer.Exit(1)


@app.command(name="list")
def list_() -> None:
    """List the catalogue's topics, and how many messages each holds.

    **Example:**

        onrecord topics list
    """
    from schemas.topics import CATALOGUE
    from services.cli import kafka

    found, counts = kafka.run(_state())
    table(
        ("topic", "partitions", "messages", "what"),
        [
            (topic.name, found[topic.name].partitions, counts[topic.name], topic.summary)
            if topic.name in found
            else (topic.name, "-", "-", "not there; make it with: onrecord topics create")
            for topic in CATALOGUE
        ],
    )


@app.command()
def describe(
    topic: Annotated[str | None, typer.Argument(help="Name of a topic; all of the catalogue by default.")] = None,
) -> None:
    """Show what the catalogue says of a topic, and what the brokers have.

    **Example:**

        onrecord topics describe news.quote.extracted.v1
    """
    from schemas.topics import CATALOGUE
    from services.cli import kafka

    wanted = [entry for entry in CATALOGUE if topic in (None, entry.name)]
    if not wanted:
        raise UserError(f"the catalogue has no topic {topic}; it has {', '.join(entry.name for entry in CATALOGUE)}")
    found, _ = kafka.run(_state())
    rows: list[tuple[object, ...]] = []
    for entry in wanted:
        there = found.get(entry.name)
        rows.append((entry.name, "carries", entry.carries.__name__ if entry.carries else "untouched bytes", ""))
        rows.append((entry.name, "partitions", entry.partitions, there.partitions if there else "not there"))
        rows.append((entry.name, "replication factor", f"up to {_COPIES}", there.replication_factor if there else ""))
        rows += [(entry.name, name, value, there.config[name] if there else "") for name, value in entry.config.items()]
    table(("topic", "setting", "catalogue", "brokers"), rows)


async def make(replication_factor: int | None = None, partitions: int | None = None) -> tuple[list[str], list[str]]:
    """Make the missing topics. Returns their names, and a line for each difference of those that were there."""
    from aiokafka.admin import NewTopic
    from aiokafka.errors import TopicAlreadyExistsError, for_code

    from schemas.topics import CATALOGUE
    from services.cli import kafka

    async with kafka.admin() as client:
        found = await _found(client)
        brokers = len((await client.describe_cluster())["brokers"])
        copies = replication_factor or min(_COPIES, brokers)
        missing = [topic for topic in CATALOGUE if topic.name not in found]
        answer: Any = await client.create_topics(
            [
                NewTopic(topic.name, partitions or topic.partitions, copies, topic_configs=topic.config)
                for topic in missing
            ]
        )
        for name, code, *message in answer.topic_errors:
            # Somebody else may have made it in the meantime: that is what was wanted.
            if code and for_code(code) is not TopicAlreadyExistsError:
                raise UserError(f"{name} cannot be made: {one_line(str(message[0] if message else for_code(code)))}")
    differences = [
        difference
        for topic in CATALOGUE
        if topic.name in found
        for difference in _differences(topic, found[topic.name], replication_factor, partitions)
    ]
    return [topic.name for topic in missing], differences


def _differences(topic: "Topic", found: Found, replication_factor: int | None, partitions: int | None) -> list[str]:
    """Return a line for each setting in which a topic differs from what is wanted."""
    wanted: dict[str, Any] = {"partitions": partitions or topic.partitions} | topic.config
    there: dict[str, Any] = {"partitions": found.partitions} | found.config
    if replication_factor is not None:
        wanted["replication factor"], there["replication factor"] = replication_factor, found.replication_factor
    return [
        f"{topic.name}: {name} is {there.get(name)}, should be {value}"
        for name, value in wanted.items()
        if there.get(name) != value
    ]


async def _state() -> tuple[dict[str, Found], dict[str, int]]:
    """Return the catalogue's topics that are there, and how many messages each holds (compaction's gaps included)."""
    from aiokafka import TopicPartition

    from services.cli import kafka

    async with kafka.admin() as client:
        found = await _found(client)
    partitions = [TopicPartition(name, number) for name, topic in found.items() for number in range(topic.partitions)]
    if not partitions:
        return {}, {}
    async with kafka.consumer(*partitions) as reader:
        begins, ends = await reader.beginning_offsets(partitions), await reader.end_offsets(partitions)
    counts = dict.fromkeys(found, 0)
    for partition in partitions:
        counts[partition.topic] += ends[partition] - begins[partition]
    return found, counts


async def _found(client: "AIOKafkaAdminClient") -> dict[str, Found]:
    """Return the catalogue's topics that the brokers have."""
    from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

    from schemas.topics import CATALOGUE

    names = {topic.name for topic in CATALOGUE}
    metadata = {
        topic["topic"]: topic["partitions"] for topic in await client.describe_topics() if topic["topic"] in names
    }
    if not metadata:
        return {}
    answers: Any = await client.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in metadata])
    configs = {
        name: {entry[0]: entry[1] for entry in entries}
        for answer in answers
        for _, _, _, name, entries in answer.resources
    }
    return {
        name: Found(len(partitions), len(partitions[0]["replicas"]), configs[name])
        for name, partitions in metadata.items()
    }
