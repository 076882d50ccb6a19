"""Headers or query parameters of a call, in their order; a name may occur several times."""

type Pairs = tuple[tuple[str, str], ...]


def values_of(headers: Pairs, name: str) -> tuple[str, ...]:
    """All values of a header; its name in any case."""
    wanted = name.lower()
    return tuple(value for key, value in headers if key.lower() == wanted)
