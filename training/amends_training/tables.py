"""The protocol's results as Markdown tables, for the terminal, the docs and the model cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from amends_training.metrics import headline_heads

#: What each test asks, in the order in which tables show them.
TESTS = {
    "grouped": "Grouped five-fold: complaints of sources that were trained on",
    "leave_one_out": "Leave one source or sector out, inside the training data",
    "transfer": "Transfer: sources never trained on, pooled",
}


def markdown(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows])


def headlines(results: Mapping[str, Any]) -> str:
    """Return one table a test: each method's headline, its interval, and its gain over the baseline."""
    parts = []
    for test, title in TESTS.items():
        if test not in results:
            continue
        rows = []
        for name, own in results[test].items():
            low, high = own["interval"]
            gain = own.get("gain")
            shown = f"{gain[0]:+.3f} ({gain[1]:+.3f} to {gain[2]:+.3f})" if gain else ""
            rows.append((name, f"{own['headline']:.3f}", f"{low:.3f}–{high:.3f}", f"{own['macro_f1']:.3f}", shown))
        count = next(iter(results[test].values()))["records"]
        head = ("model", "mean kappa", "95%", "mean macro-F1", "gain over tfidf_logreg (paired 95%)")
        parts.append(f"**{title}** ({count} records)\n\n{markdown(head, rows)}")
    return "\n\n".join(parts)


def by_head(results: Mapping[str, Any], test: str, methods: Sequence[str], annotators: Mapping[str, float] | None = None) -> str:
    """Return kappa by head for ``methods`` in one test, with the annotators' line where there is one."""
    own = results[test]
    rows: list[list[object]] = []
    for head in headline_heads():
        row: list[object] = [head, *(f"{own[name]['heads'][head]['kappa']:.2f}" for name in methods if name in own)]
        rows.append([*row, f"{annotators[head]:.2f}" if annotators else ""])
    return markdown(["field", *(name for name in methods if name in own), "annotators"], rows)


def quality(results: Mapping[str, Any], test: str, method: str) -> str:
    """Return every metric by head for one method in one test."""
    rows = []
    for head, own in results[test][method]["heads"].items():
        calibration = (f"{own['ece']:.3f}", f"{own['brier']:.3f}") if "ece" in own else ("", "")
        rows.append(
            (
                head,
                f"{own['kappa']:.3f}",
                f"{own.get('quadratic_kappa', float('nan')):.3f}".replace("nan", ""),
                f"{own['macro_f1']:.3f}",
                *calibration,
            )
        )
    return markdown(("field", "kappa", "quadratic kappa", "macro-F1", "ECE", "Brier"), rows)


def by_label(results: Mapping[str, Any], test: str, method: str) -> str:
    """Return F1 and support of every label for one method in one test."""
    rows = []
    for head, own in results[test][method]["heads"].items():
        for label, value in own["f1"].items():
            if own["support"][label]:
                rows.append((head, label, f"{value:.2f}", own["support"][label]))
    return markdown(("field", "label", "F1", "support"), rows)


def by_source(results: Mapping[str, Any], test: str, methods: Sequence[str]) -> str:
    """Return the headline for ``methods`` by source in one test; by what was left out where that is the test."""
    own = results[test]
    key = "by_place" if test == "leave_one_out" else "by_source"
    sources = own[methods[-1]][key]
    rows = [
        (source, values["records"], *(f"{own[name][key][source]['headline']:.3f}" for name in methods))
        for source, values in sources.items()
    ]
    return markdown(("left out" if key == "by_place" else "source", "records", *methods), rows)
