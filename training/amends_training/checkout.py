"""Where the repository's training folder lies. Protocol, labels and corpora are part of a checkout, never of an installed package."""

from __future__ import annotations

from pathlib import Path

from amends.errors import InputError

_FOLDER = Path(__file__).resolve().parents[1]
#: The committed data, and the repository's root, where this package lies in a checkout: `training_folder` tells whether it does.
DATA = _FOLDER / "data"
ROOT = _FOLDER.parent


def training_folder() -> Path:
    """Return the checkout's ``training`` folder.

    Raises
    ------
    InputError
        If this package was installed away from its repository.
    """
    if not ((_FOLDER / "protocol.toml").is_file() and DATA.is_dir()):
        raise InputError(
            "amends-train needs a checkout of the repository (training/data is not in the installed package): "
            "clone it and run `pip install -e '.[train]'` there"
        )
    return _FOLDER
