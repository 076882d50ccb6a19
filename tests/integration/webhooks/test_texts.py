"""What a webhook's values become in a text."""

import pytest

from tests.integration.webhooks.proxy_events import form, sent


@pytest.mark.parametrize(
    "nome",
    [None, "", " \t", "\x00\x1f", "\u200b", "\u2060\ufeff", "\u00ad", "\u3164", [], {}, True],
)
def test_without_a_value_nothing_is_sent_and_the_record_names_the_field(service, nome):
    answer = service.webhook(form(nome=nome))
    assert (answer.status, answer.body["messages"][0]["status"]) == (200, "rejected")
    [record] = service.records()
    assert record.reason in ("missing_value", "not_text")
    assert record.detail.startswith("nome ")
    assert sent(service) == []


@pytest.mark.parametrize(
    ("nome", "shown"),
    [
        ("{tel}", "{tel}"),
        ("{{nome}} || 'x'", "{{nome}} || 'x'"),
        ("Anna\r\n\u0000\u202eMaria", "Anna Maria"),
        ("Anna \u200b Maria", "Anna Maria"),
        (" Anna \u00a0 Maria ", "Anna Maria"),
        ("x" * 1000, "x" * 57 + "..."),
        ("€" * 1000, "€" * 57 + "..."),
        (7, "7"),
    ],
)
def test_a_value_is_sent_as_data_on_one_short_line(service, nome, shown):
    service.webhook(form(nome=nome))
    assert sent(service) == [f"Grazie {shown}, a presto."]
