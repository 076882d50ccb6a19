"""Names of sources in paths, and signatures that cover the address."""

import base64
import hmac
import json

import pytest

from openvoip_sms.wiring import core
from tests.integration.webhooks.proxy_events import call, form


@pytest.mark.parametrize("raw", ["altro-modulo", "altro%2Dmodulo", "%61ltro%2dmodulo"])
def test_the_name_of_a_source_may_be_percent_encoded(service, raw):
    assert service.webhook(form(raw)).status == 202


@pytest.mark.parametrize("raw", ["altro%252Dmodulo", "%", "%ff", "%2e", "", None])
def test_a_name_that_decodes_to_no_source_is_not_found(service, raw):
    assert service.webhook(form(raw)).status == 404


def from_hubspot(url, body=b'[{"tel": "3331231234", "nome": "Anna", "eventId": 1}]', **context):
    """Signed as HubSpot documents version 3: method, address, body, milliseconds."""
    moment = str(int(core.clock().timestamp() * 1000))
    covered = b"POST" + url.encode() + body + moment.encode()
    signature = base64.b64encode(hmac.new(b"hub-secret", covered, "sha256").digest()).decode()
    headers = {"X-HubSpot-Signature-v3": signature, "X-HubSpot-Request-Timestamp": moment}
    given = call("hub", body.decode(), headers)
    return given | {"requestContext": given["requestContext"] | context}


@pytest.mark.parametrize("public_url", ["", "https://api.bottega.example.it/sms/"])
def test_a_signature_covers_the_address_that_people_see(
    service, deploy, tmp_path, monkeypatch, public_url
):
    deploy(PublicUrl=public_url)
    source = """
    hub: {preset: hubspot, secrets: [hub], to: tel, messages: {default: {text: "Ciao {nome}"}}}
    """
    (tmp_path / "hub.yaml").write_text(source, "utf-8")
    monkeypatch.setenv("SOURCES_FILE", str(tmp_path / "hub.yaml"))
    secret = json.dumps({"hub": "hub-secret"})
    secrets, name = service.stack.secrets, service.stack["WebhookSecret"]
    secrets.put_secret_value(SecretId=name, SecretString=secret)
    own = {"domainName": "abc.execute-api.example.com", "path": "/v1/webhooks/hub"}
    theirs = f"https://{own['domainName']}{own['path']}"
    ours = "https://api.bottega.example.it/sms/webhooks/hub" if public_url else theirs
    assert service.webhook(from_hubspot(ours, **own)).status in (200, 202)
    assert service.webhook(from_hubspot(f"{ours}/", **own)).status == 401
