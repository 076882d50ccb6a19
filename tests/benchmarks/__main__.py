"""`python -m tests.benchmarks`: processor time, the former way and the present one side by side.

Each measurement is a fresh process with compiled byte code; the two ways take turns, so that
whatever else the machine does hits both, and the median counts. Ends with 1 when the first batch
is not at least three times cheaper than it was.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import botocore
import certifi
import trustme
from moto import mock_aws

from amazon_roots import extract
from tests.emulated_stack import REGION, EmulatedStack

ROOT = Path(__file__).resolve().parents[2]
MIN_RATIO = 3.0
FORMER_IMPORTS = """
import logging, socket, threading, urllib.parse
import urllib3.connection, urllib3.util
import openvoip_sms.delivery.ports, openvoip_sms.openvoip.account
import openvoip_sms.openvoip.replies, openvoip_sms.openvoip.signature
"""
IMPORTS = {"former": FORMER_IMPORTS, "now": "import openvoip_sms.openvoip.client"}
IMPORT = """
import sys, time
{before}
began = time.process_time()
{imports}
sys.stderr.write(str((time.process_time() - began) * 1000))
"""

type Results = dict[str, list[float]]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--runs", type=int, default=11, help="processes for each way")
    runs = parser.parse_args().runs
    with TemporaryDirectory() as name, serving(Path(name)) as port:
        settings = deployed(f"https://127.0.0.1:{port}")
        batch = in_turns(runs, lambda way: first_batch(way, Path(name), settings))
    alone = in_turns(runs, lambda way: cold_import(way, ""))
    within = in_turns(runs, lambda way: cold_import(way, "import boto3, botocore.client"))
    sys.stdout.write(f"Processor time, medians of {runs} processes each\n")
    ratio = show("First batch of ten messages, TLS to gateway and AWS", batch)
    show("Import of the gateway's client by itself", alone)
    show("Import of the gateway's client where boto3 is imported already", within)
    return 0 if ratio >= MIN_RATIO else 1


def in_turns(runs: int, measure: Callable[[str], float]) -> Results:
    """The first turn writes the byte code and does not count."""
    results: Results = {"former": [], "now": []}
    for turn in range(runs + 1):
        for way, measured in results.items():
            milliseconds = measure(way)
            if turn:
                measured.append(milliseconds)
    return results


def show(title: str, results: Results) -> float:
    former, now = median(results["former"]), median(results["now"])
    lines = [
        f"  {way:6} {median(measured):7.1f} ms   ({min(measured):.1f} to {max(measured):.1f})"
        for way, measured in results.items()
    ]
    ratio = f"  former / now = {former / now:.2f}, now - former = {now - former:+.1f} ms"
    sys.stdout.write("\n".join([title, *lines, ratio, ""]))
    return former / now


@contextmanager
def serving(folder: Path) -> Iterator[int]:
    """A TLS server whose authority is in every bundle of the folder, beside the real ones."""
    authority = trustme.CA()
    certificate = folder / "server.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
    sdk = Path(botocore.__file__).with_name("cacert.pem").read_text("utf-8")
    bundles = {
        "botocore.pem": sdk,
        "certifi.pem": Path(certifi.where()).read_text("utf-8"),
        "amazon_roots.pem": extract(sdk),
    }
    for name, text in bundles.items():
        (folder / name).write_text(text + authority.cert_pem.bytes().decode(), "utf-8")
    with subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.server", str(certificate)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as server:
        yield int(server.stdout.readline())
        server.stdin.close()


def deployed(url: str) -> dict[str, str]:
    """The sender's environment as the template makes it, with gateway and AWS at that address."""
    with mock_aws():
        settings = EmulatedStack().environment(
            "SenderFunction", DefaultSender="Bottega", Mode="live", GatewayUrl=f"{url}/send.php"
        )
    return settings | {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": REGION,
    }


def first_batch(way: str, folder: Path, settings: dict[str, str]) -> float:
    bundles = {}
    if way == "former":
        bundles = {
            "AWS_CA_BUNDLE": str(folder / "botocore.pem"),
            "SSL_CERT_FILE": str(folder / "certifi.pem"),
        }
    return measured(["-m", "tests.benchmarks.first_batch", way, str(folder)], settings | bundles)


def cold_import(way: str, before: str) -> float:
    return measured(["-c", IMPORT.format(before=before, imports=IMPORTS[way])], {})


def measured(arguments: list[str], settings: dict[str, str]) -> float:
    """The last line that a fresh process writes to standard error."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{ROOT}:{ROOT / 'layers/openvoip_sms'}",
    } | settings
    ended = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    if ended.returncode:
        sys.exit(ended.stdout + ended.stderr)
    return float(ended.stderr.splitlines()[-1])


if __name__ == "__main__":
    sys.exit(main())
