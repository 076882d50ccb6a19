"""What AWS would refuse and the local AWS does not: calls that no policy allows.

Every call that a function has made since the deployment is checked against the function's own role.
Every permission of a role is checked against these calls, and against what AWS does with it.
"""

from dataclasses import dataclass, replace

import pytest

from tests.e2e.every_path import take_every_path
from tests.e2e.roles import name_of, roles, uses_by_aws
from tests.iam.audit import NEVER_USED, WIDER, excess, refused
from tests.iam.policies import Rule, Use

BASIC = "SAM gives AWSLambdaBasicExecutionRole to each role that it makes for a function"
BY_ID = "a schedule's name is made from its message's id; the group holds no other schedules"
OF_SAM = (
    "SAM makes this role, without a condition; it may only start the reconciler, at worst twice"
)
FUNCTION_ROLES = (
    "ApiFunctionRole",
    "WebhooksFunctionRole",
    "SenderFunctionRole",
    "ReconcilerFunctionRole",
)
SCHEDULES = "schedule/openvoip-sms-messages/*"

# What a role allows beyond its uses, in what way, and why.
EXCEPTIONS = {
    **{
        (role, f"logs:{action}", "*"): (way, BASIC)
        for role in FUNCTION_ROLES
        for action, way in (
            ("CreateLogGroup", NEVER_USED),  # the template makes the groups
            ("CreateLogStream", WIDER),
            ("PutLogEvents", WIDER),
        )
    },
    **{(role, "scheduler:CreateSchedule", SCHEDULES): (WIDER, BY_ID) for role in FUNCTION_ROLES},
    ("ApiFunctionRole", "scheduler:DeleteSchedule", SCHEDULES): (WIDER, BY_ID),
    ("ReconcilerFunctionEveryFiveMinutesRole", "sts:AssumeRole", "scheduler.amazonaws.com"): (
        WIDER,
        OF_SAM,
    ),
}

# Used only when it hands over faster than the sender sends (tests/unit/delivery/test_wake.py),
# which a slow machine does not.
SOMETIMES = ("ReconcilerFunctionRole", "sqs:GetQueueAttributes")


@dataclass(frozen=True)
class Role:
    """One of the deployed stack, by its name in the template; `uses` are what was done with it."""

    name: str
    rules: frozenset[Rule]
    uses: frozenset[Use]

    def refused(self):
        return refused(self.rules, self.uses)

    def excess(self):
        return {
            (self.name, rule.action, rule.resource.rpartition(":")[2]): way
            for rule, way in excess(self.rules, self.uses).items()
        }

    def without(self, rule):
        return replace(self, rules=self.rules - {rule})

    def with_one_more(self, rule):
        return replace(self, rules=self.rules | {rule})


@pytest.fixture(scope="module")
def used_roles(_deployment):
    """Return every role after every path was taken, so that these tests need no others."""
    take_every_path(_deployment)
    stack, uses = _deployment.stack, uses_by_aws(_deployment.stack)
    for name, function in stack.functions.items():
        found = stack.client("lambda").get_function_configuration(FunctionName=function)
        uses[found["Role"]] |= _deployment.recorder.uses[name]
    return [
        Role(name_of(arn), frozenset(rules), frozenset(uses[arn]))
        for arn, rules in roles(stack).items()
    ]


def test_every_call_is_understood_and_comes_from_a_function_of_the_stack(deployment, used_roles):
    assert deployment.recorder.unread == set()
    assert deployment.recorder.uses.keys() == deployment.stack.functions.keys()
    assert [role.name for role in used_roles if not role.uses] == []


def test_every_call_made_with_a_role_is_allowed_by_it(used_roles):
    assert {
        (role.name, use.action, use.resource) for role in used_roles for use in role.refused()
    } == set()


def test_nothing_is_allowed_that_is_never_used_except_for_a_reason(used_roles):
    excess = {key: way for role in used_roles for key, way in role.excess().items()}
    found = {key: way for key, way in excess.items() if key[:2] != SOMETIMES}
    expected = {key: way for key, (way, _why) in EXCEPTIONS.items()}
    assert found.items() - expected.items() == set()
    assert expected.items() - found.items() == set()  # an exception that is not needed any more


def test_each_permission_that_is_removed_is_missed_unless_it_is_never_used(used_roles):
    for role in used_roles:
        never = {rule for rule, way in excess(role.rules, role.uses).items() if way == NEVER_USED}
        for rule in role.rules - never:
            assert role.without(rule).refused(), (role.name, rule)


@pytest.mark.parametrize(
    ("part", "more"),
    [
        ("action", "dynamodb:DeleteItem"),
        ("action", "sqs:PurgeQueue"),
        ("action", "{}s"),
        ("action", "*"),
        ("resource", "*"),
        ("resource", "{}-of-another-stack"),
    ],
)
def test_each_permission_that_is_added_without_a_use_is_found(used_roles, part, more):
    for role in used_roles:
        for rule in role.rules:
            added = replace(rule, **{part: more.format(getattr(rule, part))})
            if added not in role.rules:
                assert role.with_one_more(added).excess().items() - role.excess().items(), added


def test_each_condition_that_is_removed_is_found(used_roles):
    """Without its condition a permission is wider than its use."""
    passing = [(role, rule) for role in used_roles for rule in role.rules if rule.conditions]
    assert len(passing) == len(FUNCTION_ROLES) + 1  # and the trust of the role that they pass
    for role, rule in passing:
        open_to_all = replace(rule, conditions=frozenset())
        assert role.without(rule).with_one_more(open_to_all).excess() != role.excess()
