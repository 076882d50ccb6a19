"""template.yaml as data, so that tables, queues and permissions in tests have one definition."""

from local.template import template


def resource(name):
    return template()["Resources"][name]["Properties"]


def create_table(dynamodb, name="messages"):
    """Create the message table as the template describes it."""
    table = resource("MessageTable")
    wanted = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
    dynamodb.create_table(TableName=name, **{key: table[key] for key in wanted})
    return name
