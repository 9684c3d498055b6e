"""What the publishers have: where it lies, how its columns are called, and how a row becomes one of our records."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from amends_training.fetch.downloads import Limits, Progress
from amends_training.fetch.fingerprints import Fingerprints, Likeness, likeness
from amends_training.fetch.records import record, refuse_none
from amends_training.fetch.tables import Columns, Row, number, read_rows

#: Where NHS files lie; below it come the commit and the path in the repository.
NHS_BASE = "https://raw.githubusercontent.com/The-Strategy-Unit/pxtextmining"
#: The version of each file that the labelled ids were made from: other versions of ``text_data.csv`` number their rows otherwise.
NHS_V6 = "c62c79d74c7ba2f88d71a43386a2d36824e4633d/datasets/v6framework_230831.csv"
NHS_PHASE_1 = "005279dc1807f4ec511d725b933f9d2ea7e401f6/datasets/text_data.csv"

Records = Generator[dict[str, Any], None, None]

_CFPB: Columns = {
    "id": ("complaint_id", "complaintid", "id"),
    "text": ("consumer_complaint_narrative", "complaint_what_happened", "complaint_narrative", "consumer_narrative", "narrative"),
    "product": ("product",),
    "sub_product": ("sub_product",),
    "issue": ("issue",),
    "sub_issue": ("sub_issue",),
    "company": ("company",),
    "company_response": ("company_response_to_consumer", "company_response"),
    "company_public_response": ("company_public_response",),
    "consumer_disputed": ("consumer_disputed",),
    "timely": ("timely_response", "timely"),
    "date": ("date_received",),
}
_V6: Columns = {
    "id": ("comment_id",),
    "text": ("fft_answer",),
    "trust": ("trust",),
    "service": ("service_type_1",),
    "fft_score_1good_5poor": ("fft_categorical_answer",),
    "question": ("fft_question",),
    "sentiment_1pos_5neg": ("comment_sentiment",),
    "date": ("date",),
}
_PHASE_1: Columns = {
    "id": ("row_index",),
    "text": ("feedback",),
    "organization": ("organization",),
    "question": ("question",),
    "criticality_-5neg_5pos": ("criticality",),
    "label": ("label",),
    "subcategory": ("subcategory",),
}


def from_v6(path: Path, limits: Limits, progress: Progress) -> Records:
    """Read phase 2 (framework 6): an id is the ``Comment ID``; columns after the sentiment are themes, 1 where one is told."""
    for row in read_rows(path, _V6, ("id", "text", "sentiment_1pos_5neg"), limits, progress):
        key = row["id"].strip()
        themes = [name for name, cell in row.behind("sentiment_1pos_5neg") if number(cell) == "1"]
        meta = {"comment_id": key, **row.rest(), "framework_labels": themes, "source_set": "FFT phase 2"}
        yield record("nhs", f"nhs_pe:v6:{key}", _text(row), meta)


def from_phase_1(path: Path, limits: Limits, progress: Progress) -> Records:
    """Read phase 1: an id is the organisation without its space and the ``row_index``."""
    for row in read_rows(path, _PHASE_1, ("id", "text", "organization"), limits, progress):
        key = f"nhs_pe:p1:{row['organization'].replace(' ', '')}:{number(row['id'])}"
        yield record("nhs", key, _text(row), {**row.rest(), "source_set": "FFT phase 1"})


def from_cfpb(path: Path, ids: Sequence[str], limits: Limits, progress: Progress) -> Records:
    """Read the narratives of ``ids``; of millions of rows only these are made into records."""
    wanted = set(ids)
    for row in read_rows(path, _CFPB, ("id", "text"), limits, progress):
        complaint = number(row["id"])
        if (key := f"cfpb:{complaint}") in wanted:
            yield record("cfpb", key, _text(row), {"complaint_id": complaint, **row.rest()})


def add_cfpb_meta(records: Mapping[str, dict[str, Any]], path: Path, limits: Limits, progress: Progress) -> None:
    """Join the complaint file by complaint id; it may no longer have narratives, so only the id must be there."""
    left = set(records)
    with closing(read_rows(path, _CFPB, ("id", "product"), limits, progress)) as rows:
        for row in rows:
            if (key := f"cfpb:{number(row['id'])}") in left:
                records[key]["meta"].update(row.rest())
                left.discard(key)
                if not left:
                    break


def nearest(rows: Records, ids: Sequence[str], known: Fingerprints, where: str) -> dict[str, dict[str, Any]]:
    """Return the records of ``ids``; of several under one id the one nearest to what was labelled. Stops when all are settled."""
    found: dict[str, dict[str, Any]] = {}
    left = set(ids)
    with closing(rows):
        for one in rows:
            key = one["id"]
            if key not in left or not one["text"]:
                continue
            if likeness(one, known) is not Likeness.DIFFERENT:
                found[key] = one
                left.discard(key)
                if not left:
                    break
            else:
                found.setdefault(key, one)
    refuse_none(found, where)
    return found


def _text(row: Row) -> str:
    return row["text"].replace("\r\n", "\n").replace("\r", "\n").strip()
