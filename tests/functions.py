"""The functions as Lambda runs them: loaded from their files, with a context."""

import importlib.util
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

ROOT = Path(__file__).parents[1]


def load(name: str) -> ModuleType:
    """A new `app` module of that function, under a unique name."""
    spec = importlib.util.spec_from_file_location(
        f"function_{name}", ROOT / "functions" / name / "app.py"
    )
    if spec is None or spec.loader is None:
        raise FileNotFoundError(name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def context(seconds: float = 29.0) -> Any:
    """The context of an invocation; the remaining time does not change."""
    return SimpleNamespace(
        function_name="function",
        memory_limit_in_mb=512,
        invoked_function_arn="arn:aws:lambda:eu-south-1:123456789012:function:function",
        aws_request_id="5f0c2d7e-3a41-4b8e-9c6d-1e2f3a4b5c6d",
        get_remaining_time_in_millis=lambda: int(seconds * 1000),
    )
