"""boto3, then pyarrow: one sorted dataset, one folder a day, zstd.  python boto3_pyarrow.py FOLDER REGION…"""

import sys

import pyarrow as pa
import pyarrow.dataset as ds

from copy_jobs import SCHEMA, SORT, read

folder, *regions = sys.argv[1:]
# A table for each target as soon as it is read: its rows as Python objects are gone before the next one.
table = pa.concat_tables(read(regions, lambda rows: pa.Table.from_pylist(rows, schema=SCHEMA)))
table = table.sort_by([(name, "ascending") for name in SORT])
parquet = ds.ParquetFileFormat()
ds.write_dataset(
    table,
    folder,
    format=parquet,
    file_options=parquet.make_write_options(compression="zstd"),
    partitioning=ds.partitioning(pa.schema([("creation_date", pa.string())]), flavor="hive"),
    preserve_order=True,
    existing_data_behavior="delete_matching",
)
print(table.num_rows)
