"""The loop by the contract on what is deployed: requirements.txt alone, the image's files, the processes
of Procfile and docker-compose.yml, no rights, DEBUG off."""

import http.cookiejar
import json
import os
import re
import urllib.parse
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest

from tests.loop.outside import Outside, ask
from tests.production import requirements
from tests.production.deployed import (
    Machine,
    by_compose,
    by_procfile,
    compose,
    interpolated,
    machine,
    procfile,
    until,
)
from tests.spreadsheets import write_xlsx

PASSWORD = "correct-horse-battery-staple"


@pytest.fixture(scope="module")
def production() -> Iterator[tuple[Machine, Outside]]:
    with machine() as given:
        yield given


@pytest.fixture(scope="module")
def composed(production) -> Iterator[tuple[Machine, Outside]]:
    """All services of docker-compose.yml."""
    made, outside = production
    with by_compose(made, outside) as running:
        yield made, running


def test_variables_are_put_in_as_compose_does():
    given = {"A": "1", "EMPTY": ""}
    text = "${A} ${A:?no} ${EMPTY:-two} ${GONE:-three} ${GONE} $$HOME"

    assert interpolated({"x": [text, 5]}, given) == {"x": ["1 1 two three  $HOME", 5]}
    with pytest.raises(LookupError, match="is missing"):
        interpolated("${GONE:?GONE is missing in .env}", given)


@pytest.mark.skipif(os.geteuid() != 0, reason="this user has no rights to give up")
def test_the_processes_run_as_a_user_without_rights():
    _, without_rights = requirements.base_python()
    if not without_rights:
        pytest.skip("NO PYTHON THAT `nobody` CAN RUN: production's processes ran as root")


# --- Procfile -----------------------------------------------------------------------------------
# Before the services of compose are there: both listen at the same address.
def test_the_procfiles_processes_play_the_loop_and_are_ready(production):
    made, outside = production
    assert {"release", "web", "beat"} < set(procfile())

    with by_procfile(made, outside) as loop:
        play(made, loop, "ben@birch.example")
        ready = until(lambda: is_ready(loop), made)

    assert ready["reasons"] == []


# --- docker compose up --------------------------------------------------------------------------
def test_an_activity_becomes_a_task_and_a_deal_pauses_the_mails(composed):
    made, loop = composed

    play(made, loop, "ada@alder.example")


def test_it_is_ready_and_tells_its_figures(composed):
    made, loop = composed

    ready = until(lambda: is_ready(loop), made)

    assert (ready["ready"], ready["reasons"]) == (True, [])
    assert loop.page("/healthz").text == "ok\n"
    assert "leadscoring_contacts" in loop.page("/metrics").text


@pytest.mark.parametrize(
    "name", [name for name, one in compose(dict.fromkeys(
        ("SECRET_KEY", "BASE_URL", "EMAIL_URL", "POSTGRES_PASSWORD", "REDIS_PASSWORD", "FLOWER_BASIC_AUTH"), "x")).items() if "healthcheck" in one]
)  # fmt: skip
def test_what_compose_asks_whether_a_service_is_well_says_yes(composed, name):
    made, _ = composed
    service = compose(made.settings)[name]
    kind, *command = service["healthcheck"]["test"]
    words = ["/bin/sh", "-c", *command] if kind == "CMD-SHELL" else command

    done = until(lambda: well(made.run(words, service["environment"])), made)  # fmt: skip

    assert done.code == 0


def test_pages_come_with_their_styles(composed):
    _, loop = composed
    page = loop.page("/admin/login/")

    files = static_files(page.text)

    assert any("unfold" in path for path in files)
    assert any("unfold" not in path for path in files)
    assert [wrong for path in files if (wrong := what_is_wrong(loop, path))] == []
    assert "Traceback" not in loop.page("/no/such/page").text  # DEBUG is off


@pytest.fixture(scope="module")
def operator(composed) -> None:
    """A superuser, made as the README says."""
    made, _ = composed
    given = compose(made.settings)["web"]["environment"] | {
        "DJANGO_SUPERUSER_USERNAME": "root",
        "DJANGO_SUPERUSER_EMAIL": "root@northwind.example",
        "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
    }
    created = made.run(["python", "manage.py", "createsuperuser", "--no-input"], given)
    assert created.code == 0, created.err


def test_an_operator_logs_in_and_sees_the_home_page(composed, operator):
    _, loop = composed

    refused, _ = Visit(loop).log_in("wrong")
    welcome, home = Visit(loop).log_in(PASSWORD)

    assert "/admin/login/" in refused
    assert welcome.endswith("/admin/")
    assert "Log out" in home or "logout" in home
    assert "cannot wake the workers" not in home
    files = static_files(home)
    assert [wrong for path in files if (wrong := what_is_wrong(loop, path))] == []


def test_a_web_page_gets_its_script_and_what_its_visitor_did_counts(composed):
    made, loop = composed
    environment = compose(made.settings)["web"]["environment"]
    command = ["python", "manage.py", "create_api_key", "site", "--write-only", "--json"]
    key = json.loads(made.run(command, environment).out)["key"]
    page = {
        "type": "page",
        "anonymousId": "a1",
        "properties": {"url": "https://shop.example/pricing"},
    }
    who = {"type": "identify", "anonymousId": "a1", "traits": {"email": "eve@elm.example"}}
    body = json.dumps({"writeKey": key, "batch": [page, who]}).encode()

    script = ask("GET", f"{loop.stage.web}/s.js")
    sent = ask("POST", f"{loop.stage.web}/v1/b", body, {"Content-Type": "text/plain"})

    assert script.headers["Content-Type"].startswith("text/javascript")
    assert (sent.status, sent.body) == (200, {"success": True})
    assert loop.contact("eve@elm.example")["score"]["total"] > 0


def test_a_spreadsheet_is_imported_by_the_worker_and_a_form_comes_in(composed, operator, tmp_path):
    made, loop = composed
    visit = Visit(loop)
    visit.log_in(PASSWORD)
    rows = [["E-Mail", "First name"], ["fay@fir.example", "Fay"]]
    file = write_xlsx(tmp_path / "fair.xlsx", {"Leads": rows}).read_bytes()

    columns, page = visit.upload("/admin/leadscoring/import/add/", "fair.xlsx", file)
    chosen = dict(
        re.findall(r'<select name="(column-\d+)".*?<option value="([^"]+)" selected', page, re.S)
    )
    visit.send(columns, {**chosen, "step": "check"})
    until(lambda: 'value="import"' in visit.open(columns)[1], made)
    visit.send(columns, {"step": "import"})
    until(lambda: "Undo…" in visit.open(columns)[1], made)
    fields = {
        "name": "contact",
        "kind": "page",
        "activity_type": "form_submit",
        "thank_you": "",
        "origins": "",
    }
    visit.send("/admin/leadscoring/form/add/", fields)
    form = urllib.parse.urlencode({"email": "gus@gum.example"}).encode()
    sent = ask("POST", f"{loop.stage.web}/forms/contact", form, {"Accept": "application/json"})

    assert loop.contact("fay@fir.example")["first_name"] == "Fay"
    assert (sent.status, sent.body) == (200, {"success": True})
    assert loop.contact("gus@gum.example")["email"] == "gus@gum.example"


def test_flower_asks_for_its_password(composed):
    made, _ = composed
    page = f"http://{made.addresses['localhost:5555']}/workers?json=1"
    signed = b64encode(made.settings["FLOWER_BASIC_AUTH"].encode()).decode()

    assert until(lambda: ask("GET", page).status, made) == 401
    assert ask("GET", page, headers={"Authorization": f"Basic {signed}"}).status == 200
    assert ask("GET", page, headers={"Authorization": "Basic b3BzOndyb25n"}).status == 401


# --- how ----------------------------------------------------------------------------------------
def play(made: Machine, loop: Outside, email: str) -> None:
    """Activity, task, deal, pause: by the contract, from outside."""
    person = {"email": email, "first_name": "Ada", "job_title": "VP Sales", "company": "Alder"}
    loop.post("contacts", person)
    for number in range(3):
        loop.act(email, "page_view", event_id=f"{email}{number}", properties={"url": "/pricing"})
    loop.act(email, "demo_request", event_id=f"{email}-demo")

    row = until(lambda: delivered(loop, email), made)
    tasks = loop.linked("contacts", row["record_id"], "tasks")
    assert [str(task["toObjectId"]) for task in tasks] == [row["task_id"]]

    deal = loop.deal(row["record_id"], "contractsent", "Alder, 40 seats")
    paused = until(lambda: effect(loop, email, "pause"), made)
    assert [one["id"] for one in paused["deals"]] == [deal]

    loop.changed("deals", deal, dealstage="closedwon")
    until(lambda: effect(loop, email, "stop"), made)


def delivered(loop: Outside, email: str) -> Any:
    rows = loop.contact(email)["handoffs"]
    return rows[0] if rows and rows[0]["status"] == "delivered" else None


def effect(loop: Outside, email: str, wanted: str) -> Any:
    crm = loop.contact(email)["crm"]
    return crm if crm["effect"] == wanted else None


def is_ready(loop: Outside) -> Any:
    answer = loop.page("/readyz")
    return answer.body if answer.status == 200 else None


def well(done: Any) -> Any:
    return done if done.code == 0 else None


def static_files(page: str) -> set[str]:
    """The addresses of files that a page names."""
    return set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page))


def what_is_wrong(loop: Outside, path: str) -> str:
    """A sentence, or "": a file is there, is kept for ever, and is small on its way."""
    file = ask("GET", loop.stage.web + path, headers={"Accept-Encoding": "gzip"})
    if file.status != 200:
        return f"{path} answers {file.status}"
    kept = file.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    small = file.headers["Content-Encoding"] == "gzip"
    return "" if kept and small else f"{path} comes with {file.headers}"


class Visit:
    """Somebody's browser: it keeps cookies, and sends a form with the token of its page."""

    def __init__(self, loop: Outside) -> None:
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self.loop, self.browser = loop, urllib.request.build_opener(cookies)

    def open(self, path: str) -> tuple[str, str]:
        """Where it is then, and what it sees."""
        return self._ask(urllib.request.Request(self.loop.stage.web + path))

    def log_in(self, password: str) -> tuple[str, str]:
        given = {"username": "root", "password": password, "next": "/admin/"}
        return self.send("/admin/login/?next=/admin/", given)

    def send(self, path: str, fields: dict[str, str]) -> tuple[str, str]:
        given = {**fields, "csrfmiddlewaretoken": self._token(path)}
        return self._post(path, urllib.parse.urlencode(given).encode())

    def upload(self, path: str, name: str, file: bytes) -> tuple[str, str]:
        """Send a file of people; the path of the page that it leads to, and the page."""
        edge = "an-edge-that-no-file-has"
        parts = [
            f'Content-Disposition: form-data; name="{field}"\r\n\r\n{value}'.encode()
            for field, value in (("csrfmiddlewaretoken", self._token(path)), ("kind", "people"))
        ]
        about = f'Content-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        parts.append(about.encode() + file)
        body = b"".join(f"--{edge}\r\n".encode() + part + b"\r\n" for part in parts)
        kind = f"multipart/form-data; boundary={edge}"
        address, page = self._post(path, body + f"--{edge}--\r\n".encode(), kind)
        return urllib.parse.urlsplit(address).path, page

    def _token(self, path: str) -> str:
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.open(path)[1])
        assert token
        return token[1]

    def _post(
        self, path: str, body: bytes, kind: str = "application/x-www-form-urlencoded"
    ) -> tuple[str, str]:
        web = self.loop.stage.web
        headers = {"Origin": web, "Referer": web + path, "Content-Type": kind}
        return self._ask(urllib.request.Request(web + path, body, headers))

    def _ask(self, request: urllib.request.Request) -> tuple[str, str]:
        with self.browser.open(request, timeout=30) as answer:
            return str(answer.url), answer.read().decode()
