"""Unsubscribing somebody from all mail, as HubSpot's communication preferences do it."""

import pytest

PATH = "/communication-preferences/v4/statuses/ada%40x.example/unsubscribe-all?channel=EMAIL"


def test_whoever_has_the_address_is_opted_out(hub):
    id_ = hub.contact(email="ada@x.example")

    answer = hub.ask("POST", PATH)

    assert (answer.status_code, answer.json()["status"]) == (200, "COMPLETE")
    assert hub.properties("contacts", id_, "hs_email_optout")["hs_email_optout"] == "true"


@pytest.mark.parametrize(
    "path", [PATH.partition("?")[0], PATH.replace("EMAIL", "SMS"), PATH.replace("%40", "")]
)
def test_another_channel_and_what_is_no_address_are_refused(hub, path):
    assert hub.ask("POST", path).status_code == 400
