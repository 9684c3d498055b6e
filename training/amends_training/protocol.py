"""The frozen protocol, read from ``training/protocol.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from amends_training.checkout import training_folder


@cache
def protocol() -> Mapping[str, Any]:
    """Return the protocol as written."""
    return MappingProxyType(tomllib.loads((training_folder() / "protocol.toml").read_text(encoding="utf-8")))


def seed() -> int:
    """The seed of everything that draws."""
    return int(protocol()["seed"])


def training_files() -> tuple[str, ...]:
    """The files that may train a released model, relative to ``training/data``: those of version 1, then those added since."""
    own = protocol()["train"]
    return (*own["labels"], *own["added"])
