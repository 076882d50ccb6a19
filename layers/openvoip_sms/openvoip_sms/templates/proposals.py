"""What may have been meant by an expression that cannot be parsed.

People write what other languages want: `status = 'x'`, `a and b`, `$.nome`, `your-tel`. The usual
corrections are made one after another, and proposed if the result is an expression.
"""

import re
from collections.abc import Callable

_TYPOGRAPHIC = re.compile(r"[“”„«»]([^“”„«»]*)[“”„«»]|[‘’‚]([^‘’‚]*)[‘’‚]")
_SUBSCRIPT = re.compile(r"""(?<=[\w"\])])\[\s*(['"])([^'"]+)\1\s*\]""")
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
    for candidate in _candidates(source.strip()):
        if candidate != source and is_valid(candidate):
            return _sentence(candidate)
    return ""


def _candidates(source: str) -> list[str]:
    corrected = _corrected(source)
    whole = "" if _OPERATORS.search(source) or not _is_balanced(source) else source
    if _PHONE.fullmatch(source):
        return [f"'{source}'"]
    return [corrected, f'"{whole}"'] if whole else [corrected]


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
