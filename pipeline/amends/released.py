"""The released models: where they lie and what each says of itself."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amends.errors import ModelError
from amends.model import CARD, MANIFEST, read_manifest

_log = logging.getLogger(__name__)
DEFAULT = "fast"
_HERE = Path(__file__).resolve().parent
#: Where an installed package keeps them, then where a checkout does.
_ROOTS = (_HERE / "models", _HERE.parents[1] / "models")


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model that `amends.load` can load: its name, version, languages, size in bytes, measured quality, folder and card."""

    name: str
    version: str
    languages: tuple[str, ...]
    size_bytes: int
    quality: Mapping[str, Any]
    folder: Path
    card: Path


def models() -> list[ModelInfo]:
    """Return the released models, the default first.

    Examples
    --------
    >>> models()[0].name
    'fast'
    """
    folders = {path.parent.name: path.parent for root in reversed(_ROOTS) for path in root.glob(f"*/{MANIFEST}")}
    found = []
    for folder in folders.values():
        try:
            found.append(_info(folder))
        except ModelError as error:  # one broken folder must not hide the others
            _log.warning("%s", error)
    return sorted(found, key=lambda info: (info.name != DEFAULT, info.name))


def find(name: str | Path) -> Path:
    """Return the folder of the model called ``name``, or ``name`` itself where it is a folder.

    Raises
    ------
    ModelError
        If it is neither; the message lists the models that there are.
    """
    for root in _ROOTS:
        if isinstance(name, str) and (root / name / MANIFEST).is_file():
            return root / name
    if Path(name).is_dir():
        return Path(name)
    there = ", ".join(info.name for info in models()) or "none"
    raise ModelError(f"no model {str(name)!r}: neither the name of a released model ({there}) nor a folder")


def _info(folder: Path) -> ModelInfo:
    manifest, _ = read_manifest(folder)
    size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    return ModelInfo(
        manifest["name"],
        manifest["version"],
        tuple(manifest["languages"]),
        size,
        manifest.get("quality", {}),
        folder,
        folder / CARD,
    )
