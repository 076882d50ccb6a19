"""Two stacks in one account and region: a staging stack never alerts for production."""

from local.deployed_stack import deploy
from tests.e2e.conftest import House, wait_until
from tests.e2e.telemetry_lines import counted_for, metrics

DOUBTFUL = {"to": "3331234599", "text": "Dalla prova", "id": "staging-1"}


def alarm_of(stack, metric):
    """The alarm on one of our metrics that this stack has."""
    resources = stack.client("cloudformation").describe_stack_resources(StackName=stack.name)
    names = [
        one["PhysicalResourceId"]
        for one in resources["StackResources"]
        if one["ResourceType"] == "AWS::CloudWatch::Alarm"
    ]
    found = stack.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"]
    [alarm] = [one for one in found if one["MetricName"] == metric]
    return alarm


def test_what_one_stack_counts_alarms_for_that_stack_alone(house):
    production = house.stack
    staging = deploy(production.endpoint, house.gateway, "staging")
    before = counted_for(alarm_of(production, "Unknown"), metrics(production))
    house.gateway.fail_next(1, "cut_after", to="+393331234599")
    assert House(staging, house.gateway, None).call("POST", "/messages", DOUBTFUL)[0] == 504

    wait_until(lambda: counted_for(alarm_of(staging, "Unknown"), metrics(staging)) == 1)
    both = metrics(production) + metrics(staging)  # CloudWatch keeps them in one namespace
    assert counted_for(alarm_of(production, "Unknown"), both) == before
    assert counted_for(alarm_of(staging, "Unknown"), both) == 1
