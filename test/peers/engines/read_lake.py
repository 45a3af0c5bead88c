"""Reads tables of a lake as people read them: each reader over all parts at once, without being told a schema.
Prints, for each table and reader, the type of its times, and every row's key and time in epoch milliseconds."""

import json
import sys

import awswrangler as wr
import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds

request = json.load(sys.stdin)
wr.config.s3_endpoint_url = request["endpoint"]
# What is neither local nor UTC where nobody expects it.
zone = "Asia/Kathmandu"


def of_pandas(frame, key, time):
    times = frame[time].astype("datetime64[ms]").astype("int64")
    return str(frame[time].dtype), list(zip(frame[key], times.tolist()))


def of_arrow(table, key, time):
    times = table.column(time).cast(pa.timestamp("ms")).cast(pa.int64())
    return str(table.column(time).type), list(zip(table.column(key).to_pylist(), times.to_pylist()))


def of_polars(frame, key, time):
    return str(frame.schema[time]), list(zip(frame[key].to_list(), frame[time].dt.epoch("ms").to_list()))


def of_duckdb(folder, key, time):
    connection = duckdb.connect()
    connection.execute(f"SET TimeZone = '{zone}'")
    rows = connection.execute(
        f"""SELECT typeof({time}), {key}, date_diff('millisecond', TIMESTAMP '1970-01-01', {time}::TIMESTAMP)
        FROM read_parquet('{folder}/**/*.parquet', hive_partitioning = true, union_by_name = true)"""
    ).fetchall()
    return rows[0][0], [row[1:] for row in rows]


for table, key, time in request["tables"]:
    folder = f"{request['folder']}/{table}"
    answers = {
        "pyarrow": of_arrow(ds.dataset(folder, partitioning="hive").to_table(), key, time),
        "pandas": of_pandas(pd.read_parquet(folder), key, time),
        "aws-sdk-pandas": of_pandas(
            wr.s3.read_parquet(f"{request['url']}/{table}/", dataset=True, validate_schema=True), key, time
        ),
        "polars": of_polars(
            pl.scan_parquet(f"{folder}/**/*.parquet", hive_partitioning=True).collect(), key, time
        ),
        "duckdb": of_duckdb(folder, key, time),
    }
    for reader, (type_of_times, rows) in answers.items():
        print(json.dumps({"table": table, "reader": reader, "type": type_of_times, "rows": rows}))
