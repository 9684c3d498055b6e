"""Chunks over processes, with joblib: one model a worker, one BLAS thread each, a few chunks in flight and no more."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import TYPE_CHECKING

from amends.batch.scoring import Job, Part, score_chunk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from amends.batch.chunk import Chunk

MOST_JOBS = 8
#: Below this many bytes of text (or rows) one process is done before others have started.
SMALL_BYTES, SMALL_ROWS = 4 << 20, 4_000
_started = False


def sensible_jobs(total: int, unit: str, compressed: bool) -> int:
    """Return how many processes pay for an input of ``total`` units (bytes or rows; 0 where that is not known)."""
    size = total * 5 if compressed else total
    if 0 < size < (SMALL_BYTES if unit == "B" else SMALL_ROWS):
        return 1
    return min(usable_cores(), MOST_JOBS)


def usable_cores() -> int:
    """Return the number of cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


def score_all(chunks: Iterable[Chunk], job: Job, jobs: int, done: Callable[[Part], None]) -> None:
    """Score ``chunks`` in ``jobs`` processes (1: in this one) and call ``done`` with each part."""
    if jobs == 1:
        for chunk in chunks:
            done(score_chunk(chunk, job))
        return
    from joblib import Parallel, delayed, parallel_config

    failure: list[BaseException] = []

    def guarded() -> Iterator[Chunk]:
        # joblib draws chunks in a thread of its own, where an error would be lost.
        try:
            yield from chunks
        except BaseException as error:  # noqa: BLE001 - raised again below
            failure.append(error)

    with parallel_config(backend="loky", n_jobs=jobs, inner_max_num_threads=1):
        work = Parallel(return_as="generator", batch_size=1, pre_dispatch=2 * jobs)(
            delayed(_work)(chunk, job) for chunk in guarded()
        )
        for part in work:
            done(part)
    if failure:
        raise failure[0]


def _work(chunk: Chunk, job: Job) -> Part:
    _start()
    return score_chunk(chunk, job)


def _start() -> None:
    """Once in each worker: leave Ctrl-C to the main process, and end when that has been killed."""
    global _started
    if _started:
        return
    _started = True
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
