"""The output columns: their names, order and types, derived from the codebook.

Column names are promises to users' files; see ``docs/output.md``.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from amends.codebook import codebook

if TYPE_CHECKING:
    import pyarrow as pa

PREFIX = "amends_"
#: Where a record could not be parsed, its raw text; a column only where it is needed.
RAW = PREFIX + "raw"
STATUS = PREFIX + "status"
EVIDENCE = PREFIX + "evidence"


@cache
def schema(evidence: bool = True) -> pa.Schema:
    """Return the Arrow schema of the output columns, in order; ``evidence=False`` leaves ``amends_evidence`` out.

    Labels are dictionary-encoded strings, flags ``int8``, confidences ``float64`` rounded to four digits. A row that was not
    scored has nulls (empty cells in text formats) in every column but ``amends_status``.

    Examples
    --------
    >>> schema().names[:4]
    ['amends_status', 'amends_language', 'amends_complaint', 'amends_failure_type']
    """
    import pyarrow as pa

    label = pa.dictionary(pa.int8(), pa.string())
    fields: list[tuple[str, pa.DataType]] = [("status", label), ("language", pa.string()), ("complaint", pa.int8())]
    for field in codebook().fields.values():
        match field.kind:
            case "nominal" | "ordered":
                fields += [(field.name, label), (f"{field.name}_confidence", pa.float64())]
                if field.name == "failure_type":
                    fields.append(("failure_group", label))
                if field.name == "strategy":
                    fields.append(("strategy_second", label))
            case "multi":
                fields.append((field.name, label))
                fields += [(f"{field.name}_{concern}_confidence", pa.float64()) for concern in field.names]
            case "binary":
                fields += [(field.name, pa.int8()), (f"{field.name}_confidence", pa.float64())]
            case "plan":
                fields.append((field.name, pa.string()))
    fields += [
        ("paradox", label),
        ("paradox_reasons", pa.string()),
        ("review", pa.int8()),
        ("review_reasons", pa.string()),
        ("evidence", pa.string()),
        ("model", pa.dictionary(pa.int8(), pa.string())),
    ]
    return pa.schema([(PREFIX + name, kind) for name, kind in fields if evidence or name != "evidence"])
