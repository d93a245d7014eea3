import asyncio

from services.enricher.backlog import BATCH_BYTES, Backlog, Job
from services.enricher.messages import Message, Result
from services.enricher.settings import Settings


def backlog(**settings: object) -> Backlog:
    return Backlog(Settings.model_validate({"batch_articles": 8, "batch_linger_seconds": 0.0} | settings))


def job(value: bytes = b"x") -> Job:
    return Job(Message(value, []), asyncio.get_running_loop().create_future())


def values(batch: list[Job]) -> list[bytes | None]:
    return [one.message.value for one in batch]


async def test_free_children_share_what_waits() -> None:
    queue = backlog()
    takers = [asyncio.create_task(queue.take()) for _ in range(2)]
    await asyncio.sleep(0)
    for _ in range(6):
        queue.add(job())
    assert [len(batch) for batch in await asyncio.gather(*takers)] == [3, 3]


async def test_a_child_alone_takes_a_full_batch_in_order() -> None:
    queue = backlog(batch_articles=3)
    for number in range(5):
        queue.add(job(str(number).encode()))
    assert [values(await queue.take()) for _ in range(2)] == [[b"0", b"1", b"2"], [b"3", b"4"]]
    assert len(queue) == 0


async def test_a_batch_waits_a_moment_for_company() -> None:
    queue = backlog(batch_linger_seconds=0.2)
    taker = asyncio.create_task(queue.take())
    queue.add(job(b"first"))
    await asyncio.sleep(0)
    queue.add(job(b"second"))
    assert values(await taker) == [b"first", b"second"]


async def test_a_batch_is_full_by_its_bytes() -> None:
    queue = backlog()
    for size in (10, BATCH_BYTES, 10):
        queue.add(job(b"x" * size))
    assert [len(await queue.take()) for _ in range(2)] == [2, 1]


async def test_suspects_come_first_and_each_alone() -> None:
    queue = backlog()
    queue.add(job(b"good"))
    queue.suspect([job(b"a"), job(b"b")])
    assert [values(await queue.take()) for _ in range(3)] == [[b"a"], [b"b"], [b"good"]]


async def test_jobs_that_nobody_waits_for_are_left_out() -> None:
    queue = backlog()
    given_up, suspect, wanted = job(b"given up"), job(b"suspect"), job(b"wanted")
    given_up.result.cancel()
    suspect.result.set_result(Result())
    queue.add(given_up)
    queue.suspect([suspect])
    taker = asyncio.create_task(queue.take())
    await asyncio.sleep(0)
    assert not taker.done()
    queue.add(wanted)
    assert values(await taker) == [b"wanted"]


async def test_a_taker_that_is_cancelled_takes_nothing_with_it() -> None:
    queue = backlog()
    cancelled, patient = (asyncio.create_task(queue.take()) for _ in range(2))
    await asyncio.sleep(0)
    queue.add(job())
    cancelled.cancel()
    assert len(await patient) == 1
