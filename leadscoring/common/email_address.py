"""One spelling of each mailbox: two ways of writing one are one person, and one wish for no mail."""

import unicodedata

import idna
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

# Default-ignorable signs that are not of the category of format characters.
INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u3164\uffa0") | {
    chr(code) for code in (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
}
valid_email = EmailValidator(allowlist=[])


def fold_email(text: str) -> str:
    """Return the one spelling of an address, whatever its case, width, invisible signs or punycode.

    What is no address comes back in lower case: addresses that others wrote can be compared by it.
    """
    text = text if text.isascii() else _plain_signs(text)
    local, at, domain = text.strip(" \t").lower().rpartition("@")
    try:
        domain = _readable_domain(domain)
    except ValueError:
        return f"{local}{at}{domain}"
    return f"{local}{at}{domain}"


def check_email(email: str) -> str:
    """Return an address that `fold_email` made. Raise ValueError where no mail can go to it."""
    local, _, domain = email.rpartition("@")
    try:
        valid_email(f"{local}@{_sent_domain(domain)}")
    except (ValidationError, UnicodeError):
        raise ValueError("is not an e-mail address") from None
    if domain.startswith("["):
        raise ValueError("is an address without a domain, where no mail of ours can go")
    return email


def _plain_signs(text: str) -> str:
    """Return signs of normal width (NFKC), without those that are not seen."""
    seen = (sign for sign in text if unicodedata.category(sign) != "Cf" and sign not in INVISIBLE)
    return unicodedata.normalize("NFKC", "".join(seen))


def _readable_domain(domain: str) -> str:
    """Return a domain by UTS 46, its punycode made readable. Raise ValueError when it cannot be one."""
    if domain.isascii() and "xn--" not in domain:
        return domain
    return ".".join(map(_readable_label, _mapped(domain).split(".")))


def _readable_label(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    plain = label[4:].encode("ascii").decode("punycode")
    if plain.isascii() or _mapped(plain) != plain:
        raise ValueError("is the punycode of nothing that needs it")
    return plain


def _mapped(domain: str) -> str:
    return idna.uts46_remap(domain, std3_rules=False, transitional=False)


def _sent_domain(domain: str) -> str:
    """Return a readable domain in ASCII. Raise UnicodeError when a label is not in its one spelling."""
    return ".".join(map(_sent_label, domain.split(".")))


def _sent_label(label: str) -> str:
    if label.isascii() and not label.startswith("xn--"):
        return label
    if label.isascii() or _mapped(label) != label:
        raise UnicodeError("is not in its one spelling")
    return f"xn--{label.encode('punycode').decode('ascii')}"
