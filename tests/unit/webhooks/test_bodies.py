"""Reading what authentic senders send, and naming what cannot be read."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoip_sms.webhooks.bodies import MAX_FIELDS, UNREADABLE, Unreadable, read
from tests.unit.webhooks.webhook_calls import call, preset

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
ANY = preset("contact-form-7", parse="json")
BY_TYPE = preset("make")


def body(raw, content_type=JSON, sender=BY_TYPE, **headers):
    return read(sender, call(raw, {"Content-Type": content_type, **headers}))


def multipart(*parts, boundary="----edge"):
    lines = [
        f"--{boundary}\r\nContent-Disposition: form-data; {name}\r\n\r\n{value}\r\n"
        for name, value in parts
    ]
    return "".join(lines).encode() + f"--{boundary}--\r\n".encode()


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=UTF-8",
        "Application/JSON",
        "text/json",
        "application/vnd.shop+json",
        "text/plain",
        "",
    ],
)
def test_json_is_read_under_each_of_its_names(content_type):
    assert body(b' {"a": [1, null]}', content_type) == {"a": [1, None]}


def test_json_without_a_content_type_is_read():
    assert read(BY_TYPE, call(b'[{"a":1}]')) == [{"a": 1}]


def test_of_a_repeated_json_key_the_last_counts():
    assert body(b'{"a":1,"a":2}') == {"a": 2}


def test_a_byte_order_mark_is_skipped():
    assert body(b"\xef\xbb\xbf{}") == {}
    assert body(b"\xef\xbb\xbf{}", "") == {}
    assert body(b"\xef\xbb\xbftel=1", FORM) == {"tel": "1"}


def test_ids_beyond_what_a_float_holds_stay_exact():
    assert body(b'{"id":820982911946154508}') == {"id": 820982911946154508}


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "empty"),
        (b"{", "json"),
        (b"{}{}", "json"),
        (b'{"a":\x00}', "json"),
        (b"\x00", "json"),
        (b"{'a':1}", "json"),
        (b'{"a":NaN}', "number"),
        (b'{"a":-Infinity}', "number"),
        (b'{"a":1e999}', "number"),
        (b"9" * 5000, "number"),
        (b"[" * 101 + b"]" * 101, "depth"),
        (b"[" * 500_000, "depth"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "depth"),
        (b'{"a":"\xff"}', "encoding"),
        ('{"a":"è"}'.encode("utf-16"), "encoding"),
    ],
)
def test_what_is_not_usable_json_is_named(raw, reason):
    assert body(raw) == Unreadable(reason)
    assert Unreadable(reason).detail


def test_a_hundred_levels_are_enough_and_allowed():
    assert isinstance(body(b"[" * 100 + b"]" * 100), list)


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "identity, gzip"])
def test_a_compressed_body_is_refused_with_a_clear_reason(coding):
    assert body(b"\x1f\x8b", **{"Content-Encoding": coding}) == Unreadable("compressed")
    assert body(b"{}", **{"Content-Encoding": "Identity"}) == {}


@pytest.mark.parametrize(
    "content_type", ["application/xml", "image/png", "text/html", "text/plain"]
)
def test_another_content_type_is_refused(content_type):
    assert body(b"<a/>", content_type) == Unreadable("content_type")


def test_a_form_is_read_with_its_spaces_and_accents():
    raw = b"your-name=Anna+D%27Angelo&citt%C3%A0=Forl%C3%AC&vuoto=&your-tel=%2B39+333+1231234"
    assert body(raw, f"{FORM}; charset=utf-8") == {
        "your-name": "Anna D'Angelo",
        "città": "Forlì",
        "vuoto": "",
        "your-tel": "+39 333 1231234",
    }


def test_a_repeated_field_of_a_form_becomes_a_list_in_its_order():
    assert body(b"a[]=1&b=x&a[]=2", FORM) == {"a[]": ["1", "2"], "b": "x"}


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"a=%ff", "encoding"),
        (b"a=\xff", "encoding"),
        (b"&".join([b"a=1"] * (MAX_FIELDS + 1)), "too_many_fields"),
    ],
)
def test_a_broken_form_is_named(raw, reason):
    assert body(raw, FORM) == Unreadable(reason)


def test_a_multipart_form_is_read_and_its_files_are_dropped():
    raw = multipart(
        ('name="submissionID"', "5123"),
        ('name="città"', "Forlì"),
        ('name="foto"; filename="a.png"', "\x89PNG"),
        ('name="x"', "1"),
        ('name="x"', "2"),
    )
    found = body(raw, "multipart/form-data; boundary=----edge")
    assert found == {"submissionID": "5123", "città": "Forlì", "x": ["1", "2"]}


@pytest.mark.parametrize(
    ("raw", "content_type", "reason"),
    [
        (multipart(('name="a"', "1")), "multipart/form-data", "multipart"),
        (multipart(('name="a"', "1")), "multipart/form-data; boundary=other", "multipart"),
        (multipart(('name="a"', "1"))[:-8], "multipart/form-data; boundary=----edge", "multipart"),
        (multipart(("x", "1")), "multipart/form-data; boundary=----edge", "multipart"),
        (b"rubbish", "multipart/form-data; boundary=Ā", "multipart"),
        (b"rubbish ------edge--", "multipart/form-data; boundary=----edge", "multipart"),
        (multipart(('name="a"', "1")), f"multipart/form-data; boundary={'b' * 300}", "multipart"),
        (
            multipart(*[('name="a"', "1")] * (MAX_FIELDS + 1)),
            "multipart/form-data; boundary=----edge",
            "too_many_fields",
        ),
    ],
)
def test_a_broken_multipart_form_is_named(raw, content_type, reason):
    assert body(raw, content_type) == Unreadable(reason)


def test_a_broken_form_leaves_nothing_of_itself_in_a_log(caplog):
    for raw in (b"+393331231234--edge--", b"--edge:+393331231234\r\n--edge--"):
        body(raw, "multipart/form-data; boundary=edge")
    assert caplog.records == []


def test_a_multipart_field_that_is_not_utf8_is_named():
    raw = multipart(('name="a"', "1")).replace(b"1", b"\xff")
    assert body(raw, "multipart/form-data; boundary=----edge") == Unreadable("encoding")


def test_json_inside_a_field_takes_the_place_of_its_text():
    answers = {"q5_telefono": {"full": "333 1231234"}}
    raw = multipart(('name="rawRequest"', json.dumps(answers)), ('name="formID"', "1"))
    found = body(raw, "multipart/form-data; boundary=----edge", preset("jotform"))
    assert found == {"rawRequest": answers, "formID": "1"}


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b'{"rawRequest":"{"}', "json"),
        (b'{"rawRequest":{}}', "inner"),
        (b"{}", "inner"),
        (b"[]", "inner"),
        (json.dumps({"rawRequest": "[" * 200_000}).encode(), "depth"),
    ],
)
def test_a_broken_inner_json_is_named(raw, reason):
    assert body(raw, JSON, preset("jotform", parse="json")) == Unreadable(reason)


def test_a_source_can_say_how_to_parse_whatever_the_content_type():
    assert body(b'{"a":1}', "text/html", ANY) == {"a": 1}
    assert body(b"a=1", "", preset("make", parse="form")) == {"a": "1"}


@given(
    st.binary(max_size=300),
    st.sampled_from([JSON, FORM, "multipart/form-data; boundary=b", "multipart/form-data;", ""]),
)
def test_no_bytes_raise(raw, content_type):
    found = body(raw, content_type)
    assert not isinstance(found, Unreadable) or found.reason in UNREADABLE


@given(
    st.lists(
        st.sampled_from(
            [
                b"--b",
                b"--b--",
                b"\r\n",
                b"\r\n\r\n",
                b"a",
                b'Content-Disposition: form-data; name="a"',
                b"Content-Transfer-Encoding: base64",
                b'; filename="f"',
                b":",
                b"\xff",
            ]
        ),
        max_size=30,
    )
)
def test_no_pieces_of_a_multipart_form_raise(pieces):
    found = body(b"".join(pieces), "multipart/form-data; boundary=b")
    assert not isinstance(found, Unreadable) or found.reason in UNREADABLE
