"""The pages on which one plays the rep of a Pipedrive account."""

import subprocess
import sys

import requests

from sandbox.pipedrive.definitions import ANA, KIM, TOM
from sandbox.pipedrive.server import Sandbox
from tests.sandbox.pipedrive.conftest import TOKEN, Pipe


def page(pipe, path):
    answer = pipe.session.get(pipe.url + path, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.text


def send(pipe, path, **form):
    answer = pipe.session.post(pipe.url + path, data=form, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_a_rep_finds_the_task_in_the_queue_and_completes_it(pipe):
    ada = pipe.person()
    id_ = pipe.task(ada, owner_id=KIM, subject="Hot lead: Ada", due_date="2026-05-04", note="Why")

    assert "Hot lead: Ada" in page(pipe, f"/?owner={KIM}")
    send(pipe, f"/tasks/{id_}", status="done", back=f"/?owner={KIM}")

    assert pipe.get(f"/v2/activities/{id_}")["done"] is True
    names = "last_outgoing_mail_time"
    assert pipe.get(f"/v2/persons/{ada}?include_fields={names}")[names]
    assert "Hot lead: Ada" in page(pipe, f"/?owner={KIM}&show=done")


def test_a_deal_moves_over_the_board_to_won(pipe):
    id_ = pipe.deal(title="Big plan", person_id=pipe.person())

    assert "Big plan" in page(pipe, "/deals")
    for stage, held in (("15", (15, "open")), ("won", (15, "won")), ("11", (11, "open"))):
        send(pipe, f"/deals/{id_}", stage_id=stage, owner_id=ANA)
        found = pipe.get(f"/v2/deals/{id_}")
        assert (found["stage_id"], found["status"]) == held
    assert found["owner_id"] == ANA


def test_a_contact_shows_what_the_product_sent_and_takes_a_reps_choice(pipe):
    score, tier = pipe.field("Lead score"), pipe.field("Tier", "enum", "Gold", "Tin")
    gold = pipe.get(f"/v2/personFields/{tier}")["options"][0]["id"]
    ada = pipe.person(custom_fields={score: 82}, owner_id=KIM)

    shown = page(pipe, f"/person/{ada}")
    assert ">82<" in shown
    assert ">Gold<" in shown
    send(pipe, f"/contacts/{ada}", owner_id=ANA, label_ids="2", **{tier: str(gold)})

    found = pipe.get(f"/v2/persons/{ada}")
    assert (found["owner_id"], found["label_ids"]) == (ANA, [2])
    assert found["custom_fields"][tier] == gold
    send(pipe, f"/contacts/{ada}", owner_id=ANA, label_ids="", **{tier: ""})
    assert pipe.get(f"/v2/persons/{ada}")["custom_fields"][tier] is None


def test_a_contact_is_deleted_and_restored(pipe):
    ada = pipe.person()
    send(pipe, f"/contacts/{ada}/archive", archived="yes")
    gone = pipe.get("/v2/persons")
    send(pipe, f"/contacts/{ada}/archive", archived="")

    assert (gone, [each["id"] for each in pipe.get("/v2/persons")]) == ([], [ada])


def test_a_merged_contact_leads_to_the_one_that_stayed(pipe):
    kept, gone = pipe.person(), pipe.person("a@home.example")
    pipe.done("PUT", f"/v1/persons/{gone}/merge", {"merge_with_id": kept})

    answer = pipe.session.get(f"{pipe.url}/person/{gone}", timeout=10)

    assert answer.url == f"{pipe.url}/contacts/{kept}"


def test_a_deal_is_made_on_a_contacts_page(pipe):
    ada = pipe.person()

    send(pipe, f"/contacts/{ada}/deals", title="Plan", value="12", stage_id="12", owner_id=KIM)

    (deal,) = pipe.get(f"/v2/deals?person_id={ada}")
    assert (deal["title"], deal["value"], deal["stage_id"]) == ("Plan", 12, 12)


def test_who_leaves_is_shown_as_gone_and_comes_back(pipe):
    send(pipe, f"/owners/{KIM}", archived="yes")
    gone = {each["id"]: each["active_flag"] for each in pipe.get("/v1/users")}
    send(pipe, f"/owners/{TOM}", archived="")

    assert gone[KIM] is False
    assert {each["id"]: each["active_flag"] for each in pipe.get("/v1/users")}[TOM] is True


def test_what_does_not_exist_is_said_so(pipe):
    for path in ("/person/5", "/person/x", "/deals/5", "/tasks/5"):
        assert pipe.session.get(pipe.url + path, timeout=10).status_code == 404
    answer = pipe.session.post(f"{pipe.url}/contacts/{pipe.person()}", data={"owner_id": "5"})
    assert answer.status_code == 400


def test_every_kind_of_trouble_can_be_chosen(pipe):
    shown = page(pipe, "/trouble")

    for name in [*pipe.sandbox.trouble.dials, *pipe.sandbox.trouble.switches]:
        assert f'"{name}"' in shown or f"/trouble/{name}" in shown


# --- as a process, and in a file


def test_it_listens_as_a_process_and_ends_when_told():
    command = [sys.executable, "-m", "sandbox.pipedrive", "--port", "0", "--token", "t"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    url = process.stdout.readline().split()[-1]
    me = requests.get(f"{url}/v1/users/me", headers={"x-api-token": "t"}, timeout=10)
    process.terminate()
    with process:
        code = process.wait(timeout=10)

    assert (me.status_code, code) == (200, 0)


def test_its_data_outlive_it_in_a_file(tmp_path):
    file = tmp_path / "account.json"
    with Sandbox(TOKEN, rate=0, file=file) as first:
        there = Pipe(first)
        tier = there.field("Tier", "enum", "Gold")
        ada, bo = there.person(), there.person("bo@lead.example")
        gone = there.person("a@home.example")
        there.done("PUT", f"/v1/persons/{gone}/merge", {"merge_with_id": ada})
        deal, task = there.deal(person_id=ada), there.task(ada)
        there.post(f"/v1/deals/{deal}/participants", {"person_id": bo})
    with Sandbox(TOKEN, rate=0, file=file) as second:
        again = Pipe(second)
        again.turn(search_lag=0)

        assert [each["id"] for each in again.get(f"/v2/persons?deal_id={deal}")] == [ada, bo]
        assert [each["id"] for each in again.get(f"/v2/activities?person_id={ada}")] == [task]
        assert again.get(f"/v2/persons/{gone}")["is_deleted"] is True
        assert again.found("bo@lead.example") == [bo]
        assert again.get(f"/v2/personFields/{tier}")["options"][0]["label"] == "Gold"
        assert again.person() == gone + 1
        assert second.store.merged["persons"] == {gone: ada}
    there.session.close()
    again.session.close()
