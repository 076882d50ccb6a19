"""`python -m tests.simulation`: the table, and how it ends."""

import re
import sys

from openvoip_sms.rules import transitions
from openvoip_sms.rules.record import Reason
from tests.simulation.__main__ import main


def run(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["simulation", *arguments])
    return main(), capsys.readouterr().out


def test_the_table_counts_messages_faults_and_ends(monkeypatch, capsys):
    code, shown = run(monkeypatch, capsys, "--messages", "230", "--seed", "5")
    rows = dict(re.findall(r"^(\S.*?)\s+(\d+)$", shown, re.MULTILINE))
    assert code == 0
    assert (rows["messages"], rows["seed"], rows["lost"], rows["sent twice"]) == (
        "230",
        "5",
        "0",
        "0",
    )
    assert int(rows["sent"]) > 100
    assert int(rows["delivered_twice"]) > 0
    assert int(rows["unknown"]) <= int(rows["causes of a doubt"])


def test_a_broken_promise_ends_with_an_error_its_seed_and_the_messages_history(monkeypatch, capsys):
    def hopeful(record, now, _policy, jitter):
        return transitions.released(record, Reason.LEASE_EXPIRED, now, jitter)

    monkeypatch.setattr(transitions, "lease_expired", hopeful)
    code, shown = run(monkeypatch, capsys, "--messages", "500", "--seed", "1")
    assert code == 1
    assert re.search(r"^seed \d+:\nProva \d+: ", shown, re.MULTILINE)
    assert re.search(r"sender-\d+ +gateway accepted", shown)
    assert int(re.search(r"sent twice +(\d+)", shown)[1]) > 0
