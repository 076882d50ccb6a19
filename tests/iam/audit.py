"""A role against what was done in its name: is anything refused, or allowed without a use?"""

from collections.abc import Collection

from tests.iam.policies import Rule, Use, allowed

NEVER_USED = "never used"
WIDER = "wider than its uses"


def refused(policy: Collection[Rule], uses: Collection[Use]) -> set[Use]:
    return {use for use in uses if not allowed(policy, use)}


def excess(policy: Collection[Rule], uses: Collection[Use]) -> dict[Rule, str]:
    """Return each permission that no use needs just as it is, and why it is too much."""
    permissions = [rule for rule in policy if rule.effect == "Allow"]
    judged = {rule: _too_much(rule, [u for u in uses if rule.concerns(u)]) for rule in permissions}
    return {rule: why for rule, why in judged.items() if why}


def _too_much(rule: Rule, served: Collection[Use]) -> str | None:
    if not served:
        return NEVER_USED
    return None if any(_exactly(rule, use) for use in served) else WIDER


def _exactly(rule: Rule, use: Use) -> bool:
    """Without a wildcard, and under every condition that this kind of call can be held to."""
    return rule == Rule("Allow", use.action, use.resource, use.context)
