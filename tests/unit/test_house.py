"""The order of the house: which way imports point, and what must stay out of which room."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "layers/openvoip_sms/openvoip_sms"

# A room may import from itself and from what is named here.
MAY_IMPORT = {
    "rules": set(),
    "api_gateway": set(),
    "webhooks": {"rules", "api_gateway"},
    "delivery": {"rules", "webhooks"},
    "adapters": {"rules", "delivery"},
    "openvoip": {"rules", "delivery"},
    "settings": {"rules"},
    "http": {"rules"},
    "api": {"rules", "api_gateway"},
    "wiring": {"rules", "delivery", "adapters", "openvoip", "settings"},
    "webhook_wiring": {"webhooks", "delivery", "adapters", "wiring"},
    "__init__": set(),
}
CLIENTS = {"boto3", "botocore", "requests", "urllib3"}
PURE = ("rules", "webhooks", "delivery")
IMPURE = CLIENTS | {"os", "random", "secrets", "time", "socket", "ssl"}


def imports(file):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            if node.module == "openvoip_sms":
                yield from (f"openvoip_sms.{alias.name}" for alias in node.names)


def room(file):
    return file.relative_to(PACKAGE).with_suffix("").parts[0]


FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PACKAGE)))
def test_imports_point_one_way(file):
    ours = {name.split(".")[1] for name in imports(file) if name.startswith("openvoip_sms.")}
    assert ours <= MAY_IMPORT[room(file)] | {room(file)}


@pytest.mark.parametrize(
    "file", [f for f in FILES if room(f) in PURE], ids=lambda f: str(f.relative_to(PACKAGE))
)
def test_rules_and_use_cases_touch_nothing_outside(file):
    assert not {name.split(".")[0] for name in imports(file)} & IMPURE


@pytest.mark.parametrize("file", [f for f in FILES if room(f) in PURE], ids=lambda f: f.stem)
def test_rules_and_use_cases_have_no_clock(file):
    calls = {
        ast.unparse(n.func)
        for n in ast.walk(ast.parse(file.read_text()))
        if isinstance(n, ast.Call)
    }
    assert not {call for call in calls if call.endswith((".now", ".utcnow", ".today"))}


def test_functions_know_no_sdk():
    for file in ROOT.glob("functions/*/app.py"):
        assert not {name.split(".")[0] for name in imports(file)} & CLIENTS


def test_the_local_gateway_shares_no_code_with_the_service():
    for file in ROOT.glob("local/gateway/*.py"):
        assert not [name for name in imports(file) if name.startswith("openvoip_sms")]
