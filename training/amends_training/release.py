"""The release of a model: fitted on everything that may train it, measured, written with a card made from the measurements."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from amends.model import CARD, Model, load_folder, save_folder
from amends_training.card import card
from amends_training.corpora import Record, digest, language_of
from amends_training.fit import Progress, Settings, fit, silent, with_manifest
from amends_training.measure import measured
from amends_training.splits import sector_group
from amends_training.tables import TESTS

_LIBRARIES = ("numpy", "scipy", "scikit-learn")


def described(records: Sequence[Record]) -> list[dict[str, object]]:
    """Return each training source: its number of records, language, sectors, and the digest of its ids, texts and labels."""
    result: list[dict[str, object]] = []
    for source in sorted({record.source for record in records}):
        own = [record for record in records if record.source == source]
        sectors = Counter(sector_group(record.sector) for record in own)
        result.append({
            "name": source,
            "language": language_of(own[0].id),
            "records": len(own),
            "sectors": dict(sorted(sectors.items(), key=lambda item: (-item[1], item[0]))),
            "sha256": digest(own),
        })  # fmt: skip
    return result


def release(
    records: Sequence[Record],
    folder: Path,
    *,
    name: str,
    version: str,
    results: Mapping[str, Any] | None,
    settings: Settings,
    progress: Progress,
) -> Model:
    """Fit, write and read back a model with its card; `fit` and `write` in one.

    Parameters
    ----------
    records : sequence of Record
        Everything that trains the model.
    folder : pathlib.Path
        The model folder.
    name, version : str
        What the manifest calls the model.
    results : mapping, optional
        What ``amends-train compare`` measured; without it the card says that the model was not judged.
    settings, progress
        As for `amends_training.fit.fit`.
    """
    model = with_manifest(
        fit(records, settings, progress),
        name=name,
        version=version,
        settings=settings.decisive(),
        quality=summarised(results, name),
    )
    return write(model, records, folder, results, progress)


def write(
    model: Model, records: Sequence[Record], folder: Path, results: Mapping[str, Any] | None = None, progress: Progress = silent
) -> Model:
    """Write ``model``, which has a name and was fitted to ``records``, with what is measured on the stored weights; read it back."""
    progress("measuring the stored model")
    with TemporaryDirectory() as scratch:
        stored = save_folder(Path(scratch), model)
    model = with_manifest(
        model,
        libraries={library: metadata.version(library) for library in _LIBRARIES} | {"python": platform.python_version()},
        training=described(records),
        **measured(model, stored, records),
    )
    progress("writing")
    saved = save_folder(folder, model)
    (folder / CARD).write_text(card(saved, records, results), encoding="utf-8")
    return load_folder(folder)


def summarised(results: Mapping[str, Any] | None, name: str) -> dict[str, float]:
    """Return each test's headline for the model ``name``, rounded, for the manifest."""
    if results is None:
        return {}
    return {test: round(results[test][name]["headline"], 3) for test in TESTS if name in results.get(test, {})}
