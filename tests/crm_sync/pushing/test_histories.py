"""Whatever happens on both sides in whatever order: what a rep typed stays, and all comes to rest."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_sync.handoff.deliver import deliver_due
from crm_sync.models import Handoff, Link
from crm_sync.pull.poll import pull_changes
from crm_sync.push.batch import push_due
from leadscoring.intake import take_contacts
from leadscoring.models import Contact, Score
from tests.crm_sync.makers import MONDAY, a_contact, a_handoff, a_score

pytestmark = pytest.mark.django_db

FIELDS = {"first_name": "firstname", "job_title": "jobtitle", "phone": "phone"}
STATUS = "hs_lead_status"
STATUSES = ("OPEN", "CONNECTED", "BAD_TIMING")
WRITES = ("batch/update", "batch/upsert", "batch/create")

ours = st.tuples(st.just("ours"), st.sampled_from(sorted(FIELDS)))
reps = st.tuples(st.just("rep"), st.sampled_from([*FIELDS.values(), STATUS]))
others = st.tuples(st.sampled_from(["score", "push", "deliver", "pull"]), st.just(""))
histories = st.lists(ours | reps | others, min_size=4, max_size=14)


class History:
    """Somebody who was handed off, and all that happens to them, an hour apart."""

    def __init__(self, crm, there):
        self.crm, self.there, self.hours, self.typed = crm, there, 0, {}
        self.ada = a_contact(f"ada{Contact.objects.count()}@engines.example", first_name="Ada")
        a_score(self.ada)
        a_handoff(self.ada)
        deliver_due(crm, self.at)
        self.record_id = Link.objects.get(contact=self.ada).record_id

    @property
    def at(self):
        return MONDAY + timedelta(hours=self.hours)

    def step(self, what, field):
        self.hours += 1
        getattr(self, what)(field)

    def ours(self, field):
        take_contacts([{"email": self.email, field: f"{self.hours}"}], self.at)

    @property
    def email(self):
        return Contact.objects.get(pk=self.ada.pk).email

    def rep(self, name):
        value = STATUSES[self.hours % 3] if name == STATUS else f"typed {self.hours}"
        self.there.set(self.record_id, **{name: value})
        self.typed[name] = value

    def score(self, _):
        Score.objects.filter(contact=self.ada).update(total=70 + self.hours)

    def push(self, _):
        push_due(self.crm, self.at)

    def pull(self, _):
        pull_changes(self.crm, self.at, full=True)

    def deliver(self, _):
        a_handoff(self.ada, cycle=Handoff.objects.filter(contact=self.ada).count() + 1)
        deliver_due(self.crm, self.at)

    def settle(self):
        for _ in range(3):
            self.step("pull", "")
            self.step("push", "")

    def stands(self):
        return {name: self.there.value(self.record_id, name) for name in self.typed}


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=histories)
def test_what_a_rep_typed_is_never_written_over_and_at_rest_nothing_is_written(crm, there, steps):
    history = History(crm, there)

    for step in steps:
        history.step(*step)
        assert history.stands() == history.typed
    history.settle()
    there.sandbox.state.log.clear()
    history.settle()

    assert history.stands() == history.typed
    assert not [each for each in there.sandbox.state.log if each["path"].endswith(WRITES)]
