"""What may have been meant by an expression that cannot be parsed.

People write what other languages want: `status = 'x'`, `a and b`, `$.nome`, `your-tel`. The usual
corrections are made one after another, and proposed if the result is an expression.
"""

import re
from collections.abc import Callable

_TYPOGRAPHIC = re.compile(r"[“”„«»]([^“”„«»]*)[“”„«»]|[‘’‚]([^‘’‚]*)[‘’‚]")
_SUBSCRIPT = re.compile(r"""(?<=[\w"\])])\[\s*(['"])([^'"]+)\1\s*\]""")
_AS_TEXT = re.compile(r"""(\|\||&&|[=!<>]=|[<>(,])\s*"([^"'\\]*)\"""")
_FILTER = re.compile(r"(?<!\|)\|\s*([A-Za-z_]+)\s*$")
_STATEMENT = re.compile(r"[%#/]|(?:if|for|unless|end|else)\b")
_QUOTED = re.compile(r"""('(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`(?:\\.|[^`\\])*`)""", re.DOTALL)
_AS_A_WHOLE: tuple[tuple[str, str], ...] = (
    (r"^\s*\.(?=[A-Za-z_\"])", ""),  # .nome
    (r"^(.+?)\s+in\s+(\[.*\])$", r"contains(\2, \1)"),
    (r"^([^?]+?)\s*\?\s+(.+?)\s+:\s+(.+)$", r"\1 && \2 || \3"),
)
_NUMBER = r"-?[0-9]+(?:[.,][0-9]+)?"
_CORRECTIONS: tuple[tuple[str, str], ...] = (
    (r"[\u00a0\u2000-\u200b\u202f\u3000]", " "),
    (r"(?<!\w)\$\.?(?=[A-Za-z_\[\"])", ""),  # $.nome
    (r"(?<![\w.])@(?=[A-Za-z_])", ""),  # @nome
    (r"(?<=[\w\])])(?:\?\.|->|::)(?=[A-Za-z_])", "."),  # nome?.x
    (r"(?<=[A-Za-z_\]])\.([0-9]+)(?![\w])", r"[\1]"),  # righe.0
    (r"\s*;\s*$", ""),
    (r"\|\s*default\s*:\s*", "|| "),
    (r"===|(?<![=!<>])=(?![=<>])|\bEQ\b|\beq\b", "=="),
    (r"!==|<>|\bNEQ?\b|\bneq?\b", "!="),
    (r"=>", ">="),
    (r"=<", "<="),
    (r"\s+(?i:is\s+not\s+null)\b", " != `null`"),
    (r"\s+(?i:is\s+null)\b", " == `null`"),
    (r"\s+(?i:and)\s+|\s*(?<!&)&(?!&)\s*", " && "),
    (r"\s+(?i:or)\s+|\s*\?\?\s*", " || "),
    (r"(?<![\w.])(?i:not)\s+", "!"),
    (rf"([=<>])\s*({_NUMBER})(?![\w.])", r"\1 `\2`"),
    (rf"(?<![\w.`])({_NUMBER})\s*(?=[=!<>]=|[<>])", r"`\1` "),
    (rf"([(,]\s*)({_NUMBER})(?=\s*[,)])", r"\1`\2`"),
    (r"(?<![\w-])([^\W\d]\w*(?:-\w+)+)", r'"\1"'),  # your-tel
    (r'(?<![\w"-])(\w*[^\W\x00-\x7f]\w*)(?![\w"-])', r'"\1"'),  # città
)
_DECIMAL_COMMA = re.compile(r"`(-?[0-9]+),([0-9]+)`")
_PHONE = re.compile(r"\+?[0-9][0-9 ./-]{6,}[0-9]")
_OPERATORS = re.compile(r"[=<>!|&'\"`(){}@*?]")


def proposal_for(source: str, is_valid: Callable[[str], bool]) -> str:
    """Return a sentence with a corrected expression; empty if none is found."""
    found = correction_of(source, is_valid)
    return _sentence(found) if found else ""


def correction_of(source: str, is_valid: Callable[[str], bool]) -> str:
    """Return the corrected expression alone; empty if none is found."""
    candidates = _candidates(source.strip())
    return next((one for one in candidates if one != source and is_valid(one)), "")


def _candidates(source: str) -> list[str]:
    if _PHONE.fullmatch(source):
        return [f"'{source}'"]
    corrected = _corrected(source)
    found = [corrected, _FILTER.sub(r"| \1(@)", corrected), _AS_TEXT.sub(r"\1 '\2'", corrected)]
    is_name = (
        source
        and not (_OPERATORS.search(source) or _STATEMENT.match(source))
        and _is_balanced(source)
    )
    return [*found, f'"{source}"'] if is_name else found


def _corrected(source: str) -> str:
    source = _TYPOGRAPHIC.sub(lambda found: f"'{found[1] or found[2] or ''}'", source)
    source = _SUBSCRIPT.sub(_as_field, source)
    for pattern, replacement in _AS_A_WHOLE:
        source = re.sub(pattern, replacement, source)
    for pattern, replacement in _CORRECTIONS:
        # Every second part is quoted, and stays as it is.
        parts = _QUOTED.split(source)
        parts[::2] = [re.sub(pattern, replacement, part) for part in parts[::2]]
        source = "".join(parts)
    source = _DECIMAL_COMMA.sub(r"`\1.\2`", source)
    return re.sub(r"  +", " ", source).strip()


def _as_field(subscript: re.Match[str]) -> str:
    name = subscript[2]
    return f".{name}" if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) else f'."{name}"'


def _is_balanced(source: str) -> bool:
    return source.count("[") == source.count("]")


def _sentence(candidate: str) -> str:
    """YAML takes quotes around a whole value for its own: those of the expression go inside."""
    sentence = f"Did you mean {candidate}?"
    if candidate[0] == '"' == candidate[-1]:
        return f"{sentence} In YAML: '{candidate}', in a text {{\\{candidate[:-1]}\\\"}}."
    if candidate[0] == "'" == candidate[-1]:
        return f'{sentence} In YAML: "{candidate}".'
    return sentence
