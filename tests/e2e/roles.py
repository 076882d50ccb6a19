"""The roles of the deployed stack, and what AWS itself does with them.

They are read as they were deployed: from the transformed template, so with the policies that SAM
adds, and with every reference resolved.
"""

import re
from collections import defaultdict
from dataclasses import replace

from tests.iam.aws_request import Account
from tests.iam.policies import Use, rules

LOG_STREAM = "2026/01/01/[$LATEST]0"  # Lambda makes one for each of its processes


def account(stack):
    listed = stack.client("secretsmanager").list_secrets()["SecretList"]
    arns = {one["Name"]: one["ARN"] for one in listed}
    return Account(stack.outputs["MessageQueueArn"].split(":")[4], arns)


def name_of(role_arn):
    """Return the role's name in the template."""
    return re.search(r"-([A-Za-z]+Role)", role_arn)[1]


def roles(stack):
    """Return by the role's ARN its permissions and its trust policy."""
    iam = stack.client("iam")
    listed = iam.list_roles()["Roles"]
    found = [role for role in listed if role["RoleName"].startswith(f"{stack.name}-")]
    secrets = account(stack).secrets  # in AWS a secret's `!Ref` is its ARN, here its name
    return {
        role["Arn"]: [
            replace(rule, resource=secrets.get(rule.resource, rule.resource))
            for document in [*_policies(iam, role["RoleName"]), _trust(role)]
            for rule in rules(document)
        ]
        for role in found
    }


def _policies(iam, role):
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        yield iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    for attached in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        arn = attached["PolicyArn"]  # AWS's own ones as AWS publishes them
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        yield iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]


def _trust(role):
    """A trust policy, as if it were one about the services that it names."""
    document = role["AssumeRolePolicyDocument"]
    statements = [dict(one) for one in document["Statement"]]
    for one in statements:
        one["Resource"] = one.pop("Principal")["Service"]
    return document | {"Statement": statements}


def uses_by_aws(stack):
    """Return by the role's ARN what AWS does with it; none of it passes a proxy."""
    found = defaultdict(set)
    for role, use in [*_of_functions(stack), *_of_schedules(stack)]:
        found[role].add(use)
    return found


def _of_functions(stack):
    """Lambda developer guide: "execution role", "Using Lambda with Amazon SQS", "destinations"."""
    client, place = stack.client("lambda"), f"{stack.region}:{account(stack).id}"
    for function in stack.functions.values():
        found = client.get_function_configuration(FunctionName=function)
        role = found["Role"]
        yield role, Use("sts:AssumeRole", "lambda.amazonaws.com")
        group = f"arn:aws:logs:{place}:log-group:{found['LoggingConfig']['LogGroup']}"
        for action in ("CreateLogStream", "PutLogEvents"):
            yield role, Use(f"logs:{action}", f"{group}:log-stream:{LOG_STREAM}")
        mappings = client.list_event_source_mappings(FunctionName=function)["EventSourceMappings"]
        for mapping in mappings:
            for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"):
                yield role, Use(f"sqs:{action}", mapping["EventSourceArn"])
        invoked = client.list_function_event_invoke_configs(FunctionName=function)
        for config in invoked["FunctionEventInvokeConfigs"]:
            yield (
                role,
                Use("sqs:SendMessage", config["DestinationConfig"]["OnFailure"]["Destination"]),
            )


def _of_schedules(stack):
    """EventBridge Scheduler user guide: "execution role", "confused deputy prevention"."""
    client, owner = stack.client("scheduler"), account(stack).id
    for listed in client.list_schedules()["Schedules"]:
        group = listed["GroupName"]
        target = client.get_schedule(Name=listed["Name"], GroupName=group)["Target"]
        source = client.get_schedule_group(Name=group)["Arn"]
        context = frozenset({("aws:SourceAccount", owner), ("aws:SourceArn", source)})
        yield target["RoleArn"], Use("sts:AssumeRole", "scheduler.amazonaws.com", context)
        action = {"lambda": "lambda:InvokeFunction", "sqs": "sqs:SendMessage"}
        yield target["RoleArn"], Use(action[target["Arn"].split(":")[2]], target["Arn"])
