import asyncio
import contextlib
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from schemas import Reason
from services.enricher import workers
from services.enricher.messages import Result
from services.enricher.metrics import Metrics
from services.enricher.settings import MEBIBYTE, Settings
from services.enricher.workers import PoolError, StartError, WorkerPool

READINGS = "tests.unit.enricher.readings:"
LONG_SECONDS = 240.0  # no test waits so long unless it fails


class Bench:
    """A pool under test, and its metrics."""

    def __init__(self, factory: str, **settings: object) -> None:
        self.metrics = Metrics()
        self.settings = Settings.model_validate({"children": 2, "child_memory_bytes": 512 * MEBIBYTE} | settings)
        self.pool = WorkerPool(self.settings, self.metrics, READINGS + factory)

    async def read(self, *values: bytes | None) -> list[Result]:
        async with asyncio.timeout(LONG_SECONDS):
            return await asyncio.gather(*(self.pool.read(value, []) for value in values))

    async def ask(self, value: bytes) -> bytes:
        (result,) = await self.read(value)
        answer = result.outputs[0].value
        assert answer is not None
        return answer

    def restarts(self, cause: str) -> float:
        return self.metrics.registry.get_sample_value("onrecord_child_restarts_total", {"cause": cause}) or 0.0


def forked_by(nursery: int) -> list[str]:
    return Path(f"/proc/{nursery}/task/{nursery}/children").read_text().split()


@contextlib.asynccontextmanager
async def running(factory: str = "Obedient", **settings: object) -> AsyncIterator[Bench]:
    bench = Bench(factory, **settings)
    async with asyncio.timeout(LONG_SECONDS):
        await bench.pool.start()
    try:
        yield bench
    finally:
        async with asyncio.timeout(LONG_SECONDS):
            await bench.pool.stop()


def echoes(results: list[Result]) -> list[bytes | None]:
    return [result.outputs[0].value for result in results]


async def gone(pid: int) -> None:
    """Return when no process has this id any more."""

    def wait() -> None:
        give_up = time.monotonic() + LONG_SECONDS
        while Path(f"/proc/{pid}").exists():
            assert time.monotonic() < give_up, f"process {pid} lives on"
            time.sleep(0.01)

    await asyncio.to_thread(wait)


async def test_tracing_is_told_when_a_child_read_a_message_and_only_tracing_is() -> None:
    async with running(tracing_enabled=True, children=1) as bench:
        before_ns = time.time_ns()
        results = await bench.read(b"a", b"b")
        after_ns = time.time_ns()
        for result in results:
            assert result.span is not None
            assert before_ns <= result.span.began_ns <= result.span.ended_ns <= after_ns
        assert results[0].span == results[1].span
        assert results[0].span.articles == 2
        for result in results:
            assert result.span is not None
            assert result.facts is not None
            (step,) = result.facts.steps
            began_ns, ended_ns = (moment + result.span.epoch_ns for moment in (step.began_ns, step.ended_ns))
            assert result.span.began_ns <= began_ns <= ended_ns <= result.span.ended_ns
    async with running(children=1) as bench:
        assert [result.span for result in await bench.read(b"a")] == [None]


async def test_the_metrics_say_what_reads() -> None:
    async with running() as bench:
        identity = {"pipelines": "none", "extractors": "", "reader": "", "matrices": ""}
        assert bench.metrics.registry.get_sample_value("onrecord_model_info", identity) == 1


async def test_results_come_to_their_callers_in_any_number() -> None:
    values: list[bytes | None] = [str(number).encode() for number in range(500)] + [None, b""]
    async with running() as bench:
        assert echoes(await bench.read(*values)) == values
        assert bench.pool.alive == 2


async def test_headers_reach_the_reading_and_come_back() -> None:
    async with running() as bench:
        result = await bench.pool.read(b"x", [("traceparent", b"00-1"), ("a", b"\xff")])
    assert result.outputs[0].headers == [("traceparent", b"00-1"), ("a", b"\xff")]


async def test_a_large_message_goes_through() -> None:
    value = b"x" * (12 * MEBIBYTE)
    async with running() as bench:
        assert echoes(await bench.read(value)) == [value]


async def test_a_batch_is_no_larger_than_set() -> None:
    async with running(children=1, batch_articles=3, batch_linger_seconds=0.2) as bench:
        companies = echoes(await bench.read(*[b"company"] * 7))
    assert companies == [b"3"] * 6 + [b"1"]


async def test_long_articles_fill_a_batch_by_their_bytes() -> None:
    async with running(children=1, batch_linger_seconds=0.2) as bench:
        results = await bench.read(b"x" * (300 * 1024), b"company", b"company")
    assert echoes(results)[1:] == [b"2", b"2"]


async def test_native_libraries_are_told_to_use_one_thread() -> None:
    async with running() as bench:
        assert await bench.ask(b"environment") == b"1"


@pytest.mark.parametrize(
    ("order", "reason", "cause", "message"),
    [
        (b"abort", Reason.WORKER_CRASH, "crash", "SIGABRT"),
        (b"kill", Reason.WORKER_CRASH, "crash", "SIGKILL"),
        (b"exit", Reason.WORKER_CRASH, "crash", "status 3"),
        (b"raise", Reason.WORKER_CRASH, "crash", "status 1"),
        (b"allocate", Reason.WORKER_CRASH, "memory", "memory limit"),
        (b"hang", Reason.DEADLINE, "deadline", "not read within 0.5 seconds"),
        (b"stop", Reason.DEADLINE, "deadline", "not read within 0.5 seconds"),
    ],
)
async def test_an_article_that_takes_its_child_with_it_fails_alone(
    order: bytes, reason: Reason, cause: str, message: str
) -> None:
    deadline = 0.5 if reason is Reason.DEADLINE else 30.0
    async with running(article_deadline_seconds=deadline, batch_linger_seconds=0.1) as bench:
        first, poison, last = await bench.read(b"first", order, b"last")
        assert echoes([first, last]) == [b"first", b"last"]
        failure = poison.failure
        assert failure is not None
        assert (failure.reason, failure.attempts) in {(reason, 2), (reason, 3)}  # 3 when it began in company
        assert message in failure.message
        assert bench.restarts(cause) == failure.attempts
        assert echoes(await bench.read(*[b"after"] * 20)) == [b"after"] * 20
        assert bench.pool.alive == 2


async def test_a_child_that_dies_of_a_batch_leaves_no_failure_when_each_can_be_read_alone() -> None:
    async with running(children=1, batch_linger_seconds=0.2) as bench:
        results = await bench.read(b"a", b"abort in company", b"b", b"c")
        assert echoes(results) == [b"a", b"abort in company", b"b", b"c"]
        assert bench.restarts("crash") == 1


async def test_many_poison_articles_cost_no_good_one() -> None:
    values = [b"abort" if number % 10 == 0 else str(number).encode() for number in range(200)]
    async with running() as bench:
        results = await bench.read(*values)
    for value, result in zip(values, results, strict=True):
        assert (result.failure is not None) == (value == b"abort")
        assert result.failure or result.outputs[0].value == value


async def test_an_idle_child_that_is_killed_costs_nothing() -> None:
    async with running(children=1) as bench:
        pid = int(await bench.ask(b"process"))
        os.kill(pid, signal.SIGKILL)
        await gone(pid)
        assert await bench.ask(b"after") == b"after"
        assert bench.restarts("crash") == 1


async def test_children_are_recycled_and_no_article_is_lost() -> None:
    async with running(child_articles=5, batch_articles=4) as bench:
        values = [str(number).encode() for number in range(200)]
        assert echoes(await bench.read(*values)) == values
        assert bench.restarts("recycled") >= 200 / (5 + 4) - 2  # a child may be over by the rest of its last batch
        assert int(await bench.ask(b"count")) <= 5 + 4


async def test_the_death_of_an_idle_child_is_no_mark_against_the_next_article() -> None:
    async with running(children=1) as bench:
        for _ in range(10):
            os.kill(int(await bench.ask(b"process")), signal.SIGKILL)


async def test_the_loss_of_the_process_that_forks_costs_nothing() -> None:
    async with running() as bench:
        nursery, child = int(await bench.ask(b"nursery")), int(await bench.ask(b"process"))
        os.kill(nursery, signal.SIGKILL)
        await gone(child)
        values = [str(number).encode() for number in range(50)]
        assert echoes(await bench.read(*values)) == values
        assert bench.restarts("nursery") == 1
        assert int(await bench.ask(b"nursery")) != nursery


async def test_killing_at_random_loses_nothing() -> None:
    chance = random.Random(7)
    async with running(child_articles=200) as bench:
        nursery = int(await bench.ask(b"nursery"))
        values = [str(number).encode() for number in range(1500)]
        reads = [asyncio.create_task(bench.pool.read(value, [])) for value in values]
        for _ in range(12):
            children = forked_by(nursery)
            with contextlib.suppress(ProcessLookupError):  # it was recycled in this moment
                os.kill(int(chance.choice([*children, *children, str(nursery)])), signal.SIGKILL)
            nursery = int(await bench.ask(b"nursery"))
        results = await asyncio.gather(*reads)
    for value, result in zip(values, results, strict=True):
        assert result.outputs[0].value == value if result.failure is None else result.failure.attempts >= 2


async def test_a_forking_process_that_is_stopped_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.enricher.children.BIRTH_SECONDS", 0.5)
    monkeypatch.setattr("services.enricher.children.REPORT_SECONDS", 0.5)
    async with running(children=1) as bench:
        os.kill(int(await bench.ask(b"nursery")), signal.SIGSTOP)
        (result,) = await bench.read(b"kill")
        assert result.failure is not None
        assert await bench.ask(b"after") == b"after"
        assert bench.restarts("nursery") == 1


@pytest.mark.parametrize(
    ("factory", "message"),
    [
        ("missing", "LookupError: no model of that name"),
        ("dying", "was ended by SIGKILL"),
        ("nowhere", "nowhere"),
        ("with_threads", "the models keep 2 threads"),
        ("slow", "not loaded within 1 seconds"),
    ],
)
async def test_a_start_that_cannot_succeed_says_why_in_one_line(factory: str, message: str) -> None:
    bench = Bench(factory, child_start_seconds=1 if factory == "slow" else LONG_SECONDS)
    with pytest.raises(StartError, match=message) as raised:
        await bench.pool.start()
    assert len(str(raised.value).splitlines()) == 1
    await bench.pool.stop()


async def test_children_that_die_at_birth_end_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    async def no_child(self: object) -> None:
        raise workers.ChildDiedError(-signal.SIGSEGV)

    monkeypatch.setattr(workers, "FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr("services.enricher.children.Children.child", no_child)
    bench = Bench("Obedient")
    with pytest.raises(StartError, match="was ended by SIGSEGV before it was ready, 5 times in a row"):
        await bench.pool.start()
    await bench.pool.stop()


async def test_a_memory_limit_below_the_models_is_named() -> None:
    bench = Bench("Obedient", child_memory_bytes=MEBIBYTE)
    with pytest.raises(StartError, match="ONRECORD_CHILD_MEMORY_BYTES is 1048576, and the models alone take"):
        await bench.pool.start()
    await bench.pool.stop()


async def test_children_that_cannot_be_replaced_fail_the_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "FIRST_PAUSE_SECONDS", 0.001)
    async with running(children=1) as bench:

        async def no_more(self: object) -> None:
            raise workers.ChildDiedError(-signal.SIGSEGV)

        monkeypatch.setattr("services.enricher.children.Children.child", no_more)
        with pytest.raises(PoolError, match="SIGSEGV"):
            await bench.read(b"abort")
        assert isinstance(bench.pool.failed.exception(), PoolError)
        assert bench.pool.alive == 0
        with pytest.raises(PoolError):
            await bench.pool.read(b"later", [])


async def test_a_fault_of_the_pool_itself_surfaces(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(children=1) as bench:
        monkeypatch.setattr(bench.metrics, "count", None)
        with pytest.raises(PoolError, match="TypeError"):
            await bench.read(b"a")
        assert isinstance(bench.pool.failed.exception(), PoolError)


async def test_the_result_of_a_cancelled_caller_is_dropped() -> None:
    async with running(children=1, article_deadline_seconds=1) as bench:
        hanging = asyncio.create_task(bench.pool.read(b"hang", []))
        waiting = [asyncio.create_task(bench.pool.read(b"abort", [])) for _ in range(3)]
        await asyncio.sleep(0)
        for task in (hanging, *waiting):
            task.cancel()
        await asyncio.gather(hanging, *waiting, return_exceptions=True)
        assert await bench.ask(b"after") == b"after"
        assert bench.restarts("crash") == 0


async def test_stop_lets_what_is_read_be_finished() -> None:
    async with running() as bench:
        reads = [asyncio.create_task(bench.pool.read(b"x", [])) for _ in range(50)]
        await asyncio.sleep(0)
        await bench.pool.stop(grace_seconds=LONG_SECONDS)
        assert echoes(await asyncio.gather(*reads)) == [b"x"] * 50
        with pytest.raises(PoolError, match="stopped"):
            await bench.pool.read(b"x", [])


async def test_stop_ends_what_hangs_and_leaves_no_process() -> None:
    async with running(children=1) as bench:
        pids = [int(await bench.ask(b"nursery")), int(await bench.ask(b"process"))]
        read = asyncio.create_task(bench.pool.read(b"hang", []))
        await asyncio.sleep(0.05)
        await bench.pool.stop(grace_seconds=0.1)
        with pytest.raises(PoolError, match="stopped"):
            await read
        for pid in pids:
            await gone(pid)


async def test_signals_for_the_worker_leave_the_children_alone() -> None:
    async with running(children=1) as bench:
        nursery, child = int(await bench.ask(b"nursery")), int(await bench.ask(b"process"))
        for pid in (nursery, child):
            os.kill(pid, signal.SIGINT)
            os.kill(pid, signal.SIGTERM)
        assert await bench.ask(b"process") == str(child).encode()


async def test_no_child_outlives_a_worker_that_is_killed() -> None:
    program = f"""
import asyncio
from services.enricher.metrics import Metrics
from services.enricher.settings import Settings
from services.enricher.workers import WorkerPool

async def main():
    pool = WorkerPool(Settings(children=2), Metrics(), "{READINGS}Obedient")
    await pool.start()
    for order in (b"nursery", b"process"):
        print((await pool.read(order, [])).outputs[0].value.decode(), flush=True)
    await asyncio.gather(*(pool.read(b"hang", []) for _ in range(8)))

asyncio.run(main())
"""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE, env=environment
    )
    assert worker.stdout is not None
    async with asyncio.timeout(LONG_SECONDS):
        pids = [int(await worker.stdout.readline()) for _ in range(2)]
    worker.kill()
    await worker.wait()
    for pid in pids:
        await gone(pid)


async def test_the_metrics_count_what_was_read() -> None:
    async with running() as bench:
        await bench.read(b"a", b"b", b"refuse")
        value = bench.metrics.registry.get_sample_value
        assert value("onrecord_characters_read_total") == 2
        assert value("onrecord_entities_total", {"type": "ORG"}) == 2
        assert value("onrecord_quotes_total", {"kind": "direct", "speaker": "known"}) == 2
        assert value("onrecord_positions_total", {"stance": "support", "modality": "demand"}) == 2
        assert value("onrecord_reading_seconds_count") == 3
        assert value("onrecord_batch_articles_sum") == 3
        assert (value("onrecord_child_memory_bytes", {"child": "0"}) or 0) > MEBIBYTE
        assert value("onrecord_children") == 2
        assert value("onrecord_children_busy") == 0
        assert value("onrecord_queue_articles") == 0
