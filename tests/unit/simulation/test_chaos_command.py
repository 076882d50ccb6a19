"""`python -m tests.simulation`: the table, and how it ends."""

import re
import sys

from openvoip_sms.rules import transitions
from openvoip_sms.rules.record import Reason
from tests.simulation.__main__ import main


def run(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["simulation", "--processes", "1", *arguments])
    return main(), capsys.readouterr().out


def table(code, shown):
    """The exit code, and each row's number by its name."""
    rows = re.findall(r"^(\S.*?)\s+(\d+)$", shown, re.MULTILINE)
    return code, {name: int(number) for name, number in rows}


def test_the_table_counts_messages_faults_and_ends(monkeypatch, capsys):
    code, rows = table(*run(monkeypatch, capsys, "--messages", "230", "--seed", "5"))
    assert code == 0
    assert [rows[name] for name in ("lost", "sent twice", "miscounted", "violations")] == [0] * 4
    assert rows["sent"] > 100
    assert rows["Sent, counted"] > 100
    assert rows["delivered_twice"] > 0
    assert rows["unknown"] <= rows["causes of unknown"]


def test_every_row_is_a_result_and_none_the_same_for_every_seed(monkeypatch, capsys):
    tables = [
        table(*run(monkeypatch, capsys, "--messages", "300", "--seed", seed))[1]
        for seed in ("1", "1001", "2001")
    ]
    counts = {name: {one.get(name) for one in tables} for name in tables[0]}
    same = {name for name, found in counts.items() if len(found) == 1}
    assert {name for name in same if tables[0][name] > 20} == set()


def test_a_broken_promise_ends_with_an_error_its_seed_and_the_messages_history(monkeypatch, capsys):
    def hopeful(record, now, _policy, jitter):
        return transitions.released(record, Reason.LEASE_EXPIRED, now, jitter)

    monkeypatch.setattr(transitions, "lease_expired", hopeful)
    code, shown = run(monkeypatch, capsys, "--messages", "500", "--seed", "1")
    assert code == 1
    assert re.search(r"^seed \d+:\nProva \d+: ", shown, re.MULTILINE)
    assert re.search(r"sender-\d+ +gateway accepted", shown)
    assert int(re.search(r"sent twice +(\d+)", shown)[1]) > 0
