"""The brake on the deployed stack: a gateway that stops answering clearly, and one that is back."""

from collections import Counter

from tests.e2e.conftest import LONG_TIME_OUT, wait_until
from tests.e2e.load import LoadGenerator, key_in
from tests.e2e.table_and_queue import limited_sender_concurrency, records

COUNTS = {"async": 30, "sync": 10, "queue": 60, "webhook": 20, "noid": 0}
IN_FLIGHT = 2 * 10 + 1  # two batches of the sender, and one call that waits
PROBED = "+390000000000"


def calls(deployment, keys):
    return [call for call in deployment.gateway.calls if key_in(call.text) in keys]


def probes(deployment):
    return [call for call in deployment.gateway.calls if call.to == PROBED]


def ends(deployment, keys):
    found = [one for one in records(deployment.stack) if key_in(one.get("text")) in keys]
    return Counter((one["status"], one.get("reason")) for one in found)


def test_an_unclear_gateway_is_not_called_any_more_until_a_probe_is_answered(deployment):
    traffic = LoadGenerator(deployment, "freno-1", COUNTS)
    keys, first_probes = traffic.all_keys, len(probes(deployment))
    deployment.gateway.fail("http_500")
    with limited_sender_concurrency(deployment.stack):
        traffic.send(1)

        def held():
            found = ends(deployment, keys)
            doubts = found["unknown", "no_clear_answer"]
            return doubts if doubts + found["queued", "gateway_down"] == len(keys) else 0

        wait_until(held, "every message held or in doubt", LONG_TIME_OUT)
        doubts = held()
        assert 5 <= doubts <= 10 + IN_FLIGHT
        brake = deployment.call("GET", "/sending")[2]["brake"]
        assert brake["state"] == "holding"
        assert brake["since"] < brake["next_try"]
        dry_run = {"to": "3331234751", "text": "Prova", "dry_run": True}
        stopped_by = deployment.call("POST", "/messages", dry_run)[2]["stopped_by"]
        assert stopped_by["reason"] == "gateway_down"
        assert deployment.stack.invoke("reconciler", {})["woken"] == 0
        assert len(calls(deployment, keys)) == doubts

        deployment.gateway.clear_faults()
        deployment.probe_when_due()
        wait_until(
            lambda: ends(deployment, keys)["sent", None] == len(keys) - doubts,
            "every other message sent",
            LONG_TIME_OUT,
        )
    accepted = Counter(key_in(call.text) for call in calls(deployment, keys) if call.accepted)
    assert set(accepted.values()) == {1}
    assert len(calls(deployment, keys)) == len(keys)  # none of the doubts was called again
    assert deployment.call("GET", "/sending")[2]["brake"] == {"state": "open"}
    made = probes(deployment)[first_probes:]
    assert (made[-1].verdict, made[-1].accepted) == ("security", False)
    assert not any(call.accepted for call in made)
