"""A reply that an operator has declared as accepted, and one that cannot be declared."""

from tests.scripted_server import ScriptedServer, response, url_of

MESSAGE = {"to": "333 1234567", "text": "Ciao"}


def test_a_reply_that_was_unknown_is_accepted_once_it_is_declared(deploy):
    # Without the header the next call may meet a connection that is being closed.
    reply = response("Messaggio preso in carico\r\n", "Connection: close")
    with ScriptedServer(lambda connection, _: connection.sendall(reply)) as server:
        first = deploy(GatewayUrl=url_of(server)).post(MESSAGE | {"id": "m-1"})
        assert (first.status, first.body["status"]) == (202, "unknown")
        assert "AcceptedReplies" in first.body["detail"]
        seen = first.body["gateway"]["reply"]
        service = deploy(GatewayUrl=url_of(server), AcceptedReplies=f"OK inviato; {seen}")
        again = service.post(MESSAGE | {"id": "m-2"})
        assert (again.status, again.body["status"]) == (201, "sent")
        assert again.body["gateway"]["reply"] == seen
        service.post(MESSAGE | {"id": "m-3"}, Prefer="respond-async")
        service.put({"to": "333 1234568", "text": "dalla coda", "id": "m-4"})
        service.run_sender()
    assert {one.id: str(one.status) for one in service.records()} == {
        "m-1": "unknown",
        "m-2": "sent",
        "m-3": "sent",
        "m-4": "sent",
    }


def test_an_accepted_reply_that_is_a_refusal_stops_the_start(deploy):
    service = deploy(AcceptedReplies="ERR: 020 Errore nel numero di destinazione")
    answer = service.post(MESSAGE | {"id": "m-1"})
    assert (answer.status, answer.reason) == (500, "not_set_up")
    service.put({"to": "333 1234568", "text": "dalla coda", "id": "m-2"})
    assert len(service.run_sender()) == 1
    assert service.gateway.calls == []
