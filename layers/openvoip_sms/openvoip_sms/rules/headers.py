"""Names and values of a call, as they were sent: a name may occur several times."""

type Pairs = tuple[tuple[str, str], ...]


def values_of(headers: Pairs, name: str) -> tuple[str, ...]:
    """All values of a header; its name may be spelled in any case."""
    wanted = name.lower()
    return tuple(value for key, value in headers if key.lower() == wanted)
