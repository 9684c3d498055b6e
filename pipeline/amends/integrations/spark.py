"""Score a Spark data frame, batch or stream, on as many machines as Spark has (extra ``spark``; see ``docs/spark.md``).

Rows travel as Arrow record batches from the executor's JVM to its Python workers and back (`DataFrame.mapInArrow`). A row does
not hang on its batch, so the output is that of `Pipeline.score_frame` for any partitioning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from amends.columns import PREFIX
from amends.columns import schema as output_columns
from amends.errors import InputError, ModelError, UsageError

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame
    from pyspark.sql.types import StructField, StructType

    from amends.pipeline import Pipeline

#: Rows scored before they are handed back: four of the pipeline's batches. Spark's own batches (10,000 rows) would hold all
#: their evidence in memory at once.
ROWS = 2048


def score(
    df: DataFrame, text: str = "narrative", model: str | Path = "fast", evidence: bool = True, *, overwrite: bool = False
) -> DataFrame:
    """Return ``df`` with the output columns appended; nothing runs until the result is used.

    Works on batches and on streams. Rows keep their partition and, within it, their order. A row that cannot be scored has a
    status that says why; nothing is raised for what a cell holds.

    Parameters
    ----------
    df : pyspark.sql.DataFrame
        Any frame whose types Spark can turn into Arrow (all but intervals of months).
    text : str
        The column that holds the complaints, spelt as in ``df.columns``.
    model : str or pathlib.Path
        What every executor can load: the name of a released model, the name of an archive given to
        ``SparkContext.addArchive``, or the path of a model folder on the executors. A name is looked up at once; a path may be
        one that only executors have. Each Python worker process loads it once.
    evidence : bool
        Whether to append ``amends_evidence``, which takes about as long as all the rest.
    overwrite : bool
        Whether ``amends_*`` columns of an earlier run are replaced.

    Returns
    -------
    pyspark.sql.DataFrame
        The columns of ``df``, unchanged and in order, then those of `output_fields`.

    Raises
    ------
    UsageError
        If ``df`` is not a Spark data frame.
    InputError
        If there is no such column or more than one, ``amends_*`` columns (in any case) are there and ``overwrite`` is not set, or a
        column is of a type that cannot leave Spark.
    ModelError
        If ``model`` is a name that is not known here. What fails on an executor arrives as Spark's ``PythonException`` with the
        message of the `ModelError` in it, also where an executor's model is not the one found here.

    Examples
    --------
    >>> from pyspark.sql import SparkSession  # doctest: +SKIP
    >>> spark = SparkSession.builder.getOrCreate()  # doctest: +SKIP
    >>> tickets = spark.createDataFrame([(1, "Parcel never came"), (2, None)], "id int, narrative string")  # doctest: +SKIP
    >>> [row.amends_status for row in score(tickets).collect()]  # doctest: +SKIP
    ['ok', 'empty']
    """
    from pyspark.errors import PySparkNotImplementedError
    from pyspark.sql.types import StructType

    if not hasattr(df, "mapInArrow"):
        raise UsageError(
            f"df is a {type(df).__module__}.{type(df).__qualname__}, not a Spark data frame: Pipeline.score_frame scores pandas "
            "frames, spark.createDataFrame makes a Spark frame of one"
        )
    # Spark tells names apart without regard to case, so `AMENDS_STATUS` would be in the way as well.
    earlier = [name for name in df.columns if name.casefold().startswith(PREFIX)]
    if earlier and not overwrite:
        raise InputError(f"the data frame already has {', '.join(earlier)}: overwrite=True replaces all {PREFIX}* columns")
    if earlier:
        df = df.drop(*earlier)
    names = df.columns
    if names.count(text) != 1:
        count = "no column" if text not in names else "more than one column"
        raise InputError(f"the data frame has {count} {text!r}; it has {', '.join(names)}")
    schema = StructType([*df.schema.fields, *output_fields(evidence=evidence).fields])
    work = _scorer(names.index(text), str(model), _identity(model), evidence=evidence)
    # By number, as mapInArrow looks columns up by name and so fails for one with a dot in it and for two of one name.
    numbered = df.toDF(*map(str, range(len(names))))
    try:
        return numbered.mapInArrow(work, schema)
    except PySparkNotImplementedError as error:
        odd = [
            f"{f.name} ({f.dataType.simpleString()})" for i, f in enumerate(df.schema.fields) if not _can_travel(numbered, i, f)
        ]
        raise InputError(f"Spark cannot hand {', '.join(odd)} to Python: cast to string, or drop and join again after") from error


def _can_travel(numbered: DataFrame, number: int, field: StructField) -> bool:
    """Whether Spark can turn a column into Arrow, by the only public way to ask."""
    from pyspark.errors import PySparkNotImplementedError
    from pyspark.sql.types import StructType

    try:
        numbered.select(str(number)).mapInArrow(lambda batches: batches, StructType([field]))
    except PySparkNotImplementedError:
        return False
    return True


def output_fields(*, evidence: bool = True) -> StructType:
    """Return the output columns as Spark fields: `amends.columns.schema` with labels as strings and flags as ``tinyint``.

    ``tinyint`` is the type that the contract's ``int8`` has in Spark; ``sum`` and ``avg`` of one are a ``bigint`` and a ``double``.

    Examples
    --------
    >>> output_fields().simpleString()[:50]  # doctest: +SKIP
    'struct<amends_status:string,amends_language:string'
    """
    from pyspark.sql.types import ByteType, DoubleType, StringType, StructField, StructType

    kinds = {"string": StringType(), "int8": ByteType(), "double": DoubleType()}
    return StructType([StructField(field.name, kinds[str(field.type)]) for field in _plain(evidence)])


# --------------------------------------------------------------------------------------------------------- on the executors
def _scorer(
    text: int, model: str, expected: str, *, evidence: bool
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return what a task runs; only its arguments travel, the code and the model are on the executors."""

    def scored(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for start in range(0, batch.num_rows, ROWS):
                yield _appended(batch.slice(start, ROWS), text, _pipeline(model, expected), evidence=evidence)

    return scored


def _appended(batch: pa.RecordBatch, text: int, pipeline: Pipeline, *, evidence: bool) -> pa.RecordBatch:
    import pyarrow as pa

    # Spark takes no dictionaries.
    scored = pipeline.score_table(_texts(batch.column(text)), evidence=evidence).cast(_plain(evidence))
    columns = [column.combine_chunks() for column in scored.columns]
    return pa.RecordBatch.from_arrays([*batch.columns, *columns], schema=pa.schema([*batch.schema, *scored.schema]))


def _texts(column: pa.Array) -> list[object]:
    """Return the cells as `Pipeline.score_table` takes them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        # Missing or not text: no more is asked of such a cell, and some cannot be made Python objects (dates after 9999).
        return [None if missing else False for missing in pc.is_null(column, nan_is_null=True).to_pylist()]
    try:
        return list(column.to_pylist())
    except UnicodeDecodeError:
        # Spark lets any bytes stand in a string; what is not UTF-8 is read as Spark shows it.
        raw = column.cast(pa.large_binary() if pa.types.is_large_string(column.type) else pa.binary()).to_pylist()
        return [None if cell is None else cell.decode(errors="replace") for cell in raw]


@cache
def _plain(evidence: bool) -> pa.Schema:
    """Return the schema of the output columns without dictionaries."""
    import pyarrow as pa

    fields = output_columns(evidence)
    return pa.schema([(f.name, f.type.value_type if pa.types.is_dictionary(f.type) else f.type) for f in fields])


# ------------------------------------------------------------------------------------------------------------- the model
@lru_cache(maxsize=2)  # a long-lived worker may be asked for a second model, or for the next version of one
def _pipeline(model: str, expected: str) -> Pipeline:
    """Return the model, loaded once in a process; ``expected`` is what the driver found under that name, if it did."""
    import amends

    pipeline = amends.load(_folder(model))
    if expected and pipeline.model != expected:
        raise ModelError(
            f"an executor has {pipeline.model} as {model!r}, the driver has {expected}: one run would be scored by two models; "
            "give all machines the same amends and the same model"
        )
    return pipeline


def _identity(model: str | Path) -> str:
    """Return what the ``amends_model`` column will say, or nothing where ``model`` is a path that only executors may have."""
    from amends.batch.scoring import identity

    try:
        return str(identity(str(_folder(str(model)))))
    except ModelError:
        if isinstance(model, Path) or Path(model).name != model:
            return ""
        raise


def _folder(model: str) -> Path:
    """Return the folder of ``model``: a released model, a folder, or an archive that was given to Spark."""
    from amends.released import find

    try:
        return find(model)
    except ModelError:
        unpacked = _given_to_spark(model)
        if unpacked is None:
            raise
        return unpacked


def _given_to_spark(name: str) -> Path | None:
    """Return the folder of an archive given to Spark, here on the driver or on an executor."""
    try:
        from pyspark import SparkFiles

        folder = Path(SparkFiles.getRootDirectory()) / name
    except (ImportError, AssertionError):  # Spark Connect: the driver is elsewhere
        return None
    return folder if folder.is_dir() else None
