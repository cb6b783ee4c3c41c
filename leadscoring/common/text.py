"""Text that others wrote, made fit for one line of a page, a mail or a log, or for the database."""


def bounded_line(text: object, longest: int, *, keep: str = "") -> str:
    """Return one line of at most `longest` printable characters; one that was cut ends in "…".

    A run of white space becomes one space. Other characters that are not printable are left out,
    but for those in `keep`.
    """
    # Bounded before the loop: the text may be a megabyte.
    signs = str(text)[: 4 * longest]
    shown = "".join(
        sign if sign.isprintable() or sign in keep else " " if sign.isspace() else ""
        for sign in signs
    )
    line = " ".join(shown.split())
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}…"


def storable_text(text: str, longest: int | None = None) -> str:
    """Return text without what PostgreSQL cannot store (NUL, lone surrogates), cut to a column."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()[:longest]
