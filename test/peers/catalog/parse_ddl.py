"""What statements say, as sqlglot reads them: JSON {dialect, statements} on stdin, a list of findings on stdout."""
import json
import sys

import sqlglot
from sqlglot import exp


def columns(definitions, dialect):
    found = []
    for definition in definitions:
        comments = [c.kind.name for c in definition.args["constraints"] if isinstance(c.kind, exp.CommentColumnConstraint)]
        found.append({"name": definition.name, "type": definition.kind.sql("hive" if dialect == "athena" else dialect).lower(), "comments": comments})
    return found


def properties(create):
    return create.args["properties"].expressions if create.args.get("properties") else []


def table(create, dialect):
    schema = create.this
    assert isinstance(schema, exp.Schema), schema
    said = {"kind": "table", "name": schema.this.name, "database": schema.this.db, "parameters": {}}
    said["external"] = any(isinstance(one, exp.ExternalProperty) for one in properties(create))
    said["columns"] = columns(schema.expressions, dialect)
    said["partitions"] = []
    for one in properties(create):
        if isinstance(one, exp.PartitionedByProperty) and isinstance(one.this, exp.Schema):
            said["partitions"] = columns(one.this.expressions, dialect)
        elif isinstance(one, exp.PartitionedByProperty):
            names = [name.name for name in one.this.expressions]
            # Trino names columns of the table, and wants them to be its last ones.
            assert names == [column["name"] for column in said["columns"][-len(names):]], names
            said["partitions"] = said["columns"][-len(names):]
            said["columns"] = said["columns"][:-len(names)]
        elif isinstance(one, exp.FileFormatProperty):
            said["format"] = one.this.name.upper()
        elif isinstance(one, exp.SchemaCommentProperty):
            said["comment"] = one.this.name
        elif isinstance(one, exp.LocationProperty):
            said["location"] = one.this.name
        elif isinstance(one, exp.ExternalProperty):
            pass
        elif type(one) is exp.Property:
            said["parameters"][one.this.name] = one.args["value"].name
        else:
            raise AssertionError(repr(one))
    said["location"] = said.get("location") or said["parameters"].pop("external_location")
    return said


def view(create):
    return {
        "kind": "view",
        "name": create.this.name,
        "database": create.this.db,
        "replaces": create.args["replace"],
        "columns": create.expression.named_selects,
        "reads": sorted({one.name for one in create.expression.find_all(exp.Table)}),
        "sql": create.expression.sql("trino"),
    }


def said(statement, dialect):
    parsed = sqlglot.parse(statement, dialect=dialect)
    assert len(parsed) == 1, f"{len(parsed)} statements in one: {statement}"
    [one] = parsed
    if isinstance(one, exp.Create) and one.kind == "TABLE":
        return table(one, dialect)
    if isinstance(one, exp.Create) and one.kind == "VIEW":
        return view(one)
    return {"kind": "other", "statement": statement.split("\n")[0].split("(")[0]}


asked = json.load(sys.stdin)
json.dump([said(one, asked["dialect"]) for one in asked["statements"]], sys.stdout)
