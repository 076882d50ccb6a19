"""From a caller's object to a message that may be sent, or to the list of its mistakes."""

import unicodedata
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoip_sms.rules.message import (
    InvalidMessage,
    fingerprint,
    parse_message,
)
from openvoip_sms.rules.new_record import record_of, rejected_record
from openvoip_sms.rules.policy import Policy
from openvoip_sms.rules.record import Status, public
from tests.function_calls import count_calls

NOW = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
POLICY = Policy(default_sender="Bottega", live=True)
MINIMAL = {"to": "333 123 4567", "text": "Ciao"}


def parse(policy=POLICY, **fields):
    return parse_message(MINIMAL | fields, policy, NOW)


def refused(given, policy=POLICY):
    with pytest.raises(InvalidMessage) as caught:
        parse_message(given, policy, NOW)
    return caught.value


def violations(given, policy=POLICY):
    return [(one.field, one.reason) for one in refused(given, policy).violations]


# Accepted

OPTIONAL = (
    "id sender archive category smart_encoding max_segments dry_run send_at valid_for reference"
).split()


@given(st.sets(st.sampled_from(OPTIONAL)))
def test_null_in_an_optional_field_counts_as_absent(absent):
    """Serializers write it for what is not set."""
    with_nulls = MINIMAL | dict.fromkeys(absent)
    assert parse_message(with_nulls, POLICY, NOW) == parse_message(MINIMAL, POLICY, NOW)
    assert fingerprint(with_nulls) == fingerprint(MINIMAL)


@pytest.mark.parametrize("field", ["to", "text"])
def test_null_in_a_required_field_is_refused(field):
    assert violations(MINIMAL | {field: None}) == [(field, "wrong_type")]


def test_null_in_a_field_that_does_not_exist_is_refused():
    assert violations(MINIMAL | {"sendAt": None}) == [("sendAt", "unknown_field")]


def test_a_rejected_record_has_its_default_where_a_field_is_null():
    given = {"to": "06 1234567", "text": "Ciao"} | dict.fromkeys(OPTIONAL)
    invalid = refused(given)
    made = {"default_id": "sqs-1", "source": "queue", "policy": POLICY, "now": NOW}
    record = rejected_record(given, invalid, **made)
    assert (record.id, record.category, record.reference) == ("sqs-1", "transactional", None)
    without = {"to": "06 1234567", "text": "Ciao"}
    assert record == rejected_record(without, invalid, **made)


def in_seconds(seconds):
    return MINIMAL | {"send_at": (NOW + timedelta(seconds=seconds)).isoformat()}


@pytest.mark.parametrize("seconds", [-300.001, -301, -3600, -86_400 * 21, -86_400 * 700])
def test_a_send_at_more_than_five_minutes_before_the_call_is_refused(seconds):
    with pytest.raises(InvalidMessage) as caught:
        parse_message(in_seconds(seconds), POLICY, NOW, asked_at=NOW)
    [told] = caught.value.violations
    assert (told.field, told.reason) == ("send_at", "in_the_past")
    assert not caught.value.structural  # a message, but one that cannot be sent


@pytest.mark.parametrize("seconds", [-300, -1, 0, 60, 86_400 * 365])
def test_a_send_at_about_now_or_later_is_taken(seconds):
    message = parse_message(in_seconds(seconds), POLICY, NOW, asked_at=NOW)
    assert message.send_at == NOW + timedelta(seconds=seconds)


def test_every_mistake_is_told_beside_a_send_at_that_has_passed():
    given = {"to": "06 1234567", "text": "Ciao", "send_at": "2026-11-01T09:00:00+01:00"}
    with pytest.raises(InvalidMessage) as caught:
        parse_message(given, POLICY, NOW, asked_at=NOW)
    told = [(one.field, one.reason) for one in caught.value.violations]
    assert told == [("to", "landline"), ("send_at", "in_the_past")]


def test_number_and_text_are_enough_for_a_message():
    message = parse()
    assert (message.to, message.text, message.sender) == ("+393331234567", "Ciao", "Bottega")
    assert (message.encoding, message.segments) == ("GSM-7", 1)
    assert message.cost_eur == Decimal("0.09")
    assert (message.category, message.archive, message.dry_run) == ("transactional", True, False)
    assert message.replaced == ()
    assert (message.id, message.send_at, message.valid_for, message.reference) == (None,) * 4


def test_every_field_is_accepted_as_it_is_given():
    policy = Policy(default_sender="Bottega", allowed_senders=frozenset({"Studio"}))
    message = parse(
        policy,
        id="ordine:1042_a.b-c",
        sender="Studio",
        archive=False,
        category="marketing",
        smart_encoding=True,
        max_segments=2,
        dry_run=True,
        send_at="2026-12-24T09:00:00+01:00",
        valid_for=600,
        reference="pratica n. 7/È",
    )
    assert message.id == "ordine:1042_a.b-c"
    assert (message.sender, message.archive, message.category) == ("Studio", False, "marketing")
    assert message.dry_run
    assert message.send_at == datetime(2026, 12, 24, 8, 0, tzinfo=UTC)
    assert (message.valid_for, message.reference) == (600, "pratica n. 7/È")


def test_the_setting_decides_about_the_archive_where_a_message_does_not():
    assert not parse(Policy(default_sender="Bottega", archive=False)).archive
    assert parse(Policy(default_sender="Bottega", archive=False), archive=True).archive


def test_a_text_is_converted_to_gsm_7_and_what_was_replaced_is_reported():
    message = parse(text="L’ordine è “pronto”")
    assert message.text == 'L\'ordine è "pronto"'
    assert {(one["character"], one["by"], one["count"]) for one in message.replaced} == {
        ("’", "'", 1),
        ("“", '"', 1),
        ("”", '"', 1),
    }


def test_without_smart_encoding_a_text_stays_as_it_is():
    message = parse(text="L’ordine", smart_encoding=False)
    assert (message.text, message.encoding, message.replaced) == ("L’ordine", "UCS-2", ())


def test_emoji_are_counted_in_the_phones_units():
    # 3GPP 23.040: alone 70 units of 16 bits; an emoji takes two.
    assert parse(text="😀" * 35).segments == 1
    assert parse(text="😀" * 36).segments == 2
    assert parse(text="😀" * 36).cost_eur == Decimal("0.18")


# Senders


@pytest.mark.parametrize(
    ("allowed", "sender", "accepted"),
    [
        ((), "Bottega", True),
        ((), "Studio", False),
        (("Studio",), "Studio", True),
        (("Studio",), "studio", False),
        (("*",), "Chiunque", True),
        (("+393331230000",), "+393331230000", True),
    ],
)
def test_a_message_names_only_senders_that_the_settings_allow(allowed, sender, accepted):
    policy = Policy(default_sender="Bottega", allowed_senders=frozenset(allowed))
    if accepted:
        assert parse(policy, sender=sender).sender == sender
    else:
        assert violations(MINIMAL | {"sender": sender}, policy) == [
            ("sender", "sender_not_allowed")
        ]


def test_a_sender_that_networks_would_cut_is_refused_with_the_reason():
    assert violations(MINIMAL | {"sender": "www.sitoazienda.it"}) == [("sender", "too_long")]


# Refused


def test_an_answer_stays_readable_however_many_unknown_fields_are_posted():
    given = MINIMAL | {f"campo{n}": 1 for n in range(7000)}
    assert len(violations(given)) == 20


@pytest.mark.parametrize("given", [None, [], "Ciao", 7, True, [MINIMAL]])
def test_what_is_not_an_object_is_not_a_message(given):
    error = refused(given)
    assert error.structural
    assert [one.reason for one in error.violations] == ["not_an_object"]


@pytest.mark.parametrize(
    ("fields", "field", "reason"),
    [
        ({"testo": "Ciao"}, "testo", "unknown_field"),
        ({"sendAt": "2026-12-24T09:00:00+01:00"}, "sendAt", "unknown_field"),
        ({"TO": "x"}, "TO", "unknown_field"),
        ({"\x1b[31m": 1}, "(unprintable)", "unknown_field"),
        ({"": 1}, "(unprintable)", "unknown_field"),
        ({"3331234567": 1}, "(unprintable)", "unknown_field"),
        ({"tel.333-123-45-67": 1}, "(unprintable)", "unknown_field"),
        ({"a" * 41: 1}, "(unprintable)", "unknown_field"),
        ({"to": 3331234567}, "to", "wrong_type"),
        ({"to": 3331234567.0}, "to", "wrong_type"),
        ({"to": None}, "to", "wrong_type"),
        ({"to": ["3331234567"]}, "to", "wrong_type"),
        ({"to": "06 1234567"}, "to", "landline"),
        ({"to": "+44 7700 900123"}, "to", "foreign"),
        ({"to": "3331234567.0"}, "to", "decimal"),
        ({"to": "333 1234567, 334 1234567"}, "to", "two_numbers"),
        ({"to": "chiama Anna"}, "to", "letters"),
        ({"to": ""}, "to", "empty"),
        ({"text": 7}, "text", "wrong_type"),
        ({"text": None}, "text", "wrong_type"),
        ({"text": ""}, "text", "empty"),
        ({"text": " \n"}, "text", "empty"),
        ({"text": "mezzo \ud83d"}, "text", "unpaired_surrogate"),
        ({"text": "bip\x07"}, "text", "control_character"),
        ({"text": "a" * 613}, "text", "too_long"),  # four segments of 153 hold 612
        ({"text": "a" * 161, "max_segments": 1}, "text", "too_long"),
        ({"id": 5}, "id", "wrong_type"),
        ({"id": ""}, "id", "bad_id"),
        ({"id": "a" * 129}, "id", "bad_id"),
        ({"id": "a b"}, "id", "bad_id"),
        ({"id": "a/b"}, "id", "bad_id"),
        ({"id": "è"}, "id", "bad_id"),
        ({"id": "a\n"}, "id", "bad_id"),
        ({"sender": 5}, "sender", "wrong_type"),
        ({"sender": ""}, "sender", "empty"),
        ({"archive": "true"}, "archive", "wrong_type"),
        ({"archive": 1}, "archive", "wrong_type"),
        ({"category": "promo"}, "category", "bad_category"),
        ({"category": []}, "category", "wrong_type"),
        ({"smart_encoding": "no"}, "smart_encoding", "wrong_type"),
        ({"smart_encoding": 0}, "smart_encoding", "wrong_type"),
        ({"max_segments": 0}, "max_segments", "out_of_range"),
        ({"max_segments": -1}, "max_segments", "out_of_range"),
        ({"max_segments": 5}, "max_segments", "out_of_range"),
        ({"max_segments": 2.0}, "max_segments", "wrong_type"),
        ({"max_segments": True}, "max_segments", "wrong_type"),
        ({"dry_run": "yes"}, "dry_run", "wrong_type"),
        ({"send_at": 1795500000}, "send_at", "wrong_type"),
        ({"send_at": "domani"}, "send_at", "bad_time"),
        ({"send_at": ""}, "send_at", "bad_time"),
        ({"send_at": "2026-12-24"}, "send_at", "bad_time"),
        ({"send_at": "2026-12-24T09:00:00"}, "send_at", "bad_time"),
        ({"send_at": "2026-12-24 09:00:00+01:00"}, "send_at", "bad_time"),
        ({"send_at": "2026-13-24T09:00:00Z"}, "send_at", "bad_time"),
        ({"send_at": "2026-12-24T25:00:00Z"}, "send_at", "bad_time"),
        ({"send_at": "0001-01-01T00:00:00+10:00"}, "send_at", "bad_time"),
        ({"send_at": "9999-12-31T23:59:59-10:00"}, "send_at", "bad_time"),
        ({"send_at": "2027-11-24T08:30:01Z"}, "send_at", "too_far_ahead"),
        ({"valid_for": 9}, "valid_for", "out_of_range"),
        ({"valid_for": 604_801}, "valid_for", "out_of_range"),
        ({"valid_for": "600"}, "valid_for", "wrong_type"),
        ({"valid_for": 600.0}, "valid_for", "wrong_type"),
        ({"valid_for": True}, "valid_for", "wrong_type"),
        ({"reference": 7}, "reference", "wrong_type"),
        ({"reference": "a" * 257}, "reference", "bad_reference"),
        ({"reference": "a\nb"}, "reference", "bad_reference"),
        ({"reference": "\ud800"}, "reference", "bad_reference"),
    ],
)
def test_each_mistake_names_its_field_and_reason(fields, field, reason):
    assert violations(MINIMAL | fields) == [(field, reason)]


@pytest.mark.parametrize(
    "fields",
    [
        {"send_at": "2027-11-24T08:30:00Z"},
        {"send_at": "2026-12-24t09:00:00.5z"},  # RFC 3339, 5.6: small letters too
        {"send_at": "2025-01-01T00:00:00Z"},  # late, so at once
        {"valid_for": 10},
        {"valid_for": 604_800},
        {"max_segments": 4},
        {"text": "a" * 612},
        {"id": "a" * 128},
        {"reference": "x" * 256},
        {"reference": ""},
    ],
)
def test_what_is_just_within_its_bounds_is_accepted(fields):
    parse(**fields)


@pytest.mark.parametrize("missing", ["to", "text"])
def test_number_and_text_are_required(missing):
    given = {name: value for name, value in MINIMAL.items() if name != missing}
    assert violations(given) == [(missing, "missing")]


def test_all_mistakes_are_reported_at_once():
    given = {"to": "06 1234567", "text": "", "id": "?", "a": 1, "archive": "si", "sender": "Studio"}
    assert sorted(violations(given)) == [
        ("a", "unknown_field"),
        ("archive", "wrong_type"),
        ("id", "bad_id"),
        ("sender", "sender_not_allowed"),
        ("text", "empty"),
        ("to", "landline"),
    ]


def test_each_sentence_explains_and_none_repeats_number_or_text():
    given = {"to": "06 9876543", "text": "segretissimo\x07", "sender": "Segreto", "segreta!": 1}
    error = refused(given)
    for one in error.violations:
        assert len(one.detail) > 10
    shown = repr(error) + str(error) + "".join(one.detail for one in error.violations)
    assert "9876543" not in shown
    assert "egret" not in shown


def test_a_mistake_of_the_content_is_distinguished_from_a_mistake_of_the_structure():
    assert not refused(MINIMAL | {"to": "06 1234567"}).structural
    assert not refused(MINIMAL | {"text": "a" * 613}).structural
    assert refused(MINIMAL | {"to": "06 1234567", "testo": ""}).structural
    assert refused({"text": "Ciao"}).structural


def test_without_a_configured_limit_the_standards_limit_applies():
    unlimited = Policy(default_sender="Bottega", max_segments=0)
    assert parse(unlimited, text="a" * (153 * 255)).segments == 255
    assert violations(MINIMAL | {"text": "a" * (153 * 255 + 1)}, unlimited) == [
        ("text", "too_long")
    ]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=3,
)
names = st.sampled_from(
    "to text id sender archive category smart_encoding max_segments dry_run send_at valid_for"
    " reference other".split()
)


@given(anything | st.dictionaries(names, anything, max_size=6).map(lambda fields: MINIMAL | fields))
def test_whatever_is_given_becomes_a_message_or_a_list_of_violations(given):
    try:
        message = parse_message(given, POLICY, NOW)
    except InvalidMessage as error:
        listed = [one.field + one.reason + one.detail for one in error.violations]
        assert "".join(listed).encode()
    else:
        assert message.to == "+393331234567" or "to" in given
        assert 1 <= message.segments <= 4


# Fingerprints


@pytest.mark.parametrize(
    "same",
    [
        {"to": "+39 333 1234567"},
        {"to": "0039-333-1234567"},
        {"id": "a"},
        {"id": "b", "dry_run": True},
    ],
)
def test_the_same_request_spelled_differently_has_the_same_fingerprint(same):
    assert fingerprint(MINIMAL | same) == fingerprint(MINIMAL)


def test_the_order_of_fields_does_not_matter():
    assert fingerprint(dict(reversed(MINIMAL.items()))) == fingerprint(MINIMAL)


@pytest.mark.parametrize(
    "other",
    [
        {"to": "333 123 4568"},
        {"text": "Ciao "},
        {"text": "ciao"},
        {"sender": "Bottega"},
        {"archive": False},
        {"category": "marketing"},
        {"send_at": "2026-12-24T09:00:00+01:00"},
        {"valid_for": 600},
        {"reference": "1"},
        {"smart_encoding": False},
    ],
)
def test_another_request_has_another_fingerprint(other):
    assert fingerprint(MINIMAL | other) != fingerprint(MINIMAL)


def test_a_fingerprint_shows_nothing_of_the_message():
    shown = fingerprint(MINIMAL)
    assert len(shown) == 64
    assert "3331234567" not in shown


def test_invalid_content_has_a_fingerprint_too():
    assert fingerprint({"to": 7, "text": "\ud800"}) != fingerprint({"to": 7, "text": "\ud801"})


# Records


def record(policy=POLICY, **fields):
    return record_of(parse(policy, **fields), id="m-1", source="api", policy=policy, now=NOW)


def test_a_new_record_waits_with_all_that_was_requested():
    made = record(reference="r", category="marketing")
    assert (made.status, made.attempts, made.version) == (Status.QUEUED, 0, 1)
    assert (made.created_at, made.updated_at) == (NOW, NOW)
    assert made.expires_at == NOW + timedelta(hours=24)
    assert (made.reference, made.category, made.source) == ("r", "marketing", "api")
    assert made.fingerprint == fingerprint(MINIMAL | {"reference": "r", "category": "marketing"})


def test_a_record_for_later_is_scheduled_and_valid_from_its_time():
    made = record(send_at="2026-11-24T10:00:00Z", valid_for=60)
    assert made.status is Status.SCHEDULED
    assert made.expires_at == datetime(2026, 11, 24, 10, 1, tzinfo=UTC)


def test_a_time_in_the_past_means_now():
    made = record(send_at="2026-11-24T08:00:00Z", valid_for=60)
    assert (made.status, made.expires_at) == (Status.QUEUED, NOW + timedelta(seconds=60))


def test_a_record_shows_what_the_contract_names_and_nothing_else():
    shown = public(record(reference="r", send_at="2026-11-24T10:00:00+01:00"))
    assert shown == {
        "id": "m-1",
        "status": "scheduled",
        "to": "+393331234567",
        "sender": "Bottega",
        "text": "Ciao",
        "encoding": "GSM-7",
        "segments": 1,
        "cost_eur": 0.09,
        "category": "transactional",
        "archive": True,
        "source": "api",
        "reference": "r",
        "attempts": 0,
        "created_at": "2026-11-24T08:30:00.000Z",
        "updated_at": "2026-11-24T08:30:00.000Z",
        "send_at": "2026-11-24T09:00:00.000Z",
        "expires_at": "2026-11-25T09:00:00.000Z",
    }


def rejected(given, policy=POLICY):
    invalid = refused(given, policy)
    return rejected_record(
        given, invalid, default_id="sqs-1", source="queue", policy=policy, now=NOW
    )


def test_a_message_that_cannot_be_sent_leaves_a_record_that_says_why():
    made = rejected(MINIMAL | {"to": "06 1234567", "id": "m-2", "reference": "pratica 7"})
    assert (made.id, made.status, made.reason) == ("m-2", Status.REJECTED, "landline")
    assert (made.to, made.text, made.source) == ("06 1234567", "Ciao", "queue")
    assert "landline" in made.detail
    assert made.reference == "pratica 7"


def test_a_rejected_message_without_id_gets_the_default_id():
    assert rejected(MINIMAL | {"to": "06 1234567"}).id == "sqs-1"


@pytest.mark.parametrize("to", ["", "   ", "\ud800", "è" * 500, "\x00"])
def test_a_rejected_number_is_stored_as_far_as_the_table_allows(to):
    kept = rejected(MINIMAL | {"to": to}).to
    assert 1 <= len(kept) <= 40
    kept.encode()


def test_a_rejected_text_is_stored_as_far_as_the_table_allows():
    kept = rejected(MINIMAL | {"text": "mezza \ud83d" + "a" * 5000}).text
    assert len(kept.encode()) <= 2000
    assert kept.startswith("mezza ")


def test_a_rejected_text_is_not_stored_where_texts_are_not():
    policy = Policy(default_sender="Bottega", store_text=False)
    assert rejected(MINIMAL | {"to": "06 1234567"}, policy).text is None


# What it costs, whatever its length


MEBIBYTE = 1024 * 1024


@pytest.mark.parametrize(
    ("field", "unit", "limit", "reason"),
    [
        ("text", "a", 2560, "too_long"),
        ("text", "\u0301\u0316", 1280, "too_long"),
        ("text", "\u200b", 2560, "too_long"),
        ("text", "\ufffd", 2560, "too_long"),
        ("to", "3", 64, "too_long"),
        ("to", " ", 64, "too_long"),
        ("sender", "4", 17, "too_long"),
        ("sender", "a", 17, "too_long"),
        ("sender", " ", 17, "too_long"),
        ("id", "a", 128, "bad_id"),
        ("reference", "a", 256, "bad_reference"),
        ("reference", "\ufffd", 256, "bad_reference"),
        ("category", "a", 20, "bad_category"),
        ("send_at", "2026-12-03T09:00:00.", 4, "bad_time"),
    ],
)
def test_a_field_of_a_mebibyte_costs_no_more_than_one_a_little_too_long(field, unit, limit, reason):
    short = {field: unit * (limit + 1)}
    long = {field: unit * (MEBIBYTE // len(unit))}
    assert violations(MINIMAL | long) == [(field, reason)]
    few = count_calls(lambda: refused(MINIMAL | short))
    assert count_calls(lambda: refused(MINIMAL | long)) < 2 * few < 2000


def test_a_longer_text_than_any_segments_hold_is_never_normalized(monkeypatch):
    """Long runs of combining marks take the square of their length, and hold the interpreter."""
    normalize, given = unicodedata.normalize, []

    def noted(form, text):
        given.append(text)
        return normalize(form, text)

    monkeypatch.setattr(unicodedata, "normalize", noted)
    marks = "\u0301\u0316"
    unlimited = replace(POLICY, max_segments=0)
    for policy, most in ((POLICY, 2560), (unlimited, 163_200)):
        for text in (marks * 160_000, "a" + marks * 1000, ("a" + marks * 15) * 80, "a" * most):
            with suppress(InvalidMessage):
                parse(policy, text=text)
        assert max(map(len, given)) <= most
        assert not any("\u0301\u0316" * 16 in text for text in given)
        assert ("a" + marks * 15) * 80 in given


def test_a_rejected_message_keeps_little_of_a_mebibyte():
    given = MINIMAL | {"to": "x" * MEBIBYTE, "text": "\u0301" * MEBIBYTE}
    record = rejected_record(
        given, refused(given), default_id="sqs-1", source="queue", policy=POLICY, now=NOW
    )
    assert (len(record.to), len(record.text)) == (40, 2000)


@pytest.mark.parametrize("text", ["e\u0300" * 612, "\u1112\u1161\u11ab" * 268, "a\r\n" * 306])
def test_a_text_that_becomes_shorter_is_measured_as_it_is_sent(text):
    assert parse(text=text).segments == 4


# Characters that no phone shows


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("L'ordine e' pronto, perch\ufffd", "not_utf8"),
        ("Nicol\ufffd", "not_utf8"),
        ("a\uffff", "noncharacter"),
        ("\uf8ff", "private_use"),
        ("a\ufffc", "not_shown"),
    ],
)
def test_a_text_that_no_phone_shows_is_refused_encoded_smartly_or_not(text, reason):
    for smart_encoding in (True, False):
        found = refused(MINIMAL | {"text": text, "smart_encoding": smart_encoding})
        assert [(one.field, one.reason) for one in found.violations] == [("text", reason)]
        assert not found.structural


def test_a_reference_that_was_not_utf_8_is_refused_as_it_could_not_be_returned():
    assert violations(MINIMAL | {"reference": "Societ\ufffd"}) == [("reference", "not_utf8")]
    assert parse(reference="Società ❤").reference == "Società ❤"
