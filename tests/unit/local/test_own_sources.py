"""A firm's own sources file, and its edits while the service runs on this machine."""

import pytest

from local import check_sources, up
from local.check_sources import OWN_SOURCES, SOURCES, own_sources
from openvoip_sms.webhooks.config.sources import SourcesInvalid

FORM = "auth: token, header: X-T, to: tel, message: {text: ciao}"


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "functions/webhooks").mkdir(parents=True)
    (tmp_path / SOURCES).write_text(f"shop: {{secrets: [shop], {FORM}}}\n")
    return tmp_path / OWN_SOURCES


class Stack:
    """What a running stack is told."""

    api_url = "http://api"

    def __init__(self):
        self.secrets, self.revisions, self.file = {}, [], None

    def add_webhook_secrets(self, secrets):
        self.secrets = {**secrets, **self.secrets}

    def use_sources(self, file, revision):
        self.revisions.append(revision)
        self.file = file


def test_it_is_used_as_soon_as_it_is_there(file, capsys):
    assert own_sources() == SOURCES
    file.write_text(f"bottega: {{secrets: [bottega], {FORM}}}\n")
    assert own_sources() == OWN_SOURCES
    assert check_sources.main() == 0
    said = capsys.readouterr().out
    assert "/webhooks/bottega" in said
    assert "/webhooks/shop" not in said


def test_a_source_that_is_added_gets_a_secret_and_is_used_at_once(file, capsys):
    file.write_text(f"a: {{secrets: [a], {FORM}}}\n")
    stack, own = Stack(), up.OwnSources(file.parents[2], {"a": "local-a"})
    assert list(own.read()) == ["a"]
    assert own.has_changed()
    assert not own.has_changed()
    file.write_text(f"a: {{secrets: [a], {FORM}}}\nb: {{secrets: [b, b-old], {FORM}}}\n")
    assert own.has_changed()
    own.hand_over(stack)
    assert stack.secrets == {"a": "local-a", "b": "local-b-secret", "b-old": "local-b-old-secret"}
    assert stack.revisions == [1]
    assert "http://api/webhooks/b   token, local-b-secret, local-b-old-secret" in (
        capsys.readouterr().out
    )


def test_an_own_file_that_is_made_while_it_runs_is_followed_from_then_on(file, capsys):
    stack, own = Stack(), up.OwnSources(file.parents[2], {})
    assert list(own.read()) == ["shop"]
    assert own.has_changed()
    file.write_text((file.parent / "sources.yaml").read_text())  # as a copy of the other
    assert own.has_changed()
    file.write_text(f"bottega: {{secrets: [bottega], {FORM}}}\n")
    assert own.has_changed()
    own.hand_over(stack)
    assert stack.file == file == own.file()
    assert "sources.local.yaml was read" in capsys.readouterr().out


def test_a_secret_that_a_person_has_set_stays_when_the_sources_change(file):
    file.write_text(f"a: {{secrets: [a], {FORM}}}\n")
    stack = Stack()
    stack.secrets = {"a": "a person's"}
    up.OwnSources(file.parents[2], {}).hand_over(stack)
    assert stack.secrets == {"a": "a person's"}


def test_a_mistake_is_said_and_changes_nothing(file, capsys):
    file.write_text("a: [")
    stack = Stack()
    up.OwnSources(file.parents[2], {}).hand_over(stack)
    said = capsys.readouterr().out
    assert "sources.local.yaml:" in said
    assert "as they were before" in said
    assert stack.revisions == []
    with pytest.raises(SourcesInvalid):
        up.OwnSources(file.parents[2], {}).read()


def test_a_file_that_an_editor_replaces_just_now_is_read_later(file):
    file.write_text("a: 1")
    own = up.OwnSources(file.parents[2], {})
    own.has_changed()
    file.unlink()
    assert not own.has_changed()
    file.write_bytes(b"\xff\xfe")
    assert not own.has_changed()
    file.write_text("a: 2")
    assert own.has_changed()
