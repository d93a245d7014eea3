import asyncio

from services.enricher.window import Window


async def test_it_lets_in_what_fits_and_holds_back_the_rest_until_something_leaves() -> None:
    window = Window(articles=2, size_bytes=100)
    await window.enter(10)
    await window.enter(10)
    third = asyncio.create_task(window.enter(10))
    await asyncio.sleep(0)
    assert not third.done()
    window.leave(10)
    await third
    assert (window.articles, window.bytes) == (2, 20)


async def test_bytes_count_as_well_as_articles() -> None:
    window = Window(articles=10, size_bytes=100)
    await window.enter(60)
    second = asyncio.create_task(window.enter(60))
    await asyncio.sleep(0)
    assert not second.done()
    window.leave(60)
    await second


async def test_one_message_larger_than_the_window_is_let_through_alone() -> None:
    window = Window(articles=10, size_bytes=100)
    await window.enter(1000)
    second = asyncio.create_task(window.enter(1))
    await asyncio.sleep(0)
    assert not second.done()
    window.leave(1000)
    await second
