"""docs/api.md is what programmers go by: its tables are complete and say what the code does."""

import re
from pathlib import Path

from openvoip_sms.rules.message import FIELDS
from openvoip_sms.rules.record import Reason
from openvoip_sms.web.response import STATUS

PAGE = (Path(__file__).resolve().parents[3] / "docs/api.md").read_text("utf-8")


def section(heading):
    return re.split(r"^## ", PAGE.split(f"## {heading}\n")[1], flags=re.MULTILINE)[0]


def test_each_field_of_a_message_is_listed_and_no_other():
    rows = re.findall(r"^\| `(\w+)` \|", section("The fields"), re.MULTILINE)
    assert sorted(rows) == sorted(FIELDS)


def test_each_status_has_its_code():
    rows = re.findall(
        r"^\| `(\w+)` \| `(\d+)` \|", section("The status and its code"), re.MULTILINE
    )
    assert {status: int(code) for status, code in rows} == {
        str(status): int(code) for status, code in STATUS.items()
    }


def test_each_reason_is_listed_and_no_other():
    rows = re.findall(r"^\| (`.+?`) \|", section("The reasons"), re.MULTILINE)
    assert {word for row in rows for word in re.findall(r"`(\w+)`", row)} == set(Reason)
