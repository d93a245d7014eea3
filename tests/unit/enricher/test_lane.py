"""What a lane promises."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError, MessageSizeTooLargeError, ProducerFenced

from schemas import DeadLetterHeaders, Reason
from schemas.topics import DEAD_LETTERS
from services.enricher.deadletter import TooManyDeadLettersError
from services.enricher.retry import GaveUpError
from services.enricher.settings import Settings
from tests.unit.enricher.lanes import Bench, until

Make = Callable[..., Bench]


@pytest.fixture
async def bench_of() -> AsyncIterator[Make]:
    benches: list[Bench] = []

    def make(**settings: Any) -> Bench:
        benches.append(Bench(**settings))
        return benches[-1]

    yield make
    for bench in benches:
        if bench.task is not None:
            bench.task.cancel()
            await asyncio.wait({bench.task})


async def test_results_are_delivered_in_the_order_of_the_offsets_whichever_is_read_first(bench_of: Make) -> None:
    bench = bench_of()
    bench.reader.slow[b"a"] = asyncio.get_running_loop().create_future()
    bench.start()
    await bench.take("a", "b", "c")
    await until(lambda: bench.reader.reading == {b"a"})
    assert bench.broker.values == []
    assert bench.broker.committed == 0
    bench.reader.slow[b"a"].set_result(None)
    await bench.finish()
    assert bench.broker.values == [b"A", b"B", b"C"]
    assert bench.broker.committed == 3
    assert (bench.window.articles, bench.window.bytes) == (0, 0)


async def test_a_batch_is_limited_in_articles_and_in_bytes(bench_of: Make) -> None:
    by_articles = bench_of(transaction_articles=2, transaction_linger_seconds=1.0)
    await by_articles.take("a", "b", "c")
    by_articles.start()
    await by_articles.finish()
    assert [len(batch) for batch in by_articles.broker.batches] == [2, 1]
    by_bytes = bench_of(transaction_bytes=4, transaction_linger_seconds=1.0)
    await by_bytes.take("aaa", "bbb", "ccc")
    by_bytes.start()
    await by_bytes.finish()
    assert [len(batch) for batch in by_bytes.broker.batches] == [2, 1]


async def test_an_article_that_comes_after_a_pause_does_not_wait_for_others(bench_of: Make) -> None:
    bench = bench_of(transaction_linger_seconds=3600.0)
    bench.start()
    await bench.take("a")
    await until(lambda: bench.broker.values == [b"A"])
    await bench.take("b", "c", first_offset=1)  # soon after a delivery: these wait to be joined by more
    await until(lambda: not bench.reader.reading)
    assert bench.broker.values == [b"A"]
    await bench.finish()
    assert [len(batch) for batch in bench.broker.batches] == [1, 2]


async def test_a_batch_does_not_wait_for_articles_for_which_there_is_no_room(bench_of: Make) -> None:
    bench = bench_of(articles=2, transaction_linger_seconds=3600.0)
    taking = asyncio.create_task(bench.take("a", "b", "c"))
    await until(lambda: bench.window.is_full)
    bench.start()
    await taking
    assert bench.broker.values == [b"A", b"B"]


async def test_by_default_a_whole_transaction_is_read_while_another_is_delivered(bench_of: Make) -> None:
    defaults = Settings()
    bench = bench_of(articles=defaults.in_flight_articles)
    bench.broker.slow = asyncio.get_running_loop().create_future()
    bench.start()
    async with asyncio.timeout(5):
        await bench.take(*["a"] * 2 * defaults.transaction_articles)
    await until(lambda: not bench.reader.reading)
    assert bench.broker.batches == []
    bench.broker.slow.set_result(None)
    await bench.finish()
    assert len(bench.broker.values) == 2 * defaults.transaction_articles


async def test_what_the_broker_has_committed_already_is_skipped(bench_of: Make) -> None:
    bench = bench_of()
    bench.broker.committed = 2
    bench.start()
    await bench.take("a", "b", "c")
    await bench.finish()
    assert bench.broker.values == [b"C"]


async def test_a_message_that_is_handed_over_twice_is_taken_once(bench_of: Make) -> None:
    bench = bench_of()
    bench.start()
    await bench.take("a", "b")
    await bench.take("a", "b", "c")
    await bench.finish()
    assert bench.broker.values == [b"A", b"B", b"C"]
    assert bench.window.articles == 0


@pytest.mark.parametrize("error", [KafkaConnectionError(), ProducerFenced(), TimeoutError(), OSError()])
async def test_a_delivery_that_fails_is_tried_again_through_a_new_connection(bench_of: Make, error: Exception) -> None:
    bench = bench_of()
    bench.broker.failures = [error, error]
    bench.start()
    await bench.take("a")
    await bench.finish()
    assert bench.broker.values == [b"A"]
    assert bench.broker.opened == 3


async def test_a_commit_whose_answer_was_lost_is_not_made_twice(bench_of: Make) -> None:
    bench = bench_of()
    bench.broker.after_commit = [KafkaConnectionError()]
    bench.start()
    await bench.take("a", "b")
    await bench.finish()
    assert bench.broker.values == [b"A", b"B"]


async def test_without_a_seat_in_the_group_nothing_is_opened_which_would_fence_the_owner(bench_of: Make) -> None:
    bench = bench_of()
    bench.seat.answers = [False, False, True]
    bench.start()
    await until(lambda: not bench.seat.answers)
    await until(lambda: bench.lane.connected)
    assert bench.broker.opened == 1


async def test_faults_that_do_not_pass_end_the_lane_with_nothing_acknowledged(bench_of: Make) -> None:
    bench = bench_of(retry_deadline_seconds=0.01)
    bench.broker.failures = [KafkaConnectionError()] * 10_000
    bench.start()
    await bench.take("a")
    assert bench.task is not None
    with pytest.raises(GaveUpError):
        await bench.task
    assert bench.broker.committed == 0


async def test_a_reader_that_fails_ends_the_lane_with_nothing_acknowledged(bench_of: Make) -> None:
    bench = bench_of()
    bench.reader.slow[b"a"] = asyncio.get_running_loop().create_future()
    bench.start()
    await bench.take("a", "b")
    bench.reader.slow[b"a"].set_exception(RuntimeError("pool"))
    assert bench.task is not None
    with pytest.raises(RuntimeError, match="pool"):
        await bench.task
    assert bench.broker.values == []
    assert bench.window.articles == 0


async def test_what_cannot_be_read_is_a_dead_letter_in_its_place(bench_of: Make) -> None:
    bench = bench_of()
    bench.start()
    await bench.take("a", "poison", "b")
    await bench.finish()
    assert bench.broker.values == [b"A", b"poison", b"B"]
    letter = next(output for batch in bench.broker.batches for output in batch if output.topic == DEAD_LETTERS.name)
    assert DeadLetterHeaders.from_kafka(letter.headers).offset == 1


async def test_an_output_too_large_costs_its_own_article_alone(bench_of: Make) -> None:
    bench = bench_of(transaction_linger_seconds=1.0)
    bench.broker.too_large = {b"LARGE"}
    await bench.take("a", "large", "b")
    bench.start()
    await bench.finish()
    assert bench.broker.values == [b"A", b"large", b"B"]
    letter = next(output for batch in bench.broker.batches for output in batch if output.topic == DEAD_LETTERS.name)
    assert DeadLetterHeaders.from_kafka(letter.headers).reason is Reason.OUTPUT_TOO_LARGE


async def test_a_dead_letter_too_large_for_its_topic_ends_the_lane(bench_of: Make) -> None:
    bench = bench_of()
    bench.broker.too_large = {b"poison"}
    bench.start()
    await bench.take("poison")
    assert bench.task is not None
    with pytest.raises(MessageSizeTooLargeError):
        await bench.task
    assert bench.broker.committed == 0


async def test_too_many_dead_letters_end_the_lane_before_the_last_batch_is_delivered(bench_of: Make) -> None:
    bench = bench_of(dead_letter_consecutive=2)
    bench.start()
    await bench.take("a")
    await until(lambda: bench.broker.committed == 1)
    await bench.take("poison-1", "poison-2", first_offset=1)
    assert bench.task is not None
    with pytest.raises(TooManyDeadLettersError):
        await bench.task
    assert bench.broker.committed <= 2


async def test_a_revoked_lane_drops_what_it_has_not_begun_to_deliver(bench_of: Make) -> None:
    bench = bench_of()
    bench.reader.slow[b"b"] = asyncio.get_running_loop().create_future()
    bench.start()
    await bench.take("a", "b", "c")
    await until(lambda: bench.broker.committed == 1)
    bench.lane.forget()
    assert bench.task is not None
    await bench.task
    assert bench.broker.values == [b"A"]
    assert bench.window.articles == 0
    await until(lambda: not bench.reader.reading)


async def test_a_finishing_lane_delivers_what_it_has_and_takes_no_more(bench_of: Make) -> None:
    bench = bench_of()
    bench.reader.slow[b"a"] = asyncio.get_running_loop().create_future()
    bench.start()
    await bench.take("a")
    bench.lane.finish()
    await bench.take("b", first_offset=1)
    bench.reader.slow[b"a"].set_result(None)
    await bench.finish()
    assert bench.broker.values == [b"A"]
    assert bench.broker.closed == 1
    assert bench.window.articles == 0
