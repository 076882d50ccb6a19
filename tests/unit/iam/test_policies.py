"""The evaluator against the rules of the IAM user guide."""

import pytest

from tests.iam.policies import UnsupportedPolicy, Use, allowed, matches, rules

TABLE = "arn:aws:dynamodb:eu-south-1:123456789012:table/messages"
GET = Use("dynamodb:GetItem", TABLE)
PASSED = ("iam:PassedToService", "scheduler.amazonaws.com")


def policy(*statements):
    return rules({"Version": "2012-10-17", "Statement": list(statements)})


def statement(effect="Allow", action="dynamodb:GetItem", resource=TABLE, **more):
    return {"Effect": effect, "Action": action, "Resource": resource} | more


def test_what_no_statement_covers_is_denied():
    assert not allowed([], GET)
    assert not allowed(policy(statement(action="dynamodb:PutItem")), GET)
    assert not allowed(policy(statement(resource=f"{TABLE}/index/by_status")), GET)


def test_a_denial_overrides_every_permission_in_whatever_order():
    assert allowed(policy(statement()), GET)
    deny = statement(effect="Deny", action="dynamodb:*", resource="*")
    assert not allowed(policy(statement(), deny), GET)
    assert not allowed(policy(deny, statement()), GET)
    assert allowed(policy(statement(), statement(effect="Deny", resource=f"{TABLE}s")), GET)


def test_a_statement_may_have_one_or_several_actions_and_resources():
    several = statement(
        action=["dynamodb:PutItem", "dynamodb:GetItem"], resource=[f"{TABLE}-old", TABLE]
    )
    assert allowed(policy(several), GET)
    assert len(policy(several)) == 4
    assert allowed(rules({"Statement": statement()}), GET)  # without a list around it


@pytest.mark.parametrize(
    ("pattern", "value", "fits"),
    [
        ("*", "", True),
        ("dynamodb:*Item", "dynamodb:GetItem", True),
        ("dynamodb:*Item", "dynamodb:GetItems", False),
        ("dynamodb:Get", "dynamodb:GetItem", False),
        ("s?s:SendMessage", "sqs:SendMessage", True),
        ("sqs?:SendMessage", "sqs:SendMessage", False),
        ("arn:aws:sqs:*:queue", "arn:aws:sqs:eu-south-1:123456789012:queue", True),
        (f"{TABLE}/*", f"{TABLE}/index/by_status", True),
        (f"{TABLE}/*", TABLE, False),
        ("arn:aws:sqs:eu-south-1:1:a.b", "arn:aws:sqs:eu-south-1:1:a-b", False),
        ("[ab]", "a", False),
    ],
)
def test_wildcards_match_any_characters_and_nothing_else_does(pattern, value, fits):
    assert matches(pattern, value) is fits


def test_actions_have_no_case_and_resources_have():
    assert allowed(policy(statement(action="DynamoDB:getitem")), GET)
    assert not allowed(policy(statement(resource=TABLE.upper())), GET)


def test_a_condition_holds_for_the_value_that_comes_with_the_call():
    conditional = policy(
        statement(action="iam:PassRole", resource="*", Condition={"StringEquals": dict([PASSED])})
    )
    role = "arn:aws:iam::123456789012:role/r"
    assert allowed(conditional, Use("iam:PassRole", role, frozenset({PASSED})))
    assert not allowed(conditional, Use("iam:PassRole", role))
    other = frozenset({("iam:PassedToService", "lambda.amazonaws.com")})
    assert not allowed(conditional, Use("iam:PassRole", role, other))


@pytest.mark.parametrize(
    "strange",
    [
        {"Condition": {"StringLike": {"iam:PassedToService": "*.amazonaws.com"}}},
        {"Condition": {"StringEquals": {"iam:PassedToService": ["a", "b"]}}},
        {"Condition": {"StringEqualsIfExists": {"aws:SourceArn": "a"}}},
        {"Principal": "*"},
        {"NotAction": "iam:*"},
        {"NotResource": "*"},
        {"Effect": "allow"},
        {"Action": []},
        {"Resource": {"Ref": "MessageTable"}},
        {"Resource": "arn:aws:s3:::bucket/${aws:username}"},
    ],
)
def test_what_is_not_understood_is_refused_and_not_overlooked(strange):
    with pytest.raises(UnsupportedPolicy):
        policy(statement() | strange)


def test_a_statement_without_a_resource_is_refused():
    with pytest.raises(UnsupportedPolicy):
        policy({"Effect": "Allow", "Action": "dynamodb:GetItem"})
