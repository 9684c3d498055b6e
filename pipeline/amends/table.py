"""Scored batches laid out in the output columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from amends.assessment import DIGITS, SCORED
from amends.codebook import codebook
from amends.columns import PREFIX, schema
from amends.evidence import as_json

if TYPE_CHECKING:
    import pyarrow as pa

    from amends.assessment import Review, Span, Status
    from amends.pipeline import Scored


@dataclass(frozen=True)
class Rows:
    """A batch: each row's status and language, and for those that were scored, in order, everything said of them."""

    statuses: Sequence[Status]
    languages: Sequence[str]
    scored: Scored
    plans: Sequence[tuple[str, ...]]
    reviews: Sequence[Review]
    evidence: Sequence[dict[str, tuple[Span, ...]]] | None


def to_table(parts: Sequence[Rows], model: str, *, evidence: bool) -> pa.Table:
    """Return ``parts`` as one Arrow table of `amends.columns.schema`."""
    import pyarrow as pa

    wanted = schema(evidence)
    return pa.Table.from_batches([_batch(part, model, wanted) for part in parts], schema=wanted)


def _batch(part: Rows, model: str, wanted: pa.Schema) -> pa.RecordBatch:
    import pyarrow as pa

    book = codebook()
    scored = part.scored
    count = len(part.statuses)
    # Where the scored rows stand among all rows; the others are null in every column of the model.
    place = np.full(count, -1)
    place[[i for i, status in enumerate(part.statuses) if status in SCORED]] = np.arange(len(scored.texts))
    take = pa.array(place, mask=place < 0)

    values: dict[str, Any] = {
        "status": pa.array(part.statuses).dictionary_encode(),
    }

    def put(name: str, array: pa.Array) -> None:
        values[name] = array.take(take)

    def labelled(numbers: np.ndarray, labels: Sequence[str]) -> pa.DictionaryArray:
        return pa.DictionaryArray.from_arrays(pa.array(numbers.astype(np.int8)), pa.array(labels, pa.string()))

    def certainty(name: str) -> pa.Array:
        chosen = scored.chosen[name]
        return pa.array(np.round(scored.probabilities[name][np.arange(len(chosen)), chosen].astype(np.float64), DIGITS))

    put("language", pa.array([part.languages[row] for row in np.flatnonzero(place >= 0).tolist()], pa.string()))
    put("model", labelled(np.zeros(len(scored.texts)), [model]))
    none = book["failure_type"].index("none")
    complaint = scored.chosen["failure_type"] != none
    put("complaint", pa.array(complaint.astype(np.int8)))
    for field in book.fields.values():
        if field.kind in ("nominal", "ordered"):
            put(field.name, labelled(scored.chosen[field.name], field.names))
            put(f"{field.name}_confidence", certainty(field.name))
        elif field.kind == "binary":
            put(field.name, pa.array(scored.chosen[field.name].astype(np.int8)))
            put(f"{field.name}_confidence", certainty(field.name))
        elif field.kind == "multi":
            felt = np.column_stack([scored.chosen[name] for name in field.names])
            put(field.name, labelled(felt @ (1 << np.arange(felt.shape[1])), _subsets(field.names)))
            for name in field.names:
                put(
                    f"{field.name}_{name}_confidence",
                    pa.array(np.round(scored.probabilities[name][:, 1].astype(np.float64), DIGITS)),
                )
    groups = list(book.groups)
    group_of = np.array([groups.index(label.group) for label in book["failure_type"].labels])
    put("failure_group", labelled(group_of[scored.chosen["failure_type"]], groups))
    put("strategy_second", labelled(scored.second, book["strategy"].names))
    put("actions", pa.array([";".join(plan) for plan in part.plans], pa.string()))
    outlook = [scored.paradox.one(row, bool(complaint[row])) for row in range(len(scored.texts))]
    put("paradox", pa.array([one.outlook for one in outlook], pa.string()).dictionary_encode())
    put("paradox_reasons", pa.array([";".join(one.reasons) for one in outlook], pa.string()))
    put("review", pa.array([int(one.needed) for one in part.reviews], pa.int8()))
    put("review_reasons", pa.array([";".join(one.reasons) for one in part.reviews], pa.string()))
    if part.evidence is not None:
        put("evidence", pa.array([as_json(found) for found in part.evidence], pa.string()))
    arrays = [values[field.name.removeprefix(PREFIX)].cast(field.type) for field in wanted]
    return pa.RecordBatch.from_arrays(arrays, schema=wanted)


def _subsets(names: Sequence[str]) -> list[str]:
    """Every subset of ``names`` as it stands in a cell, numbered by bits."""
    return [";".join(name for i, name in enumerate(names) if bits >> i & 1) for bits in range(1 << len(names))]
