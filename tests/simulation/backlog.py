"""Many messages are held back, and what held them ends: `python -m tests.simulation.backlog`."""

import argparse
import sys
from dataclasses import dataclass, replace
from datetime import timedelta

from openvoip_sms.adapters.record_item import to_item
from openvoip_sms.rules import transitions
from openvoip_sms.rules.message import parse_message
from openvoip_sms.rules.new_record import record_of
from openvoip_sms.rules.record import Reason
from openvoip_sms.wiring import core
from tests.simulation.run import Outcome, Run, Setup
from tests.simulation.wired import RECIPIENTS
from tests.simulation.world import START

RETENTION = timedelta(days=90)
NEW_EVERY = 20.0  # seconds, while the others go out


@dataclass(frozen=True)
class Backlog:
    """What came of it: times in seconds since the end of what held the messages back."""

    outcome: Outcome
    last_on_its_way: float
    last_sent: float
    most_queued: int
    slowest_new: float  # of the messages that came meanwhile
    out_of_order: int  # places by which a message was woken too early, at most


def backlog(messages: int, seed: int = 1) -> Backlog:
    """All of them wait in the table since the days before, when sending is resumed."""
    run = Run(Setup(seed, messages=0, rates={}))
    woken, most, began = dict[str, float](), 0, dict[str, float]()
    stage, wired = run.world.stage, run.wired
    with wired.installed():
        policy = replace(core.policy(), validity=timedelta(days=5))
        for n in range(messages):
            created = START - timedelta(hours=10) + timedelta(milliseconds=n)
            given = {"to": RECIPIENTS[n % len(RECIPIENTS)], "text": f"Prova {n}"}
            message = parse_message(given, policy, created)
            record = record_of(message, id=f"id-{n}", source="api", policy=policy, now=created)
            held = transitions.waiting_for(record, Reason.PAUSED, None)
            item = to_item(held, RETENTION)
            wired.dynamodb.table.put(item)
            wired.changes.by_text[given["text"]] = item
    real = wired.sqs.send

    def watched(body: str, delay: float = 0.0) -> None:
        nonlocal most
        woken.setdefault(body, stage.now)
        real(body, delay)
        most = max(most, len(wired.sqs.messages))

    wired.sqs.send = watched  # type: ignore[method-assign]
    stage.at(1.0, lambda: run.watch.switch(paused=True))
    stage.at(60.0, lambda: run.watch.switch(paused=False))
    for n in range(40):
        at, text = 60.0 + NEW_EVERY * (n + 1), f"Nuovo {n}"
        began[text] = at
        stage.at(at, lambda n=n, text=text: run.clients.send(text, "queue", to=RECIPIENTS[n]))
    outcome = run.play()
    sent = {call.text: call.at for call in wired.gateway.log}
    order = [body for body in woken if '"id-' in body and "stored" in body]
    places = [int(body.split("id-")[1].split('"')[0]) for body in order]
    return Backlog(
        outcome,
        last_on_its_way=max(woken[body] for body in order) - 60.0,
        last_sent=max(at for text, at in sent.items() if text.startswith("Prova")) - 60.0,
        most_queued=most,
        slowest_new=max(sent[text] - at for text, at in began.items()),
        out_of_order=max(abs(place - at) for at, place in enumerate(places)),
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.backlog", description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    found = backlog(parser.parse_args().messages)
    rows = {
        "last on its way after (min)": found.last_on_its_way / 60,
        "last sent after (min)": found.last_sent / 60,
        "most messages in the queue": found.most_queued,
        "slowest new message meanwhile (s)": found.slowest_new,
        "woken too early, places at most": found.out_of_order,
        "violations": len(found.outcome.violations),
    }
    sys.stdout.write("".join(f"{name:36}{value:>10.1f}\n" for name, value in rows.items()))
    return 1 if found.outcome.violations else 0


if __name__ == "__main__":
    sys.exit(main())
