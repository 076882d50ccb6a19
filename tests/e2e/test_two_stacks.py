"""Two stacks in one account and region: a staging stack never raises production's alarms."""

from local.deployed_stack import deploy
from tests.e2e.conftest import Deployment, wait_until
from tests.e2e.telemetry_lines import alarm_sum, metrics

METRIC = "UnknownMessages"  # published by the reconciler
UNKNOWN = {"to": "3331234599", "text": "Dalla prova", "id": "staging-1"}


def alarm_of(stack, metric):
    """This stack's alarm on a metric."""
    resources = stack.client("cloudformation").describe_stack_resources(StackName=stack.name)
    names = [
        one["PhysicalResourceId"]
        for one in resources["StackResources"]
        if one["ResourceType"] == "AWS::CloudWatch::Alarm"
    ]
    found = stack.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"]
    [alarm] = [one for one in found if one["MetricName"] == metric]
    return alarm


def test_what_one_stack_counts_alarms_for_that_stack_alone(deployment):
    production = deployment.stack
    staging = deploy(production.endpoint, deployment.gateway, "staging")
    deployment.gateway.fail_next(1, "cut_after", to="+393331234599")
    other = Deployment(staging, deployment.gateway, None, deployment.sources)
    assert other.call("POST", "/messages", UNKNOWN)[0] == 202

    staging.invoke("reconciler", {})
    wait_until(lambda: alarm_sum(alarm_of(staging, METRIC), metrics(staging)) >= 1)
    # CloudWatch keeps both stacks' metrics in one namespace: staging's count for no other alarm.
    assert alarm_sum(alarm_of(production, METRIC), metrics(staging)) == 0
