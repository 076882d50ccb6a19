"""PHP's query strings and the gateway's signature, on bytes: the gateway is a PHP script."""

import hashlib
import urllib.parse


def urldecode(value: bytes) -> bytes:
    """PHP's `urldecode`: once, a plus is a space, a percent sign without two digits stays."""
    return urllib.parse.unquote_to_bytes(value.replace(b"+", b" "))


def read_query(query: bytes) -> dict[str, bytes]:
    """PHP's `$_GET`: the last of several equal names wins, spaces and dots in names become `_`.

    Arrays (`name[]=…`) are ignored: the script reads none.
    """
    pairs = (pair.partition(b"=") for pair in query.split(b"&") if pair)
    values = {_name(name): urldecode(value) for name, _, value in pairs}
    return {name: value for name, value in values.items() if name and "[" not in name}


def _name(raw: bytes) -> str:
    name = urldecode(raw).lstrip(b" ").decode(errors="replace")
    return name.replace(" ", "_").replace(".", "_")


def signature(sender: bytes, text: bytes, destination: bytes, secret: bytes, group: bytes) -> bytes:
    """`md5(sha1($sender . $text . $destination . $secret . $group))`, in lower-case hex."""
    inner = hashlib.sha1(sender + text + destination + secret + group).hexdigest()
    return hashlib.md5(inner.encode()).hexdigest().encode()
