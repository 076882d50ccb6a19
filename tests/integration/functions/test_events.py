"""Every event of the folder `events` is one that its function accepts."""

import json

import pytest

from tests.functions import ROOT, context, load

EVENTS = sorted((ROOT / "events").glob("*.json"))
FUNCTIONS = {"webhook": "webhooks"}  # others are named in the file's first word


def accepted(function, result):
    """Whether the result asks for no retry."""
    if function == "sender":
        return result["batchItemFailures"] == []
    return result.get("statusCode", 200) < 300


@pytest.mark.usefixtures("service")
@pytest.mark.parametrize("file", EVENTS, ids=lambda file: file.stem)
def test_its_function_accepts_the_event(file):
    first = file.stem.split("_")[0]
    function = FUNCTIONS.get(first, first)
    app = load(function)
    assert accepted(function, app.handler(json.loads(file.read_text("utf-8")), context()))
    if function == "sender":
        app.workers.shutdown()


@pytest.fixture
def service(deploy):
    return deploy()
