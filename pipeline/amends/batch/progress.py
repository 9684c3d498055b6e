"""A progress bar with rate and time left, on a terminal only."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

    from amends.batch.paths import Place


class Progress:
    """Shows how far a run has come; a context manager.

    Parameters
    ----------
    place : Place
        The input, whose name is shown.
    total : int
        Its bytes or rows; 0 where that is not known.
    unit : str
        ``B`` or ``row``.
    quiet : bool
        Whether to show nothing.
    """

    def __init__(self, place: Place, total: int, unit: str, *, quiet: bool) -> None:
        self._name, self._total, self._unit = str(place.path.name if place.path else place), total, unit
        self._shown = sys.stderr is not None and sys.stderr.isatty() and not quiet
        self._bar: Any = None
        self._started = time.perf_counter()

    def __enter__(self) -> Progress:
        if self._shown:
            from tqdm import tqdm

            scale = self._unit == "B"
            self._bar = tqdm(
                total=self._total or None, unit=self._unit, unit_scale=scale, unit_divisor=1024, desc=self._name, leave=False
            )
        self._started = time.perf_counter()
        return self

    def show(self, position: int, rows: int) -> None:
        """Say that the input has been read up to ``position`` and ``rows`` have been scored."""
        if self._bar is not None:
            seconds = time.perf_counter() - self._started
            self._bar.set_postfix_str(f"{rows / seconds if seconds else 0:,.0f} rows/s", refresh=False)
            self._bar.update(position - self._bar.n)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.close()
