"""One promise around the openvoip SMS gateway: never twice, never lost, never silent."""

__version__ = "0.1.0"
