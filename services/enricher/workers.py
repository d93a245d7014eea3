"""The worker pool: raw messages in, results out, read by warm children that may crash, hang or run out of memory.

Tuning, in this order. `onrecord_children_busy` below the number of children with a queue that is empty: the pool waits
for Kafka, more children change nothing. All busy and `onrecord_queue_articles` high: more cores, more children.
`onrecord_batch_articles` near 1 under full load: raise ONRECORD_IN_FLIGHT_ARTICLES, so that batches fill; near
ONRECORD_BATCH_ARTICLES all the time: all is well. `onrecord_child_restarts_total` tells by its cause which limit of
ONRECORD_ARTICLE_DEADLINE_SECONDS, ONRECORD_CHILD_MEMORY_BYTES and ONRECORD_CHILD_ARTICLES replaces children.
"""

import asyncio
import logging
import time
from dataclasses import replace

from schemas import Reason
from services.enricher.backlog import Backlog, Job
from services.enricher.children import Child, ChildDiedError, Children, NurseryLostError, StartError, explain
from services.enricher.messages import Facts, Failure, Headers, Message, Outgoing, ReadSpan, Result
from services.enricher.metrics import Metrics
from services.enricher.nursery import Reply
from services.enricher.settings import Settings

__all__ = ["Facts", "Failure", "Message", "Outgoing", "PoolError", "Result", "StartError", "WorkerPool"]

log = logging.getLogger(__name__)

TRIES_ALONE = 2
"""How often an article may take its child with it, read alone, before it is a dead letter."""
TRIES_TO_START = 5
"""How often in a row a child may die before its first word, with growing pauses between, before the pool gives up."""
FIRST_PAUSE_SECONDS = 0.1
EXIT_SECONDS = 5.0
"""How long idle children may take to end. A busy one is not waited for: nobody wants its result any more."""


class PoolError(Exception):
    """The pool has failed, or is stopped: nothing is read any more. No article is to blame."""


class WorkerPool:
    """Warm child processes that read articles in micro-batches.

    A child that dies or overruns the deadline of an article is replaced; the articles it had are tried again one at a
    time, and one that takes its child with it twice alone becomes a failure. Every child is replaced after so many
    articles and limited in memory.

    `factory` is the import path `module:name` of a callable that makes the reading (see nursery.Reading) out of the
    settings. It is called once, in the process that the children are forked from.
    """

    def __init__(self, settings: Settings, metrics: Metrics, factory: str = "services.enricher.reading:Reader") -> None:
        self._settings = settings
        self._metrics = metrics
        self._factory = factory
        self._backlog = Backlog(settings)
        self._jobs: set[Job] = set()
        self._slots: list[asyncio.Task[None]] = []
        self._children: Children | None = None
        self._replacing = asyncio.Lock()
        self._alive = 0
        self._failed_starts = 0
        self._closed: PoolError | None = None
        self.failed: asyncio.Future[None] = asyncio.Future()
        """Gets a PoolError when the pool has failed for good. The worker must end then: nothing more will be read."""

    @property
    def alive(self) -> int:
        """How many children are ready or reading."""
        return self._alive

    async def start(self) -> None:
        """Return when every child is ready for articles; raises StartError with one line when that cannot be."""
        self._metrics.queue_articles.set_function(lambda: len(self._backlog))
        self._metrics.children.set_function(lambda: self._alive)
        started = time.monotonic()
        self._children = await self._nursery()
        try:
            children = [await self._child() for _ in range(self._settings.children)]
        except PoolError as error:
            self._children.kill()
            raise StartError(str(error)) from None
        for slot, child in enumerate(children):
            task = asyncio.create_task(self._serve(slot, child), name=f"child {slot}")
            task.add_done_callback(self._ended)
            self._slots.append(task)
        log.info("%d children are ready after %.1f seconds", len(children), time.monotonic() - started)

    async def read(self, value: bytes | None, headers: Headers) -> Result:
        """Return what becomes of one raw message: its events, or the failure that makes it a dead letter.

        Raises PoolError when the pool is stopped or has failed, never for what an article can cause. When the caller
        is cancelled the result is dropped.
        """
        if self._closed is not None:
            raise self._closed
        job = Job(Message(value, headers), asyncio.get_running_loop().create_future())
        self._jobs.add(job)
        try:
            self._backlog.add(job)
            return await job.result
        finally:
            self._jobs.discard(job)
            job.result.cancel()

    async def stop(self, grace_seconds: float = 0.0) -> None:
        """Let what is being read be finished within `grace_seconds`, then end all children. Safe to call twice.

        Reads that are not finished by then raise PoolError.
        """
        if waiting := [job.result for job in self._jobs]:
            await asyncio.wait(waiting, timeout=grace_seconds)
        self._close(PoolError("the pool is stopped"))
        for slot in self._slots:
            slot.cancel()
        await asyncio.gather(*self._slots, return_exceptions=True)
        if self._children is not None:
            await self._children.close(EXIT_SECONDS)

    def _close(self, error: PoolError) -> None:
        self._closed = self._closed or error
        for job in self._jobs:
            if not job.result.done():
                job.result.set_exception(self._closed)

    def _ended(self, slot: asyncio.Task[None]) -> None:
        """A slot serves until the pool is stopped; any other end is the end of the pool."""
        if slot.cancelled():
            return
        error = slot.exception()
        if not isinstance(error, PoolError):
            log.error("a task of the pool died", exc_info=error)
            error = PoolError(f"a task of the pool died: {type(error).__name__}")
        self._close(error)
        if not self.failed.done():
            self.failed.set_exception(error)
            self.failed.exception()  # whether anybody awaits it is the worker's affair; the reads raise it too

    async def _serve(self, slot: int, child: Child) -> None:
        """Have a child read batch after batch, and put another in its place when it ends."""
        try:
            while True:
                batch = await self._next(child)
                fit = False
                if batch is not None:
                    with self._metrics.children_busy.track_inprogress():
                        fit = await self._read(slot, child, batch)
                if not fit:
                    self._alive -= 1
                    await self._held.end(child)
                    child = await self._child()
        finally:
            child.dismiss()

    async def _next(self, child: Child) -> list[Job] | None:
        """Wait for a batch; return None when the child dies first, lest the articles be blamed for it."""
        taking = asyncio.create_task(self._backlog.take())
        try:
            await asyncio.wait((taking, child.gone), return_when=asyncio.FIRST_COMPLETED)
        finally:
            taking.cancel()
        if not child.gone.done():
            return taking.result()
        if taking.done():
            self._backlog.suspect(taking.result())
        if (status := child.gone.result()) is not None:  # the loss of a nursery is counted where it is replaced
            self._metrics.child_restarts.labels(cause="crash").inc()
            log.warning("a child that had nothing to read is replaced: it %s", explain(status))
        return None

    async def _read(self, slot: int, child: Child, batch: list[Job]) -> bool:
        """Have a child read a batch and settle its jobs; return whether it is fit to read another."""
        deadline_seconds = self._settings.article_deadline_seconds
        try:
            async with asyncio.timeout(deadline_seconds):
                reply = await child.read([job.message for job in batch])
        except TimeoutError:
            message = f"not read within {deadline_seconds:g} seconds"
            self._blame(batch, "deadline", Failure(Reason.DEADLINE, message, 0))
            return False
        except ChildDiedError as error:
            cause = "memory" if error.out_of_memory else "crash"
            message = f"the process that read it {error}"
            self._blame(batch, cause, Failure(Reason.WORKER_CRASH, message, 0))
            return False
        except NurseryLostError:
            # Every child ends with the nursery, whatever it reads: an article could lose two of them by no fault.
            self._backlog.suspect(batch)
            return False
        self._count(slot, reply, len(batch))
        ended_ns = reply.began_ns + round(reply.seconds * 1e9)
        span = ReadSpan(reply.began_ns, ended_ns, len(batch), epoch_ns=reply.began_ns - reply.clock_ns)
        for job, result in zip(batch, reply.results, strict=True):
            _settle(job, replace(result, span=span) if self._settings.tracing_enabled else result)
        if 0 < self._settings.child_articles <= child.articles:
            self._metrics.child_restarts.labels(cause="recycled").inc()
            return False
        return True

    def _count(self, slot: int, reply: Reply, articles: int) -> None:
        self._metrics.child_memory_bytes.labels(child=str(slot)).set(reply.memory_bytes)
        self._metrics.batch_articles.observe(articles)
        for result in reply.results:
            self._metrics.reading_seconds.observe(reply.seconds / articles)
            self._metrics.count(result)

    def _blame(self, batch: list[Job], cause: str, failure: Failure) -> None:
        """Let those that may have been the end of a child try again alone, unless they have done so twice."""
        self._metrics.child_restarts.labels(cause=cause).inc()
        log.warning("a child is replaced (%s, articles it had: %d): %s", cause, len(batch), failure.message)
        again = []
        for job in batch:
            job.attempts += 1
            job.attempts_alone += len(batch) == 1
            if job.attempts_alone < TRIES_ALONE:
                again.append(job)
            else:
                _settle(job, Result(failure=replace(failure, attempts=job.attempts)))
        self._backlog.suspect(again)

    async def _child(self) -> Child:
        """Return a new child, from a new nursery if need be; raises PoolError when none lives."""
        while True:
            children = self._held
            try:
                child = await children.child()
            except NurseryLostError:
                reason = "the process that they are forked from was lost"
                await self._replace(children)
            except ChildDiedError as error:
                reason = f"a child {error} before it was ready"
            else:
                self._failed_starts = 0
                self._alive += 1
                return child
            self._failed_starts += 1
            if self._failed_starts >= TRIES_TO_START:
                raise PoolError(f"children cannot be started: {reason}, {TRIES_TO_START} times in a row")
            await asyncio.sleep(FIRST_PAUSE_SECONDS * 2**self._failed_starts)

    async def _nursery(self) -> Children:
        """Start the process that children are forked from, and say in the metrics what it has loaded."""
        children = await Children.start(self._settings, self._factory)
        self._metrics.model.info(children.identity)
        return children

    async def _replace(self, lost: Children) -> None:
        """Put a new nursery in the place of one that was lost; the first slot that notices does it for all."""
        async with self._replacing:
            if self._children is not lost:
                return
            log.warning("the process that loads the models was lost and is started again")
            self._metrics.child_restarts.labels(cause="nursery").inc()
            await lost.close(EXIT_SECONDS)
            try:
                self._children = await self._nursery()
            except StartError as error:
                raise PoolError(str(error)) from None

    @property
    def _held(self) -> Children:
        assert self._children is not None, "start() comes first"
        return self._children


def _settle(job: Job, result: Result) -> None:
    if not job.result.done():  # its caller has given up otherwise
        job.result.set_result(result)
