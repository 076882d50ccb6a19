"""What the template promises: names, defaults, and who may do what."""

import json
import re

import pytest

from openvoip_sms.adapters.telemetry import NAMESPACE
from openvoip_sms.delivery.call import CALL_BUDGET
from openvoip_sms.rules.limits import STORED_WITHIN
from openvoip_sms.rules.transitions import LEASE, MAX_DELAY
from openvoip_sms.wiring.core import WORKERS
from openvoip_sms.wiring.settings import GATEWAY_URL, PUBLIC_URL
from tests.template import resource, template

# The outside relies on these names and defaults.
PARAMETERS = {
    "GatewayUrl": "https://www.openvoip.it/sms_send_soa.php",
    "PublicUrl": "",
    "ArchiveMessages": "true",
    "EncodeDestinationTwice": "false",
    "Mode": "test",
    "TestRecipients": "",
    "AllowedSenders": "",
    "AmbiguousOutcome": "hold",
    "AcceptedReplies": "",
    "MessageValidityHours": 24,
    "MaxSegments": 4,
    "DailySegmentLimit": 1000,
    "RecipientHourlyLimit": 5,
    "SegmentPriceEur": 0.09,
    "RetentionDays": 90,
    "StoreText": "true",
    "SenderConcurrency": 5,
    "AlertEmail": "",
    "Architecture": "arm64",
}
OUTPUTS = {
    "ApiUrl",
    "ApiKeyId",
    "MessageQueueUrl",
    "MessageQueueArn",
    "DeadLetterQueueUrl",
    "MessageTableName",
    "GatewaySecretArn",
    "WebhookSecretArn",
    "AlertTopicArn",
    "DashboardUrl",
}
FUNCTIONS = ("ApiFunction", "WebhooksFunction", "SenderFunction", "ReconcilerFunction")


def statements(function):
    policies = resource(function)["Policies"]
    return [one for policy in policies for one in policy.get("Statement", ())]


def actions(function):
    listed = (one["Action"] for one in statements(function))
    return {a for action in listed for a in (action if isinstance(action, list) else [action])}


def secrets_of(function):
    reads = "AWSSecretsManagerGetSecretValuePolicy"
    return [
        one[reads]["SecretArn"]["Ref"] for one in resource(function)["Policies"] if reads in one
    ]


def test_parameters_have_their_names_and_defaults():
    defaults = {name: one.get("Default") for name, one in template()["Parameters"].items()}
    assert defaults | PARAMETERS == defaults
    assert "Default" not in template()["Parameters"]["DefaultSender"]


def test_outputs_have_their_names():
    assert set(template()["Outputs"]) >= OUTPUTS


def test_only_api_and_sender_may_read_the_gateway_secret():
    readers = {name for name in FUNCTIONS if "GatewaySecret" in secrets_of(name)}
    assert readers == {"ApiFunction", "SenderFunction"}
    assert secrets_of("WebhooksFunction") == ["WebhookSecret"]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_has_no_wildcard_permission_and_deletes_no_record(function):
    assert all("*" not in action for action in actions(function))
    assert all(one["Resource"] != "*" for one in statements(function))
    assert not actions(function) & {"dynamodb:DeleteItem", "dynamodb:Scan"}


def test_every_function_has_its_log_group_with_a_retention():
    for function in FUNCTIONS:
        group = resource(resource(function)["LoggingConfig"]["LogGroup"]["Ref"])
        assert group["RetentionInDays"] == 30


def test_the_visibility_timeout_outlasts_the_lease_and_the_lease_outlasts_every_caller():
    longest = max(resource(name)["Timeout"] for name in ("ApiFunction", "SenderFunction"))
    assert longest < LEASE.total_seconds() <= resource("MessageQueue")["VisibilityTimeout"]


def test_two_calls_fit_into_the_sender_and_one_into_the_api():
    assert 2 * CALL_BUDGET.total_seconds() < resource("SenderFunction")["Timeout"]
    assert CALL_BUDGET.total_seconds() < resource("ApiFunction")["Timeout"]


def test_a_message_may_be_received_often_enough_for_the_longest_validity():
    """Seven days, at a quarter of an hour each, are 672 receives."""
    assert resource("MessageQueue")["RedrivePolicy"]["maxReceiveCount"] > 672


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://api.bottega.example.it", True),
        ("https://api.bottega.example.it/", True),
        ("https://api.bottega.example.it/sms/v1", True),
        ("https://localhost:8443/sms", True),
        ("http://api.bottega.example.it/sms", False),
        ("api.bottega.example.it", False),
        ("https://", False),
        ("https://api.bottega.example.it/sms?x=1", False),
        ("https://api.bottega.example.it/#x", False),
        ("https://user@api.bottega.example.it/", False),
        ("https://api.bottega.example.it/\nX: y", False),
    ],
)
def test_the_public_address_is_https_with_a_base_path_at_most(url, allowed):
    pattern = template()["Parameters"]["PublicUrl"]["AllowedPattern"]
    assert bool(re.fullmatch(pattern, url)) is allowed
    assert bool(PUBLIC_URL.fullmatch(url)) is allowed
    assert re.fullmatch(pattern, "")


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://pannello.openvoip.it/sms_send_soa.php", True),
        ("http://127.0.0.1:8080/sms_send_soa.php", True),
        ("http://host.docker.internal:8080/x", True),
        ("http://www.openvoip.it/sms_send_soa.php", False),
        ("http://127.0.0.1.evil.example/x", False),
        ("http://localhost@evil.example/", False),
        ("ftp://localhost/", False),
    ],
)
def test_the_gateway_is_called_over_https_or_on_this_machine(url, allowed):
    pattern = template()["Parameters"]["GatewayUrl"]["AllowedPattern"]
    assert bool(re.fullmatch(pattern, url)) is allowed
    assert bool(GATEWAY_URL.fullmatch(url)) is allowed


def test_the_alarm_about_doubts_says_how_a_reply_need_never_be_one_again():
    said = resource("UnknownAlarm")["AlarmDescription"]
    assert "gateway.reply" in said
    assert "AcceptedReplies" in said


@pytest.mark.parametrize(
    "metric",
    [
        "UnknownMessages",
        "Failed",
        "Expired",
        "Retried",
        "PausedHours",
        "ConfigurationErrors",
        "SourcesPaused",
        "WebhooksRefused",
        "UnhandledErrors",
        "UnreadableRecords",
    ],
)
def test_what_needs_a_person_has_its_alarm(metric):
    [alarm] = [one for one in alarms().values() if one["MetricName"] == metric]
    assert alarm["Namespace"] == NAMESPACE
    # All sources of this stack, and no other stack of the account.
    assert alarm["Dimensions"] == [{"Name": "stack", "Value": {"Ref": "AWS::StackName"}}]


def test_no_widget_shows_the_figures_of_another_stack():
    [body] = resource("Dashboard")["DashboardBody"].values()
    widgets = json.loads(body)["widgets"]
    first = [widget["properties"]["metrics"][0] for widget in widgets]
    ours = [metric for metric in first if metric[0] == NAMESPACE]
    assert len(ours) == 3
    assert all(metric[2:4] == ["stack", "${AWS::StackName}"] for metric in ours)


def test_an_outage_has_a_retry_in_each_period_that_its_alarm_evaluates():
    assert resource("RetryingAlarm")["Period"] >= MAX_DELAY


def test_shopify_events_are_opted_into_by_name_tried_three_times_and_then_dead_lettered():
    wanted = ("ShopifyEventBus", "ShopifyRule", "ShopifyMayInvoke")
    assert {template()["Resources"][name]["Condition"] for name in wanted} == {"HasShopifyEvents"}
    assert template()["Parameters"]["ShopifyEventSourceName"]["Default"] == ""
    dead_letters = {"GetAtt": "DeadLetterQueue.Arn"}
    [target] = resource("ShopifyRule")["Targets"]
    assert target["DeadLetterConfig"] == {"Arn": dead_letters}  # Lambda did not accept it
    failed = resource("WebhooksFunction")[
        "EventInvokeConfig"
    ]  # Lambda accepted it, and the function failed
    assert failed["MaximumRetryAttempts"] == 2
    assert failed["DestinationConfig"]["OnFailure"] == {"Type": "SQS", "Destination": dead_letters}


def test_a_text_is_claimed_for_longer_than_its_webhook_can_run():
    assert resource("WebhooksFunction")["Timeout"] < STORED_WITHIN.total_seconds()


def alarms():
    every = template()["Resources"].items()
    return {name: one["Properties"] for name, one in every if one["Type"].endswith("::Alarm")}


def silent_alarms():
    """The names of alarms that would notify nobody."""
    topic = [{"Ref": "AlertTopic"}]
    return {
        name
        for name, alarm in alarms().items()
        if alarm["AlarmActions"] != topic or alarm.get("ActionsEnabled", True) is not True
    }


def test_every_alarm_says_what_to_do_and_reaches_the_topic():
    assert len(alarms()) >= 6
    assert all(len(alarm["AlarmDescription"]) > 40 for alarm in alarms().values())
    assert silent_alarms() == set()


@pytest.mark.parametrize(
    ("name", "value"),
    [("ActionsEnabled", False), ("ActionsEnabled", "false"), ("AlarmActions", [])],
)
def test_an_alarm_that_notifies_nobody_is_detected(monkeypatch, name, value):
    monkeypatch.setitem(resource("UnknownAlarm"), name, value)
    assert silent_alarms() == {"UnknownAlarm"}


def test_a_statement_about_a_queue_names_one_queue_that_its_policy_is_for():
    """SQS developer guide: "don't include statements that cover different queues"."""
    found = [r for r in template()["Resources"].values() if r["Type"].endswith("::QueuePolicy")]
    for policy in (one["Properties"] for one in found):
        [queue] = policy["Queues"]
        named = [one["Resource"] for one in all_statements(policy["PolicyDocument"])]
        assert named == [{"GetAtt": f"{queue['Ref']}.Arn"}] * len(named)


def all_statements(document):
    """Those under a condition too."""
    return [one["If"][1] if "If" in one else one for one in document["Statement"]]


def test_of_eventbridge_only_the_rule_for_shopify_may_use_the_dead_letter_queue():
    policy = resource("DeadLetterQueuePolicy")["PolicyDocument"]
    condition, allow, otherwise = policy["Statement"][-1]["If"]
    assert (condition, otherwise) == ("HasShopifyEvents", {"Ref": "AWS::NoValue"})
    rule = {"ArnEquals": {"aws:SourceArn": {"GetAtt": "ShopifyRule.Arn"}}}
    assert (allow["Effect"], allow["Condition"]) == ("Allow", rule)
    assert [one["Effect"] for one in policy["Statement"][:-1]] == ["Deny"]


def test_only_schedules_of_the_stacks_own_group_may_use_the_role_that_queues():
    """EventBridge Scheduler user guide: the source is the group, never a single schedule."""
    [trust] = resource("ScheduleRole")["AssumeRolePolicyDocument"]["Statement"]
    ours = {
        "aws:SourceAccount": {"Ref": "AWS::AccountId"},
        "aws:SourceArn": {"GetAtt": "ScheduleGroup.Arn"},
    }
    assert trust["Condition"] == {"StringEquals": ours}


def test_the_sender_receives_batches_of_ten_and_returns_what_failed():
    mapping = resource("SenderMessages")
    assert mapping["FunctionName"] == {"Ref": "SenderFunction"}
    assert mapping["EventSourceArn"] == {"GetAtt": "MessageQueue.Arn"}
    assert mapping["BatchSize"] == WORKERS
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": {"Ref": "SenderConcurrency"}}


def test_two_stacks_fit_into_one_account():
    """SAM would call every stack's schedule by the event's name."""
    assert resource("ReconcilerFunction")["Events"]["EveryFiveMinutes"]["Properties"]["OmitName"]
    assert resource("ScheduleGroup")["Name"] == {"Sub": "${AWS::StackName}-messages"}


def test_the_api_has_one_stage_and_a_regional_endpoint():
    """SAM adds a stage named Stage, without limits, to an API without this version."""
    assert resource("Api")["OpenApiVersion"] == "2.0"
    assert resource("Api")["EndpointConfiguration"] == {"Type": "REGIONAL"}
