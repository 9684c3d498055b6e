"""The documents that are made from data: ``docs/codebook.md`` and ``docs/output.md``. A test compares them with the files."""

from __future__ import annotations

from amends.codebook import codebook
from amends.columns import PREFIX, schema
from amends.cues import rules
from amends_training.checkout import training_folder
from amends_training.tables import markdown

#: What each output column holds, where the codebook does not say it.
_MEANINGS = {
    "status": "`ok`; `truncated`: scored on the part that the model reads; not scored: `empty`, `not_text`, `unsupported_language`, `malformed` "
    "(the record could not be parsed: its raw text is in `amends_raw`, a column that exists only if needed)",
    "language": "ISO 639-1, or empty",
    "complaint": "1 unless `failure_type` is `none`",
    "failure_group": "the group that the failure type belongs to: {groups}",
    "strategy_second": "the runner-up",
    "actions": "the plan, most important first, parted by `;`, the strategy first",
    "paradox": "`likely`, `possible`, `unlikely` or `not_applicable`: the outlook for a recovery to leave this customer more satisfied than before",
    "paradox_reasons": "what decides the outlook, parted by `;`",
    "review": "1 when a person should look before the strategy is acted on",
    "review_reasons": "parted by `;`, each begins with `must_see:` (what it says calls for a person) or `unsure:` (the model doubts)",
    "evidence": 'JSON `{{"field": [[start, end, weight], …]}}`: the spans that speak most for the label; offsets count code points of the input text; '
    "absent with `--no-evidence`",
    "model": "name, version and digest of the model",
}


def codebook_page() -> str:
    """Return ``docs/codebook.md``: every field with its labels, definitions and source, and the cues."""
    book = codebook()
    parts = [
        "# Codebook",
        f"Version {book.version}. Made from `pipeline/amends/data/codebook.toml` by `python -m amends_training.docs`; edit that file. "
        "The labels describe the customer's view; they do not judge whether the customer is right.",
    ]
    for field in book.fields.values():
        parts.append(f"## `{field.name}`\n\n{field.question} ({'any number' if field.kind in ('multi', 'plan') else 'one'})")
        if field.kind == "plan":
            parts.append("The labels of `strategy`.")
        else:
            head = ("group", "label", "definition") if field.name == "failure_type" else ("label", "definition")
            rows = [((book.groups[x.group],) if x.group else ()) + (f"`{x.name}`", x.definition) for x in field.labels]
            parts.append(markdown(head, rows))
        parts.append(f"Source: {field.source}.")
    parts.append(
        "## Cues\n\nTurns of phrase that are found by a matcher (`pipeline/amends/data/cues.toml`). Each kind of `cue` is a feature of the model; "
        "each `must_see` flags a complaint for review."
    )
    parts.append(
        markdown(
            ("kind", "name", "speaks for", "why"),
            [(x.kind, x.name, f"{x.field} `{x.label}`" if x.field else "a person", x.why) for x in rules()],
        )
    )
    return "\n\n".join(parts) + "\n"


def output_page() -> str:
    """Return ``docs/output.md``: the output columns in order."""
    book = codebook()
    rows = []
    for name in schema().names:
        bare = name.removeprefix(PREFIX)
        rows.append((f"`{name}`", _meaning(bare).format(groups=", ".join(f"`{group}`" for group in book.groups))))
    return (
        "# Output columns\n\nMade by `python -m amends_training.docs`. All input columns come first, unchanged and in order; then these, in this order. One output "
        "row for each input row, in the same order, whatever the row holds. Where a row was not scored, all but the status are empty.\n\n"
        + markdown(("column", "values"), rows)
        + "\n\nA `…_confidence` is the calibrated probability of the label given. The label is the one with the best case when each is weighed by how rare it is, so its "
        "probability need not be the largest.\n"
    )


def _meaning(name: str) -> str:
    book = codebook()
    if name in _MEANINGS:
        return _MEANINGS[name]
    if name.startswith("justice_"):
        return "the probability that the concern is felt"
    if name.endswith("_confidence"):
        return "the probability, 0 to 1, of that label"
    field = book[name]
    labels = ", ".join(f"`{label}`" for label in field.names)
    if field.kind == "multi":
        return f"{field.question} Any of {labels}, parted by `;`; may be empty"
    return f"{field.question} {labels}"


if __name__ == "__main__":
    root = training_folder().parent / "docs"
    (root / "codebook.md").write_text(codebook_page(), encoding="utf-8")
    (root / "output.md").write_text(output_page(), encoding="utf-8")
