"""template.yaml as data, so that tables, queues and permissions in tests have one definition."""

from functools import cache
from pathlib import Path

import yaml

TEMPLATE = Path(__file__).resolve().parents[1] / "template.yaml"


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short tags: `!Ref X` as `{"Ref": "X"}`."""


def _tagged(loader, suffix, node):
    if isinstance(node, yaml.ScalarNode):
        return {suffix: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {suffix: loader.construct_sequence(node, deep=True)}
    return {suffix: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _tagged)


@cache
def template():
    return yaml.load(TEMPLATE.read_text(), _Loader)  # noqa: S506 - a SafeLoader with three more tags


def resource(name):
    return template()["Resources"][name]["Properties"]


def create_table(dynamodb, name="messages"):
    """Create the message table as the template describes it."""
    table = resource("MessageTable")
    wanted = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
    dynamodb.create_table(TableName=name, **{key: table[key] for key in wanted})
    return name
