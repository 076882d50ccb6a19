"""The replies of the gateway, in each form that a client may receive.

The guide prints codes with sentences and "JSON"; a client in production received `[0]`. The exact
form of `000`, `020` and `099` was never published, so each form in use can be chosen by its name.
"""

import json
from collections.abc import Callable

from local.gateway.gateway_account import CallVerdict

_SENTENCES = {
    "000": "Messaggio Inoltrato Correttamente",
    "020": "Errore nel numero di destinazione",
    "099": "Errore generico",
}


def _object(status: str | int, sentence: str) -> str:
    return json.dumps({"exit_status": status, "exit_string": sentence}, separators=(",", ":"))


def _mixed(code: str, sentence: str) -> str:
    return "[0]" if code == "000" else _object(code, sentence)


def _text(code: str, sentence: str) -> str:
    return f"{code} {sentence}" if code == "000" else f"ERR: {code} {sentence}"


FORMS: dict[str, Callable[[str, str], str]] = {
    "mixed": _mixed,
    "array": lambda code, _: f"[{int(code)}]",
    "array_text": lambda code, _: f'["{code}"]',
    "object": _object,
    "object_number": lambda code, sentence: _object(int(code), sentence),
    "number": lambda code, _: str(int(code)),
    "code": lambda code, _: code,
    "quoted": lambda code, _: f'"{code}"',
    "text": _text,
    "list": lambda code, sentence: f"ERR: {code} {sentence}",  # as the guide lists them
    "padded": lambda code, _: f" \r\n{code}\r\n\t",
}


def reply(verdict: CallVerdict, form: str) -> str:
    """The body for the verdict, in this form."""
    if verdict is CallVerdict.SECURITY:
        # The guide prints -1; the client that received arrays received 1.
        return _object("1" if form == "array" else "-1", "Security error")
    return FORMS[form](verdict.value, _SENTENCES[verdict.value])
