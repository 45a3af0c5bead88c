"""The rows of one Parquet file, written again by pyarrow with zstd.  python pyarrow_rewrite.py FROM TO [ROW_GROUP_SIZE]"""

import sys

import pyarrow.parquet as pq

source, target, *size = sys.argv[1:]
table = pq.ParquetFile(source).read()
pq.write_table(table, target, compression="zstd", **({"row_group_size": int(size[0])} if size else {}))
