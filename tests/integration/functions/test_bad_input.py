"""What the API refuses, and which spellings it accepts."""

import base64
import json

import pytest

from tests.integration.functions.messages import MINIMAL, WITH_ID


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (None, 400, "not_json"),
        ("", 400, "not_json"),
        ("ciao", 400, "not_json"),
        ('{"to":', 400, "not_json"),
        ('{"to": NaN}', 400, "not_json"),
        ('{"to":"333 1234567","to":"334 1234567","text":"x"}', 400, "not_json"),
        ("[" * 60_000, 400, "not_json"),
        ("1" * 5_000, 400, "not_json"),
        ("\ud800", 400, "not_json"),
        ("[]", 422, "invalid_message"),
        ('"ciao"', 422, "invalid_message"),
        ("{}", 422, "invalid_message"),
        (MINIMAL | {"testo": "x"}, 422, "invalid_message"),
        (MINIMAL | {"to": 3331234567}, 422, "invalid_message"),
        (MINIMAL | {"to": "3331234567.0"}, 422, "invalid_message"),
        (MINIMAL | {"to": "333 1234567 / 334 1234567"}, 422, "invalid_message"),
        (MINIMAL | {"text": "mezza \ud83d"}, 422, "invalid_message"),
        (MINIMAL | {"text": "\ude00"}, 422, "invalid_message"),
        (MINIMAL | {"text": "x" * 700}, 422, "invalid_message"),
        (MINIMAL | {"text": "😀" * 200}, 422, "invalid_message"),
        (MINIMAL | {"send_at": "domani"}, 422, "invalid_message"),
        ("x" * 10_000_000, 413, "too_large"),
        ('{"to":"333 1234567","text":"' + "x" * 10_000_000 + '"}', 413, "too_large"),
    ],
    ids=lambda value: str(value)[:40].encode("ascii", "replace").decode(),
)
def test_bad_input_has_its_answer_and_stores_nothing(service, body, status, reason):
    answer = service.post(body)
    assert (answer.status, answer.reason) == (status, reason)
    assert service.records() == []
    assert service.gateway.calls == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (base64.b64encode(json.dumps(WITH_ID).encode()).decode(), 201),
        (base64.b64encode(b'{"to": "333 1234567", "text": "\xff"}').decode(), 400),
        ("not base64!", 400),
        ("è", 400),
        ("QUJD=", 400),
    ],
)
def test_a_body_in_base64_is_read_or_refused(service, body, status):
    assert service.post(body, base64=True).status == status


@pytest.mark.parametrize(
    "to",
    ["333 1234567", "+39 333-123.4567", "0039 333 1234567", "(+39) 3331234567", "３３３1234567"],
)
def test_the_common_spellings_of_a_number_are_one_number(service, to):
    assert service.post(MINIMAL | {"to": to}).body["to"] == "+393331234567"


def test_an_emoji_is_sent_whole(service):
    assert service.post(MINIMAL | {"text": "Si parte! 🎉"}).body["encoding"] == "UCS-2"
    assert [sms.text for sms in service.gateway.accepted] == ["Si parte! 🎉"]
