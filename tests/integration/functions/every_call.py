"""A call of each kind to each function, all that is logged on the way written to the output."""

import json
import logging
import os
import sys
from unittest import mock

from moto import mock_aws

from local.gateway import LocalGateway
from tests.emulated_stack import REGION, EmulatedStack
from tests.emulated_stack import client as shared_client

NUMBER, TEXT = "347 883 1234", "testo-canarino"
SECRETS = {"shopify": "shop-secret", "modulo": "shop-secret"}


def main():
    with mock_aws(), LocalGateway("9999", "local-secret") as gateway:
        os.environ["AWS_DEFAULT_REGION"] = REGION
        stack = EmulatedStack()
        given = {"DefaultSender": "Bottega", "Mode": "live", "GatewayUrl": gateway.url}
        for function in ("ApiFunction", "SenderFunction", "WebhooksFunction", "ReconcilerFunction"):
            os.environ.update(stack.environment(function, **given))
        stack.set_account()
        stack.secrets.put_secret_value(
            SecretId=stack["WebhookSecret"], SecretString=json.dumps(SECRETS)
        )
        logging.getLogger("responses").setLevel(
            logging.WARNING
        )  # the emulated AWS is no part of it
        root = logging.getLogger()  # as Lambda sets it up, at the level that an operator chose
        root.addHandler(logging.StreamHandler(sys.stdout))
        root.setLevel(logging.DEBUG)
        call_all(stack, gateway)


def call_all(stack, gateway):
    from openvoip_sms.wiring import core  # noqa: PLC0415 - with the variables set
    from tests.integration.service import Service, event  # noqa: PLC0415 - as above

    if "LET_LIBRARIES_SPEAK" in os.environ:
        logging.disable(logging.NOTSET)
        for name in ("botocore", "boto3", "urllib3"):
            logging.getLogger(name).setLevel(logging.NOTSET)
    os.environ["SOURCES_FILE"] = "functions/webhooks/sources.yaml"
    with mock.patch.object(core, "client", shared_client):
        service = Service(stack, gateway)
        message = {"to": NUMBER, "text": TEXT}
        key = {"x_api_key": "chiave-canarina"}
        assert service.post(message | {"id": "cliente3478831234"}, **key).status == 201
        service.post(message | {"id": "347-883-1234"}, Prefer="respond-async", **key)
        service.post(message | {"text": TEXT * 99}, **key)
        service.put(message, message | {"id": "347.8831234"}, f"{TEXT} {NUMBER}")
        service.put(message | {TEXT: 1})
        call = event("webhook_shopify_orders_fulfilled")
        service.webhook(call)
        service.webhook(call | {"pathParameters": {"source": TEXT}})
        gateway.fail_next(1, "cut_after")
        service.run_sender()
        service.reconcile()
        service.close()


if __name__ == "__main__":
    main()
