"""The metrics in the log lines of the deployed functions."""

import json
from collections import Counter


def metrics(stack):
    """Sum the values of each metric by name and dimensions, over all functions of the stack."""
    summed = Counter()
    for line in lines(stack):
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", ()):
            for names in directive["Dimensions"]:
                dimensions = frozenset((name, line[name]) for name in names)
                for metric in directive["Metrics"]:
                    key = directive["Namespace"], metric["Name"], dimensions
                    summed[key] += sum(line[metric["Name"]])
    return summed


def lines(stack):
    """The JSON lines in the log groups of the stack's functions."""
    logs, functions = stack.client("logs"), stack.client("lambda")
    for function in stack.functions.values():
        configuration = functions.get_function_configuration(FunctionName=function)
        group = configuration["LoggingConfig"]["LogGroup"]
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group):
            yield from filter(None, (_json(event["message"]) for event in page["events"]))


def _json(text):
    try:
        document = json.loads(text)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def alarm_sum(alarm, summed):
    """The sum that an alarm would evaluate."""
    dimensions = frozenset((one["Name"], one["Value"]) for one in alarm["Dimensions"])
    return summed[alarm["Namespace"], alarm["MetricName"], dimensions]
