"""Messages that the tests of the functions send, and what arrived of them."""

CANARY = "testo-canarino"
MINIMAL = {"to": "333 1234567", "text": CANARY}
WITH_ID = MINIMAL | {"id": "m-1"}


def texts(gateway):
    return [(sms.to, sms.text) for sms in gateway.accepted]
