"""An id names one person in its namespace, and overwrites the address of nobody."""

import json
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import call_command

from leadscoring import api_keys
from leadscoring.erasing import erase_contact
from leadscoring.intake import take_activities, take_contacts
from leadscoring.merging import merge_contacts
from leadscoring.models import Contact, CrmState, Identifier
from tests.admin_pages import as_, page
from tests.makers import NOON, a_contact

pytestmark = pytest.mark.django_db


def seven(source="billing", **fields):
    return {"external_id": "7", "id_source": source, **fields}


def take(*items, **options):
    return take_contacts(items, NOON, **options)


@pytest.fixture
def api(client):
    key = {"authorization": f"Bearer {api_keys.create_key('tests')[1]}"}
    return lambda path: client.get(f"/api/v1/contacts{path}", headers=key)


def imported(tmp_path, text, *options, command="import_contacts"):
    path, out, code = tmp_path / "file.csv", StringIO(), 0
    path.write_text(text)
    try:
        call_command(command, str(path), "--json", *options, stdout=out)
    except SystemExit as ended:
        code = int(str(ended.code))
    return json.loads(out.getvalue()), code


FIRST = "id,Email,First name\n1,ada@example.com,Ada\n2,ben@example.com,Ben\n"
SECOND = "id,Email,First name\n1,cleo@example.com,Cleo\n2,dan@example.com,Dan\n"
ALL = ["ada@example.com", "ben@example.com", "cleo@example.com", "dan@example.com"]


def emails():
    return list(Contact.objects.order_by("email").values_list("email", flat=True))


@pytest.mark.parametrize("dry", [True, False])
def test_of_two_files_that_count_from_one_the_second_overwrites_nobody(tmp_path, dry):
    imported(tmp_path, FIRST)

    answer, code = imported(tmp_path, SECOND, *(["--dry-run"] if dry else []))

    assert (answer["rejected"], answer["updated"], code) == (2, 0, 1)
    assert "ada@example.com" in answer["rejections"][0]["reason"]
    assert (emails(), Contact.objects.get(external_id="1").first_name) == (ALL[:2], "Ada")


@pytest.mark.parametrize("first", [[], ["--id-source", "Shop"]])
def test_two_files_that_count_from_one_are_four_people_in_two_namespaces(tmp_path, first):
    imported(tmp_path, FIRST, *first)
    dry, _ = imported(tmp_path, SECOND, "--id-source", "fair", "--dry-run")
    answer, code = imported(tmp_path, SECOND, "--id-source", "fair")
    alone = ("--id-source", "FAIR", "--map", "external_id=id")
    again, _ = imported(tmp_path, "id,Job title\n1,CEO\n", *alone)

    assert (dry["created"], answer["created"], again["updated"], code) == (2, 2, 1, 0)
    assert emails() == ALL
    assert Contact.objects.get(job_title="CEO").email == "cleo@example.com"


def test_an_activity_of_a_file_goes_to_nobody_who_has_another_address(tmp_path):
    imported(tmp_path, FIRST)
    row = "User id,Email,Event,Time\n1,cleo@example.com,demo,2026-05-01T10:00:00Z\n"

    wrong, _ = imported(tmp_path, row, command="import_activities")
    right, _ = imported(tmp_path, row, "--id-source", "fair", command="import_activities")

    assert (wrong["rejected"], right["accepted"]) == (1, 1)
    assert Contact.objects.get(activities__type="demo").email == "cleo@example.com"


def test_one_id_of_two_namespaces_is_two_people_and_each_is_found(api):
    taken = take(seven("billing"), seven("fair"), {"external_id": "7"}, seven("billing"))

    assert (taken.created, taken.unchanged) == (3, 1)
    assert Contact.objects.count() == 3
    found = [
        api(f"?external_id=7{source}").json()
        for source in ("", "&id_source=Billing", "&id_source=fair")
    ]
    assert len({one["id"] for one in found}) == 3
    assert found[1]["identifiers"] == [{"source": "billing", "value": "7"}]
    assert api("?external_id=8&id_source=billing").status_code == 404
    assert api("").status_code == api("?external_id=%00").status_code == 422


def test_what_the_crm_calls_somebody_finds_them(api):
    ada = a_contact(email="ada@example.com")
    CrmState.objects.create(contact=ada, record_id="991", since=NOON, seen_at=NOON)

    assert api(f"?external_id=991&id_source={settings.CRM}").json()["id"] == ada.pk


def test_an_id_alone_names_whom_it_was_given_with():
    take(seven(email="ada@example.com"))

    taken = take(seven(first_name="Ada"))
    acts = take_activities([seven(type="page_view")], "web", NOON)

    assert (taken.updated, acts.accepted, acts.rejected) == (1, 1, [])
    assert Contact.objects.get().first_name == "Ada"


def test_items_of_a_batch_name_one_person_by_either():
    taken = take(seven(), seven(email="ada@example.com"), {"email": "ada@example.com"})

    assert (taken.created, taken.updated, taken.unchanged) == (1, 1, 1)
    assert Contact.objects.get().named_item() == {"email": "ada@example.com"}


def test_an_id_of_another_source_moves_nobody_to_another_address():
    take(seven(email="ada@example.com"))

    person = take(seven(email="ben@example.com", first_name="Ben"))
    act = take_activities([seven(email="ben@example.com", type="demo")], "web", NOON)

    assert [one.field for one in person.rejected + act.rejected] == ["external_id"] * 2
    assert emails() == ["ada@example.com"]


def test_identifiers_of_two_people_are_refused_with_both_named():
    take(seven(email="ada@example.com"), {"email": "ben@example.com"})
    ada, ben = Contact.objects.order_by("email")

    [rejected] = take(seven(email="ben@example.com")).rejected

    assert f"contact {ben.pk} (ben@example.com)" in rejected.message
    assert f"contact {ada.pk} (ada@example.com billing 7)" in rejected.message


def test_the_ids_of_both_name_the_one_who_stays_after_a_merge_and_go_with_them():
    take(seven("a", email="ada@example.com"), seven("b", email="ada@home.example"))
    kept, gone = Contact.objects.order_by("pk")

    merge_contacts(kept.pk, gone.pk, NOON)
    taken = take(seven("b", job_title="CEO"))

    kept.refresh_from_db()
    assert (taken.updated, kept.job_title, kept.identifiers.count()) == (1, "CEO", 2)
    erase_contact(kept.pk, NOON)
    assert not Identifier.objects.exists()


def test_an_id_source_without_an_id_is_refused():
    [rejected] = take({"email": "ada@example.com", "id_source": "billing"}).rejected

    assert rejected.field == "id_source"


def test_somebody_known_by_an_id_of_another_source_alone_can_be_edited():
    take(seven())
    contact = Contact.objects.get()
    marketer = as_("Marketing")
    form = {"email": "ada@example.com", "first_name": "Ada", "properties": "{}"}

    answer = marketer.post(page("leadscoring.contact", contact.pk), form)

    assert answer.status_code == 302
    assert Contact.objects.values_list("pk", "email", "first_name").get() == (
        contact.pk, "ada@example.com", "Ada",
    )  # fmt: skip


def test_a_persons_page_shows_their_ids_elsewhere_until_they_are_erased():
    take(seven("fair <b>", email="ada@example.com"), seven("shop"))
    ada, stranger = Contact.objects.order_by("pk")
    marketer = as_("Marketing")

    told = marketer.get(page("leadscoring.contact", ada.pk)).content.decode()
    listed = marketer.get(page("leadscoring.contact")).content.decode()
    erase_contact(ada.pk, NOON)

    assert '<bdi class="ls-soft">fair &lt;b&gt;</bdi> <bdi>7</bdi>' in told
    assert f"contact {stranger.pk}" in listed
    assert [str(one) for one in Identifier.objects.all()] == ["shop 7"]


def test_a_thousand_ids_of_another_source_take_as_many_queries_as_two(
    django_assert_max_num_queries,
):
    with django_assert_max_num_queries(25):
        taken = take(*({"external_id": str(n), "id_source": "fair"} for n in range(200)))

    assert taken.created == 200
