"""Nothing but a few harmless tags passes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.server.pages.words import TAGS, clean
from tests.sandbox.conftest import Tags


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("<p>Hi <b>you</b><br>there</p>", "<p>Hi <b>you</b><br>there</p>"),
        ("<ul><li>a<li>b</ul>", "<ul><li>a</li><li>b</li></ul>"),
        ("<p onclick=x style=y class=z>Hi</p>", "<p>Hi</p>"),
        ("<script>alert(1)</script>after", "after"),
        ("<style>p{}</style><p>x", "<p>x</p>"),
        ("<img src=x onerror=alert(1)>", ""),
        ("<svg><a href='https://x.example'>x</a></svg>y", "y"),
        ("a < b & c", "a &lt; b &amp; c"),
        ("&lt;script&gt;", "&lt;script&gt;"),
        ("</p></div>x", "<p></p>x"),
        ("<b><i>x</b></i>", "<b><i>x</i></b>"),
        ("<div>kept</div>", "kept"),
        ("<a <b>x</b>", '<a target="_blank" rel="noopener noreferrer nofollow">x</a>'),
        ("<!-- x --><?php x ?>y", "y"),
    ],
)
def test_a_body_is_shown_clean(sent: str, shown: str) -> None:
    assert clean(sent) == shown


@pytest.mark.parametrize(
    "href", ["https://x.example/?a=1&amp;b=2", "http://x.example", "mailto:a@x.example"]
)
def test_links_of_web_and_mail_pass(href: str) -> None:
    shown = clean(f'<a href="{href}">x</a>')

    assert f'href="{href}"' in shown
    assert 'rel="noopener noreferrer nofollow"' in shown


@pytest.mark.parametrize(
    "href",
    [
        "javascript:alert(1)",
        " JaVaScRiPt:x",
        "java\tscript:x",
        "data:text/html,x",
        "//x.example",
        "/tasks/1",
        "vbscript:x",
        "&#106;avascript:x",
        "http://[",
        "https\x00://x",
    ],
)
def test_other_links_lead_nowhere(href: str) -> None:
    assert "href" not in clean(f'<a href="{href}">x</a>')


PIECES = st.sampled_from(
    [
        "<script>",
        "</script>",
        "<b>",
        "</b>",
        "<a href='",
        "javascript:",
        "https://x",
        "'>",
        "</a>",
        "<p ",
        "onclick=x",
        ">",
        "<!--",
        "-->",
        "&lt;",
        "&",
        "<svg/onload=x>",
        "<![CDATA[",
        "]]>",
        "<textarea>",
        "<br/>",
        "\x00",
        '"',
        "<li",
        "text",
    ]
)


@given(st.lists(PIECES | st.text(max_size=5), max_size=20).map("".join))
def test_whatever_comes_only_allowed_tags_and_safe_links_go(text: str) -> None:
    for tag, attrs in Tags(clean(text)).found:
        assert tag in TAGS
        for name, value in attrs:
            assert name in ("rel", "target") or str(value).startswith(("http", "mailto:"))
