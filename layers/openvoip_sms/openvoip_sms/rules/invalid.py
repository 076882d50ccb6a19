"""Validation errors: a word for programs and a sentence for people."""


class Invalid(ValueError):
    """An input that cannot be used. Neither part contains the number or the text."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail

    def __str__(self) -> str:
        return self.detail


def code_point(char: str) -> str:
    """A character named without printing it: U+0007."""
    return f"U+{ord(char):04X}"
