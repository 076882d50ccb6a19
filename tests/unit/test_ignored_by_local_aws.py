"""Parts of the template that the local AWS accepts without evaluating them."""

import json
import re

import pytest

from tests.template import resource, template


@pytest.mark.parametrize("kind", ["DEFAULT_4XX", "DEFAULT_5XX"])
@pytest.mark.parametrize("message", ['Missing "Authentication" Token', "Limit Exceeded"])
def test_what_api_gateway_refuses_is_a_problem_document(kind, message):
    """It fills in two variables; the message's value includes its quotation marks."""
    answer = resource("Api")["GatewayResponses"][kind]
    values = {"messageString": json.dumps(message), "responseType": "THROTTLED"}
    text = answer["ResponseTemplates"]["application/json"]
    filled = re.sub(r"\$context\.error\.(\w+)", lambda found: values[found[1]], text)
    problem = json.loads(filled)
    assert (problem["title"], problem["detail"], problem["reason"]) == (
        message,
        message,
        "THROTTLED",
    )
    content_type = answer["ResponseParameters"]["Headers"]["Content-Type"]
    assert content_type == "'application/problem+json'"


def test_forms_with_files_arrive_as_bytes():
    """API Gateway would decode them as text otherwise, and their signature would be lost."""
    assert "multipart~1form-data" in resource("Api")["BinaryMediaTypes"]


def test_the_senders_concurrency_is_a_number_that_sqs_accepts():
    [name] = resource("SenderMessages")["ScalingConfig"]["MaximumConcurrency"].values()
    parameter = template()["Parameters"][name]
    assert parameter["Type"] == "Number"
    assert 2 <= parameter["MinValue"] <= parameter["Default"] <= parameter["MaxValue"] <= 1000


def test_the_dashboard_is_json_once_its_names_are_filled_in():
    [body] = resource("Dashboard")["DashboardBody"].values()
    assert json.loads(re.sub(r"\$\{[\w:.]+\}", "name", body))["widgets"]
