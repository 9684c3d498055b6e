"""Fetching the public text that the labels refer to, from its publishers or from a local folder.

The repository holds labels by record id and none of the text (``docs/data.md`` says why). `fetch` fills a folder with
``public/nhs.jsonl`` and ``public/cfpb.jsonl``, only for labelled ids; `take` does so from a folder of the same layout. Where
``labels/public_text.tsv`` is there, each text is compared with the one that was labelled, by digest.

The way of a record: `downloads` bring a file, `tables` read its rows, `publishers` make records of them, `records` and
`fingerprints` say which are wanted and how like the labelled ones they are, `report` writes and counts.
"""

from __future__ import annotations

from amends_training.fetch.command import add_arguments, run
from amends_training.fetch.downloads import Limits, Progress, download
from amends_training.fetch.fingerprints import FINGERPRINTS, write_fingerprints
from amends_training.fetch.gather import fetch, take
from amends_training.fetch.publishers import NHS_BASE, NHS_PHASE_1, NHS_V6
from amends_training.fetch.records import LABELS
from amends_training.fetch.report import FetchReport, SourceReport

__all__ = [
    "FINGERPRINTS",
    "LABELS",
    "NHS_BASE",
    "NHS_PHASE_1",
    "NHS_V6",
    "FetchReport",
    "Limits",
    "Progress",
    "SourceReport",
    "add_arguments",
    "download",
    "fetch",
    "run",
    "take",
    "write_fingerprints",
]
