"""Holds requests against botocore's model of QuickSight, the service's published API; prints what is wrong, a line each.

The file named by the argument holds a JSON list of {"name", "operation", "input"}. botocore's own validation knows
names, types, what is required and what is too short; the rest of what the model says (what is too long, patterns,
enumerations, unions with more than one member) is looked up here.
"""

import json
import re
import sys

import botocore.session
from botocore.validate import ParamValidator

service = botocore.session.get_session().get_service_model("quicksight")


def beyond_validation(value, shape, path):
    if shape.type_name == "structure" and isinstance(value, dict):
        # The model has its unions in words only.
        if "only one of the attributes" in shape.documentation and len(value) != 1:
            yield f"{path}: one of {', '.join(shape.members)}, not {len(value)} of them"
        for name, inner in value.items():
            if name in shape.members:
                yield from beyond_validation(inner, shape.members[name], f"{path}.{name}")
    elif shape.type_name == "list" and isinstance(value, list):
        yield from too_large(len(value), shape, path)
        for index, inner in enumerate(value):
            yield from beyond_validation(inner, shape.member, f"{path}[{index}]")
    elif shape.type_name == "map" and isinstance(value, dict):
        yield from too_large(len(value), shape, path)
        for key, inner in value.items():
            yield from beyond_validation(key, shape.key, f"{path} (key)")
            yield from beyond_validation(inner, shape.value, f"{path}.{key}")
    elif shape.type_name == "string" and isinstance(value, str):
        yield from too_large(len(value), shape, path)
        if shape.enum and value not in shape.enum:
            yield f"{path}: {value} is none of {', '.join(shape.enum)}"
        pattern = shape.metadata.get("pattern")
        if pattern and not re.fullmatch(re.sub(r"\\p\{\w+\}", r"\\w", pattern), value):
            yield f"{path}: {value} is not of the form {pattern}"
    elif shape.type_name in ("integer", "long", "double", "float"):
        yield from too_large(value, shape, path)


def too_large(size, shape, path):
    if "max" in shape.metadata and size > shape.metadata["max"]:
        yield f"{path}: {size} is above {shape.metadata['max']}"


with open(sys.argv[1]) as file:
    requests = json.load(file)
for request in requests:
    shape = service.operation_model(request["operation"]).input_shape
    report = ParamValidator().validate(request["input"], shape).generate_report()
    problems = [*report.splitlines(), *beyond_validation(request["input"], shape, "")]
    for problem in problems:
        print(f"{request['name']}: {problem}")
