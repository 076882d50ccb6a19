"""What gives a person away inside an id, and what does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoip_sms.rules.personal import gives_a_person_away

SEPARATORS = st.lists(st.sampled_from(["", "", "-", ".", "_", ":", "--", " "]), min_size=14)


def spread(text, separators):
    return "".join(char + gap for char, gap in zip(text, [*separators, *[""] * 40], strict=False))


@given(
    st.sampled_from(["", "cliente", "avviso-", "12-", "a.", "x:"]),
    st.sampled_from(["", "39", "0039"]),
    st.from_regex(r"3[0-9]{8,9}", fullmatch=True),
    SEPARATORS,
    st.sampled_from(["", "-7", ".a", "ciao"]),
)
def test_a_mobile_does_in_every_writing(before, country, number, separators, after):
    written = before + spread(country + number, separators) + after
    assert gives_a_person_away(written)


# Published examples: the tax code of the Agenzia delle Entrate's guide, its form for people who
# share one, IBANs of the SWIFT registry.
@pytest.mark.parametrize(
    "text",
    [
        "RSSMRA80A01H501U",
        "rssmra80a01h501u",
        "cf-RSSMRA80A01H501U-2",
        "RSS.MRA.80A01.H501U",
        "RSSMRA80A01H50MU",
        "RSSMRAULALMHRLMU",
        "IT60X0542811101000000123456",
        "it60-x054-2811-1010-0000-0123-456",
        "conto-IT60X0542811101000000123456",
        "DE89370400440532013000",
        "GB29NWBK60161331926819",
        "MT84MALT011000012345MTLCAST001S",
        "SM86U0322509800000000270100",
        "anna@example.it",
        "anna.verdi-gmail.com",
        "anna_at_libero_it",
    ],
)
def test_a_tax_code_an_iban_and_an_address_do(text):
    assert gives_a_person_away(text)


@pytest.mark.parametrize(
    "text",
    [
        "ordine-1042",
        "6172839405061",
        "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
        "727-completed",
        "negozio.myshopify.com-event-1",
        "evt_1NG8Du2eZvKYlo2CUI79vXWy",
        "msg_1",
        "orders-fulfilled",
        "DE89370400440532013001",  # its check digits are wrong
        "t" * 99,
        "",
    ],
)
def test_ids_of_orders_and_events_do_not(text):
    assert not gives_a_person_away(text)
