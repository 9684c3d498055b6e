"""A Spark job: score a folder of exports and write Parquet.

Run it: spark-submit examples/spark_job.py examples/complaints.csv scored --text complaint
As a stream that takes what is new in a folder and ends: add --stream (again later: only files that came since are scored).
"""

from __future__ import annotations

import argparse
from pathlib import PurePosixPath

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - Spark's own convention

from amends.integrations.spark import score

# An export's texts hold line breaks, and quotes are doubled: Spark expects neither unless told.
OPTIONS = {"header": "true", "multiLine": "true", "quote": '"', "escape": '"'}


def read(spark: SparkSession, source: str) -> DataFrame:
    """Read CSV, JSON lines or Parquet, told by the ending; a folder is taken for Parquet."""
    kind = {".csv": "csv", ".jsonl": "json", ".json": "json"}.get(PurePosixPath(source).suffix, "parquet")
    return spark.read.format(kind).options(**(OPTIONS if kind == "csv" else {})).load(source)


def batch(spark: SparkSession, source: str, target: str, text: str, model: str) -> None:
    tickets = read(spark, source)
    # Few large files make few partitions, and a partition is scored by one core.
    tickets = tickets.repartition(max(tickets.rdd.getNumPartitions(), spark.sparkContext.defaultParallelism))
    score(tickets, text=text, model=model).write.mode("overwrite").parquet(target)


def stream(spark: SparkSession, source: str, target: str, text: str, model: str) -> None:
    """Score the CSV files that came into the folder ``source`` since the last run."""
    columns = spark.read.options(**OPTIONS).csv(source).schema  # a stream wants its schema beforehand
    tickets = spark.readStream.schema(columns).options(**OPTIONS).csv(source)
    sink = score(tickets, text=text, model=model).writeStream.format("parquet").trigger(availableNow=True)
    sink.option("checkpointLocation", f"{target}/_checkpoint").start(f"{target}/rows").awaitTermination()


def summary(scored: DataFrame) -> DataFrame:
    """Count rows and rows to look at first, by status and recommended strategy."""
    by = scored.groupBy(F.col("amends_status").alias("status"), F.col("amends_strategy").alias("strategy"))
    return by.agg(F.count("*").alias("rows"), F.sum("amends_review").alias("review")).orderBy("status", "strategy")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("target")
    parser.add_argument("--text", default="narrative", help="the column that holds the complaints")
    parser.add_argument("--model", default="fast")
    parser.add_argument("--stream", action="store_true", help="SOURCE is a folder of CSV files")
    args = parser.parse_args()
    spark = SparkSession.builder.appName("amends").getOrCreate()
    (stream if args.stream else batch)(spark, args.source, args.target, args.text, args.model)
    summary(spark.read.parquet(f"{args.target}/rows" if args.stream else args.target)).show(50, truncate=False)
    spark.stop()


if __name__ == "__main__":
    main()
