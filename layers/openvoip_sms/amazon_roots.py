"""Write the certificates of Amazon's own authorities: `python amazon_roots.py BUNDLE FILE`.

The SDK loads its whole bundle for each connection that it opens, which takes longer than the call.
AWS's endpoints need five certificates of it, those that https://www.amazontrust.com/repository/
recommends for a trust store. They are extracted from the bundle that the SDK ships, so that they
are as trustworthy and as recent as the SDK itself.
"""

import re
import ssl
import sys
from pathlib import Path
from typing import Any

ROOTS = {
    ("Amazon", "Amazon Root CA 1"),
    ("Amazon", "Amazon Root CA 2"),
    ("Amazon", "Amazon Root CA 3"),
    ("Amazon", "Amazon Root CA 4"),
    ("Starfield Technologies, Inc.", "Starfield Services Root Certificate Authority - G2"),
}
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


class RootMissing(Exception):
    """The bundle lacks one of them: clients that trust only the others may fail later."""


def extract(bundle: str) -> str:
    """Return the certificates of `ROOTS`, all of them that the bundle has.

    Raises:
        RootMissing: it has none of one of them.
    """
    named = [(_subject(pem), pem) for pem in _CERTIFICATE.findall(bundle)]
    missing = ROOTS - {name for name, _ in named}
    if missing:
        raise RootMissing(", ".join(sorted(name for _, name in missing)))
    return "".join(f"# {name[1]}\n{pem}\n" for name, pem in named if name in ROOTS)


def _subject(pem: str) -> tuple[str, str]:
    """Organization and common name, as OpenSSL reads them; comments in a bundle may be wrong."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=pem)
    for certificate in context.get_ca_certs():
        subject: Any = certificate["subject"]  # a sequence of sequences of pairs
        parts = {key: value for part in subject for key, value in part}
        return parts.get("organizationName", ""), parts.get("commonName", "")
    return "", ""


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:])
    try:
        target.write_text(extract(source.read_text("utf-8")), "utf-8")
    except RootMissing as missing:
        sys.exit(f"{source} has no certificate of: {missing}")
