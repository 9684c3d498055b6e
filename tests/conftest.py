"""What the tests share: the released model, loaded once."""

from __future__ import annotations

import pytest

import amends


@pytest.fixture(scope="session")
def pipeline() -> amends.Pipeline:
    return amends.load()
