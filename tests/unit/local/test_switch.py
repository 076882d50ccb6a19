"""`make pause` and `make resume` say in plain sentences what is true now."""

import pytest

from local import switch
from local.switch import in_words

OPEN = {"state": "open"}
PAUSED = {
    "paused": True,
    "reason": "Errore nel testo",
    "by": "Anna",
    "since": "2026-11-25T13:03:00.000Z",
    "brake": OPEN,
}
HOLDING = {
    "paused": False,
    "brake": {"state": "holding", "since": "2026-07-01T13:03:00.000Z"},
}


@pytest.mark.parametrize(
    ("shown", "sentence"),
    [
        (PAUSED, "paused since 25/11/2026 14:03 (Rome) by Anna: Errore nel testo."),
        (PAUSED, "messages are accepted and wait for make resume."),
        ({"paused": True, "since": PAUSED["since"], "brake": OPEN}, "14:03 (Rome).\n"),
        ({"paused": False, "brake": OPEN}, "Sending of sms is on; what waited for it is sent now."),
        (HOLDING, "answers have been unclear since 01/07/2026 15:03 (Rome)."),
    ],
)
def test_what_is_true_now_is_said(shown, sentence):
    assert sentence in in_words(shown, "sms")


@pytest.mark.parametrize("word", ["", "stop"])
def test_another_word_is_told_how_to_use_it(word, capsys):
    assert switch.main(word) == 2
    assert "make pause" in capsys.readouterr().err
