"""How pages and files travel: compressed where that helps, and files only once."""

import gzip
import re
from contextlib import closing
from pathlib import Path

import pytest
from django.conf import settings
from django.templatetags.static import static
from django.test import Client

from leadscoring.operations import static_version
from tests.admin_pages import as_superuser
from tests.makers import a_contact, an_api_key

pytestmark = pytest.mark.django_db

STYLES, FONT = "unfold/css/styles.css", "unfold/fonts/inter/Inter-Regular.woff2"
ZIPPED = {"accept-encoding": "gzip, br"}


def body(response) -> bytes:
    with closing(response):
        return b"".join(response) if response.streaming else response.content


# --- compressed -----------------------------------------------------------------------------------
def test_a_page_is_sent_in_a_part_of_its_size():
    client = as_superuser()
    plain = client.get("/admin/leadscoring/contact/")

    zipped = client.get("/admin/leadscoring/contact/", headers=ZIPPED)

    assert "Content-Encoding" not in plain.headers
    assert zipped["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in zipped["Vary"]
    assert b"</html>" in gzip.decompress(zipped.content)
    assert len(zipped.content) < len(plain.content) / 4


def test_a_long_answer_of_the_api_is_compressed_and_a_short_one_not():
    contact = a_contact(properties={f"answer_{number}": "yes" for number in range(50)})
    _, key = an_api_key()
    asked = ZIPPED | {"authorization": f"Bearer {key}"}

    long = Client().get(f"/api/v1/contacts/{contact.pk}", headers=asked)
    short = Client().get("/api/v1/contacts/0", headers=asked)

    assert long["Content-Encoding"] == "gzip"
    assert contact.email.encode() in gzip.decompress(long.content)
    assert (short.status_code, "Content-Encoding" in short.headers) == (404, False)


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_machines_are_answered_as_ever(path):
    assert "Content-Encoding" not in Client().get(path, headers=ZIPPED).headers


def test_styles_are_compressed_and_fonts_which_are_already_are_not():
    styles, font = (Client().get(static(name), headers=ZIPPED) for name in (STYLES, FONT))

    assert b"tailwindcss" in gzip.decompress(body(styles))
    assert styles["Content-Encoding"] == "gzip"
    assert body(font)[:4] == b"wOF2"


def test_a_part_of_a_file_and_its_mere_head_are_left_alone():
    part = Client().get(static(STYLES), headers=ZIPPED | {"range": "bytes=0-99"})
    head = Client().head(static(STYLES), headers=ZIPPED)

    assert (part.status_code, len(body(part))) == (206, 100)
    assert ("Content-Encoding" in part.headers, body(head)) == (False, b"")


# --- kept -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", [STYLES, FONT, "admin.css", "ninja/swagger-ui.css"])
def test_a_file_is_kept_for_a_year(name):
    with closing(Client().get(static(name))) as file:
        assert file.status_code == 200
        assert set(file["Cache-Control"].split(", ")) == {"public", "max-age=31536000", "immutable"}


def test_the_address_changes_with_any_file(tmp_path):
    for folder, names in (("unfold", ["a.css", "js/b.js"]), ("ours", ["c.css"])):
        for name in names:
            file = tmp_path / folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(name)
    folders = [tmp_path / "unfold", tmp_path / "ours", tmp_path / "none"]
    before = static_version.digest(folders)

    (tmp_path / "unfold/js/b.js").write_text("B.js")
    changed = static_version.digest(folders)
    (tmp_path / "unfold/js/b.js").rename(tmp_path / "unfold/js/d.js")
    renamed = static_version.digest(folders)

    assert re.fullmatch("[0-9a-f]{12}", before)
    assert len({before, changed, renamed}) == 3
    assert static_version.digest(folders) == renamed


def test_the_folders_of_all_apps_count():
    folders = set(static_version.folders_of_apps(settings.INSTALLED_APPS))

    assert {Path(folder.parent).name for folder in folders} >= {"unfold", "admin", "leadscoring"}


def test_another_releases_address_leads_to_our_file():
    moved = Client().get(f"/static/0123456789ab/{STYLES}")

    assert (moved.status_code, moved["Location"]) == (302, static(STYLES))
    assert "immutable" not in moved.headers.get("Cache-Control", "")


@pytest.mark.parametrize(
    "name", ["no/such.css", "unfold/css", "../settings.py", "https://evil.example/x.css"]
)
@pytest.mark.parametrize("version", ["0123456789ab", ""])
def test_an_address_of_no_file_leads_nowhere(version, name):
    version = version or settings.STATIC_URL.strip("/").split("/")[-1]

    answer = Client().get(f"/static/{version}/{name}", follow=True)

    assert answer.status_code in (400, 404)
