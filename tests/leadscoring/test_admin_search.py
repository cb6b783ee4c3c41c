"""The search of the lists: any word of a name or company, in any order, on every list of people."""

from typing import Any

import pytest
from django.db import connection
from django.utils.timezone import now

from crm_sync.models import Deal, Outcome
from leadscoring.admin.search import find_people, search_names
from leadscoring.erasing import erase_contact
from leadscoring.intake import take_contacts
from leadscoring.merging import merge_contacts
from leadscoring.models import Company, Contact, ContactSearch, ModelVersion
from leadscoring.scoring import rescore
from sequences.models import Delivery, Suppression
from tests.admin_pages import as_superuser, page
from tests.crm_sync.makers import a_handoff
from tests.makers import NOON, a_contact, an_activity
from tests.sequences.makers import a_sequence, an_enrollment

pytestmark = pytest.mark.django_db


def someone(**fields: str) -> Contact:
    known: dict[str, Any] = {"email": "zoe@alder.example", "external_id": "crm-7", "first_name": "Zoë",
             "last_name": "Müller-Brown", "company": "Alder Robotics"}  # fmt: skip
    return a_contact(**{**known, **fields})


def found(typed: str) -> bool:
    return find_people(typed).exists()


@pytest.mark.parametrize("typed", [
    "robotics", "alder rob", "robotics alder", "OBOTIC", "@alder.example", "@alder", "zoe@", "ZOE", "zoë",
    "Zoe\u0308", "muller", "MÜLLER", "brown zoe", "zoe robotics", "crm-7", "al", "a", "@a", "zo ro", "ZÖ",
])  # fmt: skip
def test_somebody_is_found_by_words_in_any_order_each_a_part(typed: str) -> None:
    someone()

    assert found(typed)


@pytest.mark.parametrize("typed", [
    "robotics birch", "alderrobotics", "ob", "e", "%", "_", "%%%", "z_e", "al%r", "\\", "'", "@lder", "@birch",
])  # fmt: skip
def test_what_is_typed_is_meant_to_the_letter(typed: str) -> None:
    someone()

    assert not found(typed)


@pytest.mark.parametrize("typed", ["50%", "a_b", "c:\\d", "o'h"])
def test_signs_that_patterns_use_can_be_searched_for(typed: str) -> None:
    someone(company="O'Hara 50% a_b c:\\d")

    assert found(typed)


def test_a_search_is_bounded() -> None:
    someone()

    assert found("alder " * 8 + "nobody " * 1_000)
    assert found("alder" + " " * 200 + "nobody")


def test_a_search_follows_what_changes() -> None:
    take_contacts([{"email": "zoe@alder.example", "company": "Alder Robotics"}], NOON)
    take_contacts([{"email": "zoe@alder.example", "company": "Birch", "last_name": "Reed"}], NOON)

    assert found("birch reed")
    assert not found("robotics")


def test_nothing_of_somebody_who_is_gone_is_found() -> None:
    kept, gone, erased = someone(), a_contact(first_name="Wanda"), a_contact(first_name="Vera")
    merge_contacts(kept.pk, gone.pk, NOON)
    rescore([erased.pk], NOON)
    erase_contact(erased.pk, NOON)

    assert list(ContactSearch.objects.values_list("pk", flat=True)) == [kept.pk]


def test_somebody_made_by_a_bare_statement_is_found_and_can_be_deleted_by_one() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO leadscoring_contact (email, first_name, last_name, job_title, phone, country, "
            "properties, lifecycle_stage, created_at, updated_at) "
            "VALUES ('w@birch.example', 'Wanda', '', '', '', '', '{}', 'lead', now(), now())"
        )
        assert found("wanda")
        cursor.execute("DELETE FROM leadscoring_contact")

    assert not ContactSearch.objects.exists()


@pytest.mark.parametrize("label", [
    "leadscoring.contact", "leadscoring.company", "leadscoring.activity", "crm_sync.handoff", "crm_sync.deal",
    "crm_sync.outcome", "sequences.enrollment", "sequences.delivery",
])  # fmt: skip
def test_every_list_of_people_is_searched_by_their_names_and_companies(label: str) -> None:
    for person in (someone(), a_contact(company="Birch Foods")):
        an_activity(person)
        handoff = a_handoff(person, status="delivered", delivered_at=now(), task_id=f"t{person.pk}",
                            record_id=f"r{person.pk}", owner_id="1", task_tried_at=NOON)  # fmt: skip
        Outcome.objects.create(
            handoff=handoff, model=ModelVersion.objects.latest("pk"), since=NOON, seen_at=NOON
        )
        Deal.objects.create(deal_id=str(person.pk), seen_at=NOON).contacts.add(person)
        Delivery.objects.create(message_id=f"m{person.pk}",
            enrollment=an_enrollment(person, a_sequence()), position=1, state="sent", sent_at=NOON,
            claimed_at=NOON,
        )  # fmt: skip
    client = as_superuser()
    words = "robotics alder" if label == "leadscoring.company" else "robotics muller"

    listed, all_of_them = (client.get(page(label), {"q": q}).context["cl"] for q in (words, ""))

    assert (listed.result_count, all_of_them.result_count) == (1, 2)


def test_a_deal_is_found_by_its_own_name_too() -> None:
    Deal.objects.create(deal_id="1", name="Renewal, 40 seats", seen_at=NOON)

    assert (
        as_superuser().get(page("crm_sync.deal"), {"q": "seats renew"}).context["cl"].result_count
    )


def test_addresses_that_get_no_mail_are_found_by_any_part() -> None:
    for email in ("no@alder.example", "no@birch.example"):
        Suppression.objects.create(email=email, reason="by_hand", created_at=NOON)

    listed = as_superuser().get(page("sequences.suppression"), {"q": "@Alder"}).context["cl"]

    assert [row.email for row in listed.queryset] == ["no@alder.example"]


@pytest.mark.parametrize("typed", ["robotics", "al", "a", "@alder", "zoe mull"])
def test_a_search_reads_the_index(typed: str) -> None:
    """With few rows a scan is cheaper, so that it is switched off here."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")

    assert "Bitmap Index Scan on contact_search" in find_people(typed).explain()
    assert (
        "Bitmap Index Scan on company_search"
        in search_names(Company.objects.all(), typed).explain()
    )


def test_no_page_offers_the_search_of_pages_which_the_cache_refuses() -> None:
    client = as_superuser()

    assert client.get("/admin/search/", {"s": "contact", "extended": "1"}).status_code == 404
    assert "searchCommand" not in client.get("/admin/").content.decode()
