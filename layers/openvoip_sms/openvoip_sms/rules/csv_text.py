"""CSV for offices: opens in Excel as it is, and no cell becomes a formula."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

BYTE_ORDER_MARK = "\ufeff"  # without it Excel reads UTF-8 as Windows-1252
SEPARATOR = ";"  # what Excel expects where the decimal sign is a comma
# A number with a plus is guarded too: Excel would show 3,93331E+11 and save that.
_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")

type Cell = str | int | float | Decimal | bool | None


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, Cell]]) -> str:
    """Return a header and the rows; what a row does not have is empty."""
    out = io.StringIO(newline="")
    out.write(BYTE_ORDER_MARK)
    writer = csv.writer(out, delimiter=SEPARATOR)
    writer.writerow(columns)
    writer.writerows([_cell(row.get(column)) for column in columns] for row in rows)
    return out.getvalue()


def _cell(value: Cell) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case float() | Decimal():
            return f"{Decimal(str(value)):f}".replace(".", ",")
        case str():
            return f"'{value}" if value.startswith(_STARTS_A_FORMULA) else value
        case _:
            return str(value)
