"""Any text for LaTeX, in any engine, and the floats that a table stands in."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import pandas as pd

from analysis.runs.cell_names import pieces

GREEK = {
    "α": "alpha",
    "β": "beta",
    "γ": "gamma",
    "δ": "delta",
    "ε": "epsilon",
    "η": "eta",
    "θ": "theta",
    "λ": "lambda",
    "μ": "mu",
    "π": "pi",
    "ρ": "rho",
    "σ": "sigma",
    "τ": "tau",
    "φ": "phi",
    "ω": "omega",
    "Δ": "Delta",
    "Σ": "Sigma",
    "Ω": "Omega",
}
_SYMBOLS: dict[str, str] = {
    "\\": r"\textbackslash{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "|": r"\textbar{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    '"': "''",
    **{mark: f"\\{mark}" for mark in "&%$#_{}"},
    "±": r"$\pm$",
    "×": r"$\times$",
    "·": r"$\cdot$",
    "→": r"$\rightarrow$",
    "←": r"$\leftarrow$",
    "↔": r"$\leftrightarrow$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "≠": r"$\neq$",
    "≈": r"$\approx$",
    "∞": r"$\infty$",
    "−": "$-$",
    "µ": r"$\mu$",
    "°": r"$^{\circ}$",
    "–": "--",
    "—": "---",
    "…": r"\ldots{}",
    "†": r"$^{\dagger}$",
    "‘": "`",
    "’": "'",
    "“": "``",
    "”": "''",
    "ß": r"\ss{}",
    "æ": r"\ae{}",
    "ø": r"\o{}",
    "ł": r"\l{}",
    **{letter: f"$\\{name}$" for letter, name in GREEK.items()},
}
_SIZES = {r"\small": 4.2, r"\footnotesize": 3.75, r"\scriptsize": 3.4}
"""Size of letters -> how wide one of them is, in points."""
_SMALLEST = r"\scriptsize"
_LONGEST_WORD = 24
"""In letters; longer ones may be broken, since no column is wide enough for any."""
_UNPRINTED = re.compile(r"\\allowbreak|(?<!\\)[${}^]|\\(?=[^a-zA-Z])")
_COMMAND = re.compile(r"\\[a-zA-Z]+")
_ACCENTS = {"\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0308": '"'}
_ACCENTS |= {"\u0327": "c", "\u030c": "v", "\u030a": "r", "\u0304": "=", "\u0306": "u"}


def escape(text: str) -> str:
    """Escape a text that may hold anything.

    What no engine could be sure to print is written as its code point, ``[U+6F22]``.
    """
    escaped = " ".join(
        r"\allowbreak{}".join(map(_without_ligatures, pieces(word, _LONGEST_WORD, len)))
        for word in text.split()
    )
    escaped = escaped.replace("][U+", r"]\allowbreak{}[U+")
    # Behind the end of a row these would be arguments of it.
    return f"{{}}{escaped}" if escaped.startswith(("[", "*")) else escaped


def table_file(
    pages: Sequence[Sequence[str]],
    *,
    caption: str,
    label: str,
    size: str = "",
    gap: int = 3,
    environment: str = "table*",
    footnote: str = "",
    notes: Sequence[str] = (),
    packages: str = "booktabs",
) -> str:
    """Return a file of LaTeX: packages and notes as comments, and a float for each page.

    Caption, label, footnote and notes may be any text.

    Args:
        pages: tabulars that stand below each other, for each float.
        caption: floats behind the first one are "continued".
        label: e.g. a title: ``tab:words-of-the-title``.
        size: command of the letters; none for those of the text, and its gaps.
        gap: between columns, where there is a size, in points.
        environment: of the floats.
        footnote: below the last tabular.
        notes: what a reader of the file must know.
        packages: that are needed.
    """
    words = re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-") or "results"
    commands = [size, rf"\setlength{{\tabcolsep}}{{{gap}pt}}"] if size else []
    below = rf"\par\smallskip\parbox{{\linewidth}}{{\footnotesize {escape(footnote)}}}"
    lines = [rf"% \usepackage{{{packages}}}"]
    lines += [f"% note: {' '.join(note.split())}" for note in notes]
    for number, tabulars in enumerate(pages):
        later, last = number > 0, number == len(pages) - 1
        above = rf"\caption{{{escape(caption)}{', continued' * later}}}"
        above += f"\n\\label{{tab:{words}{f'-{number}' * later}}}"
        lines += [rf"\begin{{{environment}}}[t]", r"\centering", above, *commands]
        lines += ["\n\\par\\medskip\n".join(tabulars), *([below] if footnote and last else [])]
        lines.append(rf"\end{{{environment}}}")
    return "\n".join(lines) + "\n"


def plain_tabular(rows: pd.DataFrame, formats: str, header: Sequence[str] = ()) -> str:
    """Return rows of any texts as a tabular.

    ``formats`` are those of the columns; ``header`` is LaTeX, none for the columns' names.
    """
    names = list(header) or [escape(str(name)) for name in rows]
    styled = rows.map(escape).set_axis(names, axis=1).style.hide(axis="index")
    return str(styled.to_latex(hrules=True, column_format=formats)).rstrip("\n")


def fitting_size(letters: int, room: float) -> str:
    """Return the command of the largest size of which ``letters`` fit into ``room`` points."""
    return next((size for size, width in _SIZES.items() if width * letters <= room), _SMALLEST)


def printed_length(escaped: str) -> int:
    """Return about how many letters of print an escaped text is."""
    return len(_COMMAND.sub("x", _UNPRINTED.sub("", escaped)))


def _without_ligatures(text: str) -> str:
    # Two hyphens side by side would become a dash.
    return "{}".join("".join(map(_letter, part)) for part in re.split(r"(?<=-)(?=-)", text))


def _letter(letter: str) -> str:
    if letter in _SYMBOLS:
        return _SYMBOLS[letter]
    if letter.isascii():
        return letter if letter.isprintable() else f"[U+{ord(letter):04X}]"
    base, *marks = list(unicodedata.normalize("NFKD", letter))
    if base.isascii() and base.isprintable():
        if len(marks) == 1 and marks[0] in _ACCENTS and base.isalpha():
            return f"\\{_ACCENTS[marks[0]]}{{{base}}}"
        if not marks or all(mark.isascii() for mark in marks):
            return "".join(map(_letter, (base, *marks)))
    return f"[U+{ord(letter):04X}]"
