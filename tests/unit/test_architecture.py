"""Which way imports point, and what each subpackage must not import (docs/architecture.md)."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "layers/openvoip_sms/openvoip_sms"

# A subpackage may import from itself and from what is named here.
MAY_IMPORT = {
    "rules": set(),
    "templates": {"rules"},
    "webhooks": {"rules", "templates"},
    "webhooks/config": {"rules", "templates", "webhooks"},
    "delivery": {"rules"},
    "intake": {"rules", "webhooks", "delivery"},
    "adapters": {"rules", "delivery"},
    "openvoip": {"rules", "delivery"},
    "web": {"rules", "webhooks", "delivery", "intake"},
    "wiring": {
        "rules",
        "delivery",
        "adapters",
        "openvoip",
        "intake",
        "webhooks",
        "webhooks/config",
        "web",
    },
    "": set(),
}
PURE = ("rules", "templates", "webhooks", "webhooks/config", "delivery", "intake", "web")
CLIENTS = {"boto3", "botocore", "requests", "urllib3"}
IMPURE = CLIENTS | {"os", "random", "secrets", "time", "socket", "ssl"}
# The parts that only one function needs: no other may pay for loading them.
OF_ONE_FUNCTION = {"webhooks": "webhooks", "api": "api"}


def imports(file):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            if node.module.startswith("openvoip_sms"):
                yield from (f"{node.module}.{alias.name}" for alias in node.names)


def subpackage_of(path):
    """`webhooks/config` of its file or module; the package itself is no subpackage."""
    return "/".join(path.relative_to(PACKAGE).parts[:-1])


def subpackages_imported(file):
    for name in imports(file):
        path = PACKAGE.parent.joinpath(*name.split("."))
        if name.startswith("openvoip_sms.") and path.with_suffix(".py").exists():
            yield subpackage_of(path.with_suffix(".py"))


FILES = sorted(PACKAGE.rglob("*.py"))
named = pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PACKAGE)))
pure = pytest.mark.parametrize(
    "file",
    [f for f in FILES if subpackage_of(f) in PURE],
    ids=lambda f: str(f.relative_to(PACKAGE)),
)


@named
def test_imports_point_one_way(file):
    assert set(subpackages_imported(file)) <= MAY_IMPORT[subpackage_of(file)] | {
        subpackage_of(file)
    }


def test_the_subpackages_have_no_cycle():
    """Removing what imports nothing else that is left must end with no subpackage left."""
    left = {subpackage: allowed - {subpackage} for subpackage, allowed in MAY_IMPORT.items()}
    while free := [subpackage for subpackage, needs in left.items() if not needs & left.keys()]:
        for subpackage in free:
            del left[subpackage]
    assert not left


@pure
def test_rules_and_use_cases_touch_nothing_outside(file):
    assert not {name.split(".")[0] for name in imports(file)} & IMPURE


@pure
def test_rules_and_use_cases_have_no_clock(file):
    calls = {
        ast.unparse(n.func)
        for n in ast.walk(ast.parse(file.read_text()))
        if isinstance(n, ast.Call)
    }
    assert not {call for call in calls if call.endswith((".now", ".utcnow", ".today"))}


def test_functions_import_no_sdk():
    for file in ROOT.glob("functions/*/app.py"):
        assert not {name.split(".")[0] for name in imports(file)} & CLIENTS


@pytest.mark.parametrize("part", OF_ONE_FUNCTION)
def test_what_one_function_needs_is_imported_by_no_other(part):
    users = {
        file.parent.name
        for file in ROOT.glob("functions/*/app.py")
        if f"openvoip_sms.wiring.{part}" in imports(file)
    }
    assert users == {OF_ONE_FUNCTION[part]}


def test_no_file_shadows_the_standard_library():
    ours = {
        file.stem for top in ("layers", "local", "functions") for file in (ROOT / top).rglob("*.py")
    }
    assert not ours & set(sys.stdlib_module_names)


def test_the_local_gateway_shares_no_code_with_the_service():
    for file in ROOT.glob("local/gateway/*.py"):
        assert not [name for name in imports(file) if name.startswith("openvoip_sms")]
