"""`amends` reads customers' complaints and says how to win each customer back.

>>> import amends
>>> pipeline = amends.load()
>>> pipeline("Third parcel this month left in the rain. Nobody answers my emails.").prior_recovery.value
True
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from amends.assessment import Assessment
    from amends.errors import AmendsError, InputError, ModelError, UsageError
    from amends.pipeline import Pipeline
    from amends.released import ModelInfo, models
    from amends.schema import result_schema

__version__ = "0.1.0"
__all__ = [
    "AmendsError",
    "Assessment",
    "InputError",
    "ModelError",
    "ModelInfo",
    "Pipeline",
    "UsageError",
    "load",
    "models",
    "result_schema",
]

# A library does not decide where its host's logs go. Nothing logged ever holds complaint text.
logging.getLogger("amends").addHandler(logging.NullHandler())


def load(model: str | Path = "fast") -> Pipeline:
    """Load a model.

    Parameters
    ----------
    model : str or pathlib.Path
        The name of a released model (`amends.models`) or a model folder.

    Raises
    ------
    ModelError
        If there is no such model, or its folder is damaged, tampered with or of a newer format.

    Examples
    --------
    >>> load().name
    'fast'
    """
    from amends.model import load_folder
    from amends.pipeline import Pipeline
    from amends.released import find

    return Pipeline(load_folder(find(model)))


# What else is offered is imported when first asked for, so that `import amends` costs a host application nothing.
_HOME = {
    "AmendsError": "errors", "Assessment": "assessment", "InputError": "errors", "ModelError": "errors", "ModelInfo": "released",
    "Pipeline": "pipeline", "UsageError": "errors", "models": "released", "result_schema": "schema",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    import importlib

    if name not in _HOME:
        raise AttributeError(f"module 'amends' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"amends.{_HOME[name]}"), name)
    globals()[name] = value
    return value
