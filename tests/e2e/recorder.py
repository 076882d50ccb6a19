"""Every AWS call of the deployed functions, as the action and the resource that IAM evaluates.

The functions reach the local AWS through a proxy, and each puts its name into its user agent.
"""

from collections import defaultdict
from contextlib import contextmanager

from tests.e2e.proxy import Proxy
from tests.e2e.roles import account
from tests.iam.aws_request import Request, uses


class Recorder(Proxy):
    """`uses` by the function's name; `unread` are calls of an unknown kind."""

    def __init__(self, stack):
        super().__init__(stack.endpoint)
        self._account = account(stack)
        self.uses = defaultdict(set)
        self.unread = set()

    def handle(self, call):
        headers = {name.lower(): value for name, value in call.headers.items()}
        request = Request(call.command, call.path, headers, call.body)
        try:
            self.uses[request.function].update(uses(request, self._account))
        except Exception as error:  # noqa: BLE001 - it fails the test, not the function
            self.unread.add(f"{request.function}: {error!r}")
        super().handle(call)


@contextmanager
def recorded(stack):
    """Record what the functions call from now on."""
    client = stack.client("lambda")
    with Recorder(stack) as recorder:
        for name, function in stack.functions.items():
            found = client.get_function_configuration(FunctionName=function)
            variables = found["Environment"]["Variables"] | {
                "AWS_ENDPOINT_URL": recorder.url,
                "AWS_SDK_UA_APP_ID": name,
            }
            client.update_function_configuration(
                FunctionName=function, Environment={"Variables": variables}
            )
            client.get_waiter("function_updated_v2").wait(FunctionName=function)
        yield recorder
