"""Holds a task definition against botocore's model of ECS RegisterTaskDefinition; prints what is wrong with it."""

import json
import sys

import botocore.session
from botocore.validate import ParamValidator

service = botocore.session.get_session().get_service_model("ecs")
shape = service.operation_model("RegisterTaskDefinition").input_shape
with open(sys.argv[1]) as file:
    print(ParamValidator().validate(json.load(file), shape).generate_report(), end="")
