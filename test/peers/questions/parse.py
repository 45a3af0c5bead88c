"""Parses SQL as dialects of sqlglot. stdin: [{"name", "sql", "dialects"}]; stdout: what did not parse, and why."""

import json
import sys

import sqlglot
from sqlglot import expressions

problems = []
for query in json.load(sys.stdin):
    for dialect in query["dialects"]:
        try:
            statements = sqlglot.parse(query["sql"], read=dialect, error_level=sqlglot.ErrorLevel.RAISE)
            if len(statements) != 1 or not isinstance(statements[0], expressions.Select):
                problems.append(f"{query['name']} is not one SELECT in {dialect}")
        except sqlglot.errors.SqlglotError as error:
            problems.append(f"{query['name']} in {dialect}: {error}")
json.dump(problems, sys.stdout)
