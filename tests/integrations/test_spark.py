"""Scoring on a real local Spark says what `score_frame` says, row by row."""

import datetime as dt
import decimal
import importlib.util
import json
import math
import os
import shutil
import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

import amends
from amends.columns import schema
from amends.released import find

pytest.importorskip("pyspark")

from pyspark.errors import PythonException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.types import ByteType, DoubleType, StringType

from amends.integrations import spark as integration
from amends.integrations.spark import score

pytestmark = [pytest.mark.spark, pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")]

TEXTS = [
    "My card was charged twice for the same train ticket and I want the second payment back.",
    "Third time this month the bus did not come. I called, emailed, and nobody answers. Never again!",
    "Someone opened an account in my name and took $4,000, please freeze it.",
    "Thank you so much, the staff were lovely!",
]
HOSTILE = [
    None, "", "   ", "\u200b", "\x00", "😡😡😡", "12345", "<script>alert('late parcel')</script>", "late\u202e parcel never came",
    "=cmd|'/c calc'!A1 refund my order now please", "late\x00again, the parcel never came", "z" * 50_000, "late again. " * 9_000,
    "a\nb\r\nc\td the order never came", "El pedido llegó roto y nadie responde a mis mensajes", "退款一直没有收到", "cafe\u0301 order was cold 😡 again",
]  # fmt: skip


@pytest.fixture(scope="session")
def spark():
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("no Java")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        settings = {
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.sql.shuffle.partitions": "2",
            "spark.sql.session.timeZone": "UTC",
        }
        session = SparkSession.builder.master("local[2]").appName("tests").config(map=settings).getOrCreate()
        session.sparkContext.setLogLevel("OFF")
        yield session
        session.stop()


@pytest.fixture
def conf(spark):
    """Set session options for one test."""
    before = {}

    def put(name, value):
        before.setdefault(name, spark.conf.get(name))
        spark.conf.set(name, value)

    yield put
    for name, value in before.items():
        spark.conf.set(name, value)


def cells(rows):
    """Rows as comparable dictionaries: NaN, which pandas has for a missing value, as None."""
    return [{k: None if isinstance(v, float) and math.isnan(v) else v for k, v in row.items()} for row in rows]


def expected(pipeline, frame, evidence=True):
    return cells(pipeline.score_frame(frame, text="narrative", evidence=evidence).astype(object).to_dict("records"))


def collected(df):
    return sorted(cells(row.asDict() for row in df.collect()), key=lambda row: row["id"])


def tickets(spark, texts, partitions=1):
    return spark.createDataFrame(list(enumerate(texts)), "id int, narrative string").repartition(partitions)


# ------------------------------------------------------------------------------------------------------------ the same rows
@pytest.mark.parametrize("evidence", [True, False])
def test_equal_to_score_frame_row_by_row(spark, conf, pipeline, evidence):
    conf("spark.sql.execution.arrow.maxRecordsPerBatch", "4")
    texts = TEXTS + HOSTILE + TEXTS
    scored = score(tickets(spark, texts, 5), evidence=evidence)
    assert scored.rdd.getNumPartitions() == 5
    frame = pd.DataFrame({"id": range(len(texts)), "narrative": pd.Series(texts, dtype=object)})
    assert collected(scored) == expected(pipeline, frame, evidence)


def test_large_batches_come_back_in_pieces(pipeline, monkeypatch):
    monkeypatch.setattr(integration, "ROWS", 3)
    batch = pa.RecordBatch.from_pydict({"0": range(8), "1": TEXTS * 2})
    pieces = list(integration._scorer(1, "fast", pipeline.model, evidence=True)(iter([batch.slice(0, 0), batch])))
    assert [piece.num_rows for piece in pieces] == [3, 3, 2]
    assert pa.Table.from_batches(pieces).select(schema().names).to_pylist() == pipeline.score_table(TEXTS * 2).to_pylist()


def test_empty_frames_and_partitions(spark):
    assert score(tickets(spark, [])).collect() == []
    assert score(tickets(spark, TEXTS[:1], 4)).count() == 1


def test_large_arrow_types(spark, conf, pipeline):
    conf("spark.sql.execution.arrow.useLargeVarTypes", "true")
    frame = pd.DataFrame({"id": range(4), "narrative": TEXTS})
    assert collected(score(tickets(spark, TEXTS))) == expected(pipeline, frame)


def test_the_contracts_columns_in_the_contracts_order(spark):
    scored = score(tickets(spark, TEXTS)).schema
    assert scored.names == ["id", "narrative", *schema().names]
    kinds = {"int8": ByteType(), "double": DoubleType()}
    for field in schema():
        assert scored[field.name].dataType == kinds.get(str(field.type), StringType())
        assert scored[field.name].nullable
    assert "amends_evidence" not in score(tickets(spark, TEXTS), evidence=False).columns


def test_nothing_runs_until_the_result_is_used(spark):
    broken = tickets(spark, TEXTS).withColumn("narrative", F.raise_error(F.lit("was run")))
    scored = score(broken)
    with pytest.raises(Exception, match="was run"):
        scored.collect()


# ------------------------------------------------------------------------------------------------------- the input columns
def test_input_columns_of_any_name_and_type_are_unchanged(spark):
    df = spark.sql("""
        select 'The order never came' narrative, 'x' `a.b`, 'y' `tick``et`, 1 twice, 2 twice, 'z' `Sub-issue?`, null nothing,
          cast(1 as tinyint) t, 9223372036854775807 l, cast(1.5 as float) f, cast('NaN' as double) nan, 1.10BD dec, true yes,
          x'00ff' bytes, date'0001-01-01' d, date'9999-12-31' d9, timestamp'2026-03-08 01:30:00.123456' ts,
          timestamp_ntz'1677-01-01 00:00:00' ntz, array(1, null) list, map('k', array('v')) map, named_struct('a', 1, 'b', 'x') struct,
          interval '1 02:03:04.5' day to second span
    """)
    scored = score(df)
    assert scored.schema.fields[: len(df.columns)] == df.schema.fields
    row, before = scored.collect()[0], df.collect()[0]
    assert row["amends_status"] == "ok"
    assert all(a == b or (a != a and b != b) for a, b in zip(row[: len(before)], before, strict=True))
    assert row["dec"] == decimal.Decimal("1.10")
    assert row["ts"] == dt.datetime(2026, 3, 8, 1, 30, 0, 123456)  # noqa: DTZ001 - as Spark gives it


def test_metadata_and_nullability_are_kept(spark):
    df = spark.range(1).select("id", F.lit("late again").alias("narrative", metadata={"source": "crm"}))
    scored = score(df).schema
    assert scored["narrative"].metadata == {"source": "crm"}
    assert not scored["id"].nullable


@pytest.mark.parametrize(("sql", "status"), [
    ("7", "not_text"), ("cast('NaN' as double)", "empty"), ("cast(null as int)", "empty"), ("cast(null as void)", "empty"),
    ("x'6c617465'", "not_text"), ("array('late')", "not_text"), ("named_struct('a', 'late')", "not_text"), ("map('a', 'b')", "not_text"),
    ("true", "not_text"), ("timestamp'9999-12-31 23:59:59'", "not_text"), ("cast(null as binary)", "empty"),
])  # fmt: skip
def test_cells_that_are_no_text(spark, sql, status):
    row = score(spark.sql(f"select {sql} narrative")).collect()[0]
    assert row["amends_status"] == status
    assert all(row[name] is None for name in schema().names[1:])


def test_bytes_that_are_not_utf8(spark, pipeline):
    df = spark.sql("select cast(x'6c61746520616761696e2c206e6f20ff20726566756e64' as string) narrative")
    row = score(df).withColumn("narrative", F.hex("narrative")).collect()[0].asDict()
    assert row.pop("narrative") == "6C61746520616761696E2C206E6F20FF20726566756E64"
    assert row == pipeline.score_table(["late again, no \ufffd refund"]).to_pylist()[0]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()], ids=str)
def test_bytes_that_are_not_utf8_beside_a_missing_cell(kind):
    raw = pa.large_binary() if kind == pa.large_string() else pa.binary()
    column = pa.array([b"late \xff", None], raw).view(kind)
    assert integration._texts(column) == ["late \ufffd", None]


def test_frames_that_cannot_be_scored(spark):
    df = tickets(spark, TEXTS)
    with pytest.raises(amends.InputError, match="no column 'text'; it has id, narrative"):
        score(df, text="text")
    with pytest.raises(amends.InputError, match="more than one column 'narrative'"):
        score(df.select("narrative", "narrative"))
    with pytest.raises(amends.InputError, match=r"already has AMENDS_status, amends_x\.y: overwrite=True"):
        score(df.withColumns({"AMENDS_status": F.lit(1), "amends_x.y": F.lit(1)}))
    with pytest.raises(amends.InputError, match=r"cannot hand age \(interval year to month\) to Python"):
        score(df.withColumn("age", F.expr("interval '1-2' year to month")))
    with pytest.raises(amends.UsageError, match=r"pandas.*score_frame"):
        score(pd.DataFrame({"narrative": TEXTS}))


def test_columns_of_an_earlier_run_are_replaced(spark, pipeline):
    earlier = score(tickets(spark, TEXTS), evidence=False).withColumn("amends_x.y", F.lit(1))
    again = score(earlier, overwrite=True)
    assert again.columns == ["id", "narrative", *schema().names]
    assert collected(again) == expected(pipeline, pd.DataFrame({"id": range(4), "narrative": TEXTS}))
    with pytest.raises(amends.InputError, match=r"no column 'amends_x\.y'"):
        score(earlier, text="amends_x.y", overwrite=True)


# --------------------------------------------------------------------------------------------------------------- the model
def test_a_model_is_loaded_once_a_process(spark):
    for _ in range(2):
        score(tickets(spark, TEXTS * 4, 4)).collect()

    def seen(batches):
        info = integration._pipeline.cache_info()
        for _ in batches:
            yield pa.RecordBatch.from_pydict({"pid": [os.getpid()], "misses": [info.misses], "hits": [info.hits]})

    # Asked the same way, as Spark keeps other processes for other kinds of functions.
    found = tickets(spark, TEXTS * 4, 4).mapInArrow(seen, "pid long, misses long, hits long").collect()
    assert max(row.misses for row in found) == 1
    assert max(row.hits for row in found) > 1


def test_unknown_names_fail_at_once_and_unknown_paths_where_the_rows_are(spark, tmp_path):
    with pytest.raises(amends.ModelError, match="no model 'fsat'"):
        score(tickets(spark, TEXTS), model="fsat")
    elsewhere = score(tickets(spark, TEXTS), model=tmp_path / "elsewhere")
    with pytest.raises(PythonException, match="ModelError: no model"):
        elsewhere.collect()


def test_a_model_of_ones_own_as_an_archive(spark, pipeline, tmp_path):
    packed = shutil.make_archive(str(tmp_path / "ours"), "zip", find("fast"))
    spark.sparkContext.addArchive(f"{packed}#ours")
    rows = score(tickets(spark, TEXTS), model="ours").collect()
    assert {row["amends_model"] for row in rows} == {pipeline.model}


def test_a_model_that_is_another_on_an_executor(spark, tmp_path):
    folder = tmp_path / "ours"
    shutil.copytree(find("fast"), folder)
    scored = score(tickets(spark, TEXTS), model=folder)
    manifest = folder / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"version": "9.9.9"}))
    with pytest.raises(PythonException, match=r"an executor has .*-9\.9\.9\+.* the driver has "):
        scored.collect()
    assert score(tickets(spark, TEXTS), model=folder).first()["amends_model"].startswith("fast-9.9.9+")


# --------------------------------------------------------------------------------------------------------------- streaming
def test_a_stream_of_files(spark, pipeline, tmp_path):
    texts = [text for text in TEXTS + HOSTILE if text is None or len(text) < 1000]
    frame = pd.DataFrame({"id": range(len(texts)), "narrative": pd.Series(texts, dtype=object)})
    source, half = tmp_path / "in", len(texts) // 2
    source.mkdir()
    query = None
    for start, rows in ((0, frame[:half]), (1, frame[half:])):
        lines = [json.dumps({"id": int(row.id), "narrative": row.narrative}) for row in rows.itertuples()]
        (source / f"{start}.json").write_text("\n".join(lines), encoding="utf-8")
        if query is None:
            scored = score(spark.readStream.schema("id int, narrative string").json(str(source)))
            assert scored.isStreaming
            query = scored.writeStream.format("memory").queryName("scored").start()
        query.processAllAvailable()
    query.stop()
    assert collected(spark.table("scored")) == expected(pipeline, frame)


def test_a_watermark_lasts(spark):
    rows = spark.readStream.format("rate").load().withWatermark("timestamp", "1 minute")
    scored = score(rows.withColumn("narrative", F.lit("late again")))
    counted = scored.groupBy(F.window("timestamp", "1 minute"), "amends_strategy").count()
    query = counted.writeStream.format("memory").queryName("counted").outputMode("append").trigger(availableNow=True)
    query.start().awaitTermination(60)


def test_the_example(spark, tmp_path):
    root = Path(__file__).resolve().parents[2] / "examples"
    spec = importlib.util.spec_from_file_location("spark_job", root / "spark_job.py")
    job = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(job)
    job.batch(spark, str(root / "complaints.csv"), str(tmp_path / "batch"), "complaint", "fast")
    (tmp_path / "in").mkdir()
    shutil.copy(root / "complaints.csv", tmp_path / "in")
    job.stream(spark, str(tmp_path / "in"), str(tmp_path / "stream"), "complaint", "fast")
    batch, stream = (spark.read.parquet(str(tmp_path / name)) for name in ("batch", "stream/rows"))
    count = len(pd.read_csv(root / "complaints.csv"))
    assert batch.count() == stream.count() == count
    assert batch.exceptAll(stream).count() == 0
    assert sum(row["rows"] for row in job.summary(batch).collect()) == count
