"""How much may be in flight: the brake that keeps a slow reading from filling the memory."""

import asyncio


class Window:
    """Room for articles and bytes that were taken from Kafka and are not yet delivered.

    One message always fits into an empty window, however large it is.
    """

    def __init__(self, articles: int, size_bytes: int) -> None:
        self._most_articles = articles
        self._most_bytes = size_bytes
        self._left = asyncio.Event()
        self.articles = 0
        self.bytes = 0
        self.is_full = False
        """Whether a message waits for room: nothing new is taken until something leaves."""

    async def enter(self, size_bytes: int) -> None:
        """Wait until a message of `size_bytes` has room, and take it."""
        while not self._fits(size_bytes):
            self.is_full = True
            self._left.clear()
            await self._left.wait()
        self.is_full = False
        self.articles += 1
        self.bytes += size_bytes

    def leave(self, size_bytes: int) -> None:
        """Give back the room of one message of `size_bytes`."""
        self.articles -= 1
        self.bytes -= size_bytes
        self._left.set()

    def _fits(self, size_bytes: int) -> bool:
        if not self.articles:
            return True
        return self.articles < self._most_articles and self.bytes + size_bytes <= self._most_bytes
