"""The pipeline: read → normalise → encode → tag → route → judge the paradox → show evidence.

One direction, no way back. A single call is a batch of one; a table is the same batch laid out in columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from amends.assessment import DIGITS, MALFORMED, Assessment, FailureType, Flag, Justice, Span, Status, Strategy, Tag
from amends.codebook import codebook
from amends.encode import Encoded
from amends.evidence import Question, spans, token_weights
from amends.language import identify
from amends.model import Model
from amends.paradox import outlooks
from amends.review import review
from amends.routing import plan, probabilities_of_acts, tag_columns

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from amends.assessment import Review
    from amends.paradox import Outlooks

#: Texts scored in one go: enough to keep the arrays busy, few enough to stay in the processor's cache.
BATCH = 512
#: Nor more code points than this, so that long letters do not cost memory that short ones do not.
BATCH_CHARACTERS = 200_000
#: Code points that ``fast`` reads of a text; a longer one is ``truncated``. The longest CFPB narrative has some 35,000.
READ = 100_000


#: A text's status, its language and the part that is scored, which is empty where nothing is.
Read = tuple["Status", str, str]


@dataclass(frozen=True)
class Scored:
    """A batch of scored texts as arrays: for each head the calibrated probabilities and the number of the label chosen."""

    texts: Sequence[str]
    encoded: Encoded
    probabilities: Mapping[str, np.ndarray]
    chosen: Mapping[str, np.ndarray]
    second: np.ndarray
    acts: np.ndarray
    paradox: Outlooks
    cues: Sequence[set[int]]


class Pipeline:
    """Scores complaints with one model. Made by `amends.load`; safe to share between threads.

    Parameters
    ----------
    model : Model
        A loaded model.

    Examples
    --------
    >>> import amends
    >>> pipeline = amends.load()
    >>> assessment = pipeline("I was charged twice for one ticket and want the second charge back.")
    >>> assessment.failure_type.label, assessment.strategy.label
    ('billing', 'compensate')
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._heads = {head.name: head for head in model.tagger.heads}
        self._strategy, *self._acts = model.router.heads
        self._weights = np.hstack([model.tagger.weights, model.router.text.weights])
        self.languages = frozenset(model.manifest["languages"])

    # ------------------------------------------------------------------------------------------------- identity
    @property
    def name(self) -> str:
        """The model's name."""
        return str(self._model.manifest["name"])

    @property
    def version(self) -> str:
        """The model's version."""
        return str(self._model.manifest["version"])

    @property
    def digest(self) -> str:
        """The first twelve hex digits of the SHA-256 of the model's manifest, which holds the digests of its files."""
        return self._model.digest

    @property
    def model(self) -> str:
        """Name, version and digest in one word, as it stands in the ``amends_model`` column."""
        return f"{self.name}-{self.version}+{self.digest}"

    def __repr__(self) -> str:
        return f"<amends.Pipeline {self.model}>"

    # -------------------------------------------------------------------------------------------------- scoring
    def __call__(self, text: object, *, evidence: bool = True) -> Assessment:
        """Assess one message; see `batch`."""
        return self.batch([text], evidence=evidence)[0]

    def batch(self, texts: Sequence[object], *, evidence: bool = True) -> list[Assessment]:
        """Assess messages, in order, one `Assessment` for each.

        Nothing is raised for what a text holds: what cannot be scored has a ``status`` that says why.

        Parameters
        ----------
        texts : sequence
            The messages; anything that is not a string gets the status ``empty`` or ``not_text``.
        evidence : bool
            Whether to look for the words that speak for each label, which takes about twice as long as all the rest.

        Examples
        --------
        >>> import amends
        >>> [a.status for a in amends.load().batch(["Still no refund after six weeks.", "", 12.5])]
        ['ok', 'empty', 'not_text']
        """
        result: list[Assessment] = []
        for states in self._batches(texts):
            scored = self.score([text for status, _, text in states if text])
            own = iter(range(len(scored.texts)))
            found = self._evidence(scored) if evidence else None
            for status, language, text in states:
                result.append(
                    self._assessment(scored, next(own), status, language, found)
                    if text
                    else Assessment(status, language, self.model)
                )
        return result

    def score(self, texts: Sequence[str]) -> Scored:
        """Return what the model says of readable ``texts``, as arrays (the way that both `batch` and `score_table` go)."""
        model = self._model
        encoded = model.encoder.encode(texts)
        tag_logits = model.tagger.logits(encoded.features)
        route_logits = model.router.logits(encoded.features, tag_columns(model.tagger.heads, tag_logits))
        probabilities = {head.name: head.probabilities(tag_logits) for head in model.tagger.heads}
        probabilities["strategy"] = self._strategy.probabilities(route_logits)
        acts = probabilities_of_acts(self._acts, route_logits)
        case = {name: np.log(np.maximum(p, 1e-12)) + model.offsets[name] for name, p in probabilities.items()}
        chosen = {name: own.argmax(axis=1) for name, own in case.items()}
        second = np.argsort(-case["strategy"], axis=1, kind="stable")[:, 1]
        _end_records_without_failure(chosen, second)
        labels = {name: self._heads[name].labels for name in ("severity", "stability", "controllability", "prior_recovery")}
        cues: list[set[int]] = [set() for _ in texts]
        for cue, row in zip(encoded.cues, encoded.rows_of_cues().tolist(), strict=True):
            cues[row].add(cue.rule)
        return Scored(texts, encoded, probabilities, chosen, second, acts, outlooks(probabilities, labels), cues)

    def score_frame(self, frame: pd.DataFrame, text: str, evidence: bool = True) -> pd.DataFrame:
        """Return ``frame`` with the output columns appended, its index and columns kept.

        Parameters
        ----------
        frame : pandas.DataFrame
            Any frame; it is not changed.
        text : str
            The column that holds the complaints.
        evidence : bool
            Whether to append ``amends_evidence``.

        Raises
        ------
        InputError
            If there is no such column, or ``amends_*`` columns are there already.

        Examples
        --------
        >>> import amends, pandas
        >>> frame = pandas.DataFrame({"narrative": ["Parcel never came", None]}, index=[7, 9])
        >>> amends.load().score_frame(frame, text="narrative")["amends_status"].tolist()
        ['ok', 'empty']
        """
        import pandas as pd

        from amends.columns import PREFIX
        from amends.errors import InputError

        if list(frame.columns).count(text) != 1:
            fault = "more than one column" if text in frame.columns else "no column"
            raise InputError(f"the frame has {fault} {text!r}; it has {', '.join(map(str, frame.columns))}")
        present = [str(name) for name in frame.columns if str(name).startswith(PREFIX)]
        if present:
            raise InputError(f"the frame already has {', '.join(present)}: drop them first")
        scored = self.score_table(frame[text].tolist(), evidence=evidence).to_pandas()
        return pd.concat([frame.reset_index(drop=True), scored], axis=1).set_axis(frame.index)  # an index may repeat itself

    def score_table(self, texts: Sequence[object], *, evidence: bool = True) -> pa.Table:
        """Return the output columns for ``texts``, a row each, in order; the schema is `amends.columns.schema`."""
        from amends.table import Rows, to_table

        parts = []
        for states in self._batches(texts):
            scored = self.score([text for _, _, text in states if text])
            found = self._evidence(scored) if evidence else None
            reviews = [self._review(scored, row) for row in range(len(scored.texts))]
            plans = [self._plan(scored, row) for row in range(len(scored.texts))]
            parts.append(Rows([s for s, _, _ in states], [x for _, x, _ in states], scored, plans, reviews, found))
        return to_table(parts, self.model, evidence=evidence)

    def _batches(self, texts: Iterable[object]) -> Iterator[list[Read]]:
        """Read texts and part them into batches of bounded number and length."""
        if isinstance(texts, str | bytes):
            raise TypeError("a batch is a list of texts; for one text call the pipeline itself")
        states: list[Read] = []
        characters = 0
        for text in texts:
            states.append(self._read(text))
            characters += len(states[-1][2])
            if len(states) == BATCH or characters >= BATCH_CHARACTERS:
                yield states
                states, characters = [], 0
        if states:
            yield states

    # ------------------------------------------------------------------------------------------------- the steps
    def _read(self, text: object) -> Read:
        """Return a text's status, its language and the part that is scored, which is empty where nothing is."""
        if not isinstance(text, str):
            if text is MALFORMED:
                return "malformed", "", ""
            return ("empty" if _is_missing(text) else "not_text"), "", ""
        head = text[:READ]
        if not head.strip(_BLANK):
            return "empty", "", ""
        if not any(map(str.isalpha, head)):
            return "not_text", "", ""
        language, known = identify(head, self.languages)
        if not known:
            return "unsupported_language", language, ""
        return ("truncated" if len(text) > READ else "ok"), language, head

    def _evidence(self, scored: Scored) -> list[dict[str, tuple[Span, ...]]]:
        """For each text the spans behind each field's label; of yes-or-no fields only where the answer is yes."""
        if not len(scored.texts):
            return []
        complaint = scored.chosen["failure_type"] != _none()
        offset = sum(head.width for head in self._model.tagger.heads)
        questions = []
        for head in (*self._model.tagger.heads, _moved(self._strategy, offset)):
            labels = scored.chosen[head.name].copy()
            if head.name not in ("failure_type", "strategy"):
                labels[~complaint] = -1
            if head.width == 1:
                labels[labels == 0] = -1
            questions.append(Question(head.name, head, labels))
        used = sum(question.head.width for question in questions)
        weights = token_weights(scored.encoded, self._weights[:, :used], questions)
        starts = scored.encoded.tokens.starts
        sentences = scored.encoded.sentences()
        result = []
        for row, text in enumerate(scored.texts):
            asked = [i for i, question in enumerate(questions) if question.labels[row] >= 0]
            own = slice(starts[row], starts[row + 1])
            result.append(spans(text, [questions[i].field for i in asked], weights[own][:, asked], sentences[own]))
        return result

    def _review(self, scored: Scored, row: int) -> Review:
        severe = scored.probabilities["severity"][row, -1] * scored.probabilities["prior_recovery"][row, 1]
        confidence = float(scored.probabilities["strategy"][row, scored.chosen["strategy"][row]])
        complaint = bool(scored.chosen["failure_type"][row] != _none())
        return review(scored.cues[row], float(severe), confidence, self._model.unsure_below, complaint)

    def _plan(self, scored: Scored, row: int) -> tuple[str, ...]:
        names = self._strategy.labels
        acknowledge = names.index("acknowledge")
        acts = plan(int(scored.chosen["strategy"][row]), scored.acts[row], self._model.plan_threshold, acknowledge)
        return tuple(names[act] for act in acts)

    def _assessment(
        self, scored: Scored, row: int, status: Status, language: str, found: list[dict[str, tuple[Span, ...]]] | None
    ) -> Assessment:
        book = codebook()

        def given(name: str) -> tuple[str, float]:
            number = int(scored.chosen[name][row])
            labels = self._strategy.labels if name == "strategy" else self._heads[name].labels
            return labels[number], round(float(scored.probabilities[name][row, number]), DIGITS)

        def flag(name: str) -> Flag:
            label, confidence = given(name)
            return Flag(label == "1", confidence)

        failure, confidence = given("failure_type")
        felt = {name: round(float(scored.probabilities[name][row, 1]), DIGITS) for name in book.concerns}
        second = int(scored.second[row])
        complaint = failure != "none"
        return Assessment(
            status,
            language,
            self.model,
            complaint,
            FailureType(failure, confidence, book["failure_type"][failure].group),
            Tag(*given("severity")),
            Tag(*given("stability")),
            Tag(*given("controllability")),
            Justice(tuple(name for name in book.concerns if scored.chosen[name][row] == 1), **felt),
            flag("prior_recovery"),
            flag("churn"),
            Strategy(
                *given("strategy"),
                self._strategy.labels[second],
                round(float(scored.probabilities["strategy"][row, second]), DIGITS),
            ),
            self._plan(scored, row),
            scored.paradox.one(row, complaint),
            self._review(scored, row),
            None if found is None else found[row],
        )


_BLANK = " \t\r\n\f\v\x00\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"


def _none() -> int:
    return codebook()["failure_type"].index("none")


def _is_missing(value: object) -> bool:
    """Whether a cell without a string holds nothing: None, NaN, NaT or pandas.NA."""
    if value is None:
        return True
    try:
        return bool(value != value)
    except (TypeError, ValueError):  # pandas.NA has no truth value; an array has many
        return type(value).__name__ == "NAType"


def _moved(head: Any, by: int) -> Any:
    from dataclasses import replace

    return replace(head, first=head.first + by)


def _end_records_without_failure(chosen: Mapping[str, np.ndarray], second: np.ndarray) -> None:
    """Where nothing failed, give the labels that the codebook fixes (section 1)."""
    book = codebook()
    none = chosen["failure_type"] == _none()
    for name, label in book.no_failure.items():
        if name == "justice":
            for concern in book.concerns:
                chosen[concern][none] = 0
        elif name != "strategy":
            chosen[name][none] = book[name].index(label)
    acknowledge = book["strategy"].index("acknowledge")
    strategy = chosen["strategy"]
    runner_up = np.where(strategy == acknowledge, second, strategy)
    second[none] = runner_up[none]
    strategy[none] = acknowledge
