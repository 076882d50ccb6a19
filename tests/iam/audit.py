"""A role against its uses: is anything refused, or allowed without a use?"""

from collections.abc import Collection

from tests.iam.policies import Rule, Use, allowed

NEVER_USED = "never used"
WIDER = "wider than its uses"


def refused(policy: Collection[Rule], uses: Collection[Use]) -> set[Use]:
    return {use for use in uses if not allowed(policy, use)}


def excess(policy: Collection[Rule], uses: Collection[Use]) -> dict[Rule, str]:
    """Return each permission that no use needs exactly as it is, and the kind of excess."""
    permissions = [rule for rule in policy if rule.effect == "Allow"]
    judged = {
        rule: _excess(rule, [use for use in uses if rule.concerns(use)]) for rule in permissions
    }
    return {rule: why for rule, why in judged.items() if why}


def _excess(rule: Rule, uses: Collection[Use]) -> str | None:
    if not uses:
        return NEVER_USED
    return None if any(_exactly(rule, use) for use in uses) else WIDER


def _exactly(rule: Rule, use: Use) -> bool:
    """Without a wildcard, and under every condition that this kind of call can be held to."""
    return rule == Rule("Allow", use.action, use.resource, use.context)
