"""What a log shows of an id: enough to find the message, nothing of a person."""

import re
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoip_sms.rules.log_id import log_id

KEY = "shop-MessageTable-1A2B3C4D5E6F"
HASH = "3f0c9d1e5a7b2c4d6e8f"
DIGEST = re.compile("id-[0-9a-f]{20}")


@pytest.mark.parametrize(
    "shown",
    [
        "ordine-1042",
        "order-1",
        "f24-0007",
        "m-1",
        "prova.12:3",
        "019a3a33cafe45fc0a1b2c3d4e5f6a7b",
        "5fea7756-0ea4-451a-a703-a558b933e274",
    ],
)
def test_what_says_nothing_of_a_person_is_shown(shown):
    assert log_id(shown, KEY) == shown


@pytest.mark.parametrize(
    "record_id",
    [
        "cliente3478831234",
        "347-883-1234",
        "347.8831234",
        "00393478831234",
        "3_4_7_8_8_3_1_2_3_4",
        "cliente-1-3478831234",
        "3a4b7c8d8e3f1g2h3i4",
        "0612345678",
        "RSSMRA80A01H501U",
        "RSSMRAULALMHRLMU",
        "rss-mra-80a01-h501u",
        "IT60X0542811101000000123456",
        "MT84MALT011000012345MTLCAST001S",
        "anna.verdi.example.it",
        "anna.verdi-at-example-it",
        "Anna-Verdi",
        "00000000-0000-4000-8000-003478831234",
        "00000000000000000000003478831234",
        f"modulo:347883:1234:{HASH}",
        f"modulo:x347883y:z1234:{HASH}",
        f"shopify:orders-fulfilled:6172839405061:{HASH}",
        f"modulo:Rossi:{HASH}",  # once: cognome
        f"modulo:Mario-Rossi:{HASH}:2",
        f"modulo:{HASH}",  # once: telefono, whose hash has no key
        f"modulo:anna.verdi-example.it:{HASH}:2",
        f"modulo:RSSMRAULALMHRLMU:{HASH}",
        "modulo:ciao:00000000003478831234",
        "ordine",
        "ordine-1042-bis",
        "",
        "\ud800",
    ],
)
def test_everything_else_becomes_a_digest(record_id):
    assert DIGEST.fullmatch(log_id(record_id, KEY))


@given(
    st.from_regex(r"[A-Za-z0-9._:-]{0,40}", fullmatch=True),
    st.from_regex(r"(0039|39)?3[0-9]{8,9}", fullmatch=True),
    st.lists(st.sampled_from(["", "", "-", ".", "_", ":"]), min_size=14, max_size=14),
    st.from_regex(r"[A-Za-z0-9._:-]{0,40}", fullmatch=True),
)
def test_no_writing_of_a_number_within_any_id_is_shown(before, number, separators, after):
    written = "".join(map("".join, zip(number, separators, strict=False)))
    shown = log_id(before + written + after, KEY)
    if not DIGEST.fullmatch(shown):
        assert number not in re.sub("[^0-9]", "", shown)


def test_the_same_id_has_the_same_digest_and_another_stack_another_one():
    first = log_id("cliente3478831234", KEY)
    assert first == log_id("cliente3478831234", KEY)
    assert first != log_id("cliente3478831235", KEY)
    assert first != log_id("cliente3478831234", "shop-MessageTable-000000000000")


def test_the_digest_is_what_openssl_says():
    command = ["openssl", "dgst", "-sha256", "-hmac", KEY]
    said = subprocess.run(command, input=b"cliente3478831234", capture_output=True, check=True)
    assert log_id("cliente3478831234", KEY) == f"id-{said.stdout.split()[-1].decode()[:20]}"
