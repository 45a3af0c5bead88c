"""Reads Parquet files with pyarrow, one JSON line a file: rows (times in epoch milliseconds), types, metadata,
and how many rows each of the filters given finds when pyarrow prunes by statistics."""

import json
import sys

import pyarrow as pa
import pyarrow.parquet as pq

for request in json.load(sys.stdin):
    file = pq.ParquetFile(request["file"])
    table = file.read()
    columns = {}
    for field in table.schema:
        column = table.column(field.name)
        if pa.types.is_timestamp(field.type):
            assert field.type.unit == "ms" and field.type.tz is None, field
            column = column.cast(pa.int64())
        columns[field.name] = column.to_pylist()
    found = [
        pq.read_table(request["file"], filters=[(name, "=", value)]).num_rows
        for name, value in request.get("filters", [])
    ]
    print(
        json.dumps(
            {
                "rows": [dict(zip(columns, values)) for values in zip(*columns.values())],
                "types": {
                    field.name: "timestamp" if pa.types.is_timestamp(field.type) else str(field.type)
                    for field in table.schema
                },
                "nullable": all(field.nullable for field in table.schema),
                "metadata": {
                    key.decode(): value.decode()
                    for key, value in (file.metadata.metadata or {}).items()
                    if key != b"ARROW:schema"
                },
                "row_groups": file.num_row_groups,
                "found": found,
            }
        )
    )
