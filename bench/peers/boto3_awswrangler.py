"""boto3, then awswrangler: a data frame to a dataset on S3.  python boto3_awswrangler.py s3://BUCKET/PREFIX REGION…"""

import sys

import awswrangler as wr
import pandas as pd

from copy_jobs import SCHEMA, SORT, read

path, *regions = sys.argv[1:]
frames = read(regions, lambda rows: pd.DataFrame(rows, columns=SCHEMA.names))
frame = pd.concat(frames, ignore_index=True)
del frames
for time in ("creation_time", "completion_time"):
    frame[time] = pd.to_datetime(frame[time], utc=True).dt.tz_localize(None)
frame = frame.sort_values(SORT)
numbers = {field.name: "bigint" for field in SCHEMA if str(field.type) == "int64"}
flags = {field.name: "boolean" for field in SCHEMA if str(field.type) == "bool"}
texts = {field.name: "string" for field in SCHEMA if str(field.type) == "string"}
wr.s3.to_parquet(
    frame,
    path=path,
    dataset=True,
    partition_cols=["creation_date"],
    compression="zstd",
    dtype=numbers | flags | texts,
    mode="overwrite_partitions",
)
print(len(frame))
