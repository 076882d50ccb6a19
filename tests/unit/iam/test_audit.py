"""What is refused, never used, or wider than its use."""

from tests.iam.audit import NEVER_USED, WIDER, excess, refused
from tests.iam.policies import Rule, Use

QUEUE = "arn:aws:sqs:eu-south-1:123456789012:queue"
SEND, RECEIVE = Use("sqs:SendMessage", QUEUE), Use("sqs:ReceiveMessage", QUEUE)
PASSED = frozenset({("iam:PassedToService", "scheduler.amazonaws.com")})


def allow(action="sqs:SendMessage", resource=QUEUE, conditions=frozenset()):
    return Rule("Allow", action, resource, conditions)


def test_each_use_that_no_rule_allows_is_refused():
    assert refused([allow()], [SEND, RECEIVE]) == {RECEIVE}
    assert refused([allow(action="sqs:*")], [SEND, RECEIVE]) == set()


def test_a_permission_that_equals_its_use_is_not_excessive():
    assert excess([allow()], [SEND, RECEIVE]) == {}


def test_a_permission_for_another_action_or_resource_is_never_used():
    purge, other = allow(action="sqs:PurgeQueue"), allow(resource=f"{QUEUE}-2")
    assert excess([allow(), purge, other], [SEND]) == {purge: NEVER_USED, other: NEVER_USED}


def test_a_wildcard_is_wider_even_where_it_is_used():
    everywhere, whatever = allow(resource="*"), allow(action="sqs:Send*")
    assert excess([allow(), everywhere, whatever], [SEND]) == {everywhere: WIDER, whatever: WIDER}


def test_a_permission_without_the_condition_that_its_use_meets_is_wider():
    role = "arn:aws:iam::123456789012:role/r"
    to_all, to_one = (allow("iam:PassRole", role, held) for held in (frozenset(), PASSED))
    passing = Use("iam:PassRole", role, PASSED)
    assert excess([to_all], [passing]) == {to_all: WIDER}
    assert excess([to_one], [passing]) == {}


def test_a_denial_is_not_a_permission():
    assert excess([Rule("Deny", "*", "*")], [SEND]) == {}
