"""The form in which a rep's leads, days away and working hours are edited."""

import re
from functools import lru_cache
from typing import Any

import holidays
from django import forms
from holidays.registry import COUNTRIES

from crm_sync.models import Owner
from leadscoring.admin.unfold_types import Checkboxes, ModelForm, Select
from leadscoring.common.time_zones import known_time_zones

DAYS = {
    "1": "Monday",
    "2": "Tuesday",
    "3": "Wednesday",
    "4": "Thursday",
    "5": "Friday",
    "6": "Saturday",
    "7": "Sunday",
}


@lru_cache(maxsize=1)
def country_choices() -> list[tuple[str, str]]:
    """Return the countries whose holidays are known, as code and name, by name."""
    words = [(code, re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)) for name, code, *_ in COUNTRIES.values()]  # fmt: skip
    return sorted(words, key=lambda pair: pair[1])


def region_choices(country: str) -> list[str]:
    return holidays.list_supported_countries(include_aliases=False).get(country, [])


class RepForm(ModelForm[Owner]):
    working_days = forms.MultipleChoiceField(
        choices=list(DAYS.items()), widget=Checkboxes, help_text="At least one."
    )
    country = forms.ChoiceField(
        label="Holidays of", required=False, widget=Select, help_text="Empty: no holidays.",
        choices=lambda: [("", "–"), *country_choices()],
    )  # fmt: skip

    class Meta:
        model = Owner
        fields = (
            "takes_leads", "weight", "most_a_day", "is_fallback", "away_from", "away_until",
            "time_zone", "working_days", "opens", "closes", "country", "subdivision",
        )  # fmt: skip
        help_texts = {"subdivision": "Its code, such as BY for Bavaria. Empty: the whole country."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The days are stored as one text of digits, one for each day.
        if "working_days" in self.fields:
            self.initial["working_days"] = list(self.initial.get("working_days") or "")

    def clean_away_until(self) -> Any:
        """Require a first day. Runs after that field, which stands before it."""
        last = self.cleaned_data["away_until"]
        if last and not self.cleaned_data.get("away_from"):
            raise forms.ValidationError("Say the first day, too.")
        return last

    def clean_working_days(self) -> str:
        return "".join(sorted(self.cleaned_data["working_days"]))

    def clean_time_zone(self) -> str:
        zone = str(self.cleaned_data["time_zone"]).strip()
        if zone and zone not in known_time_zones():
            raise forms.ValidationError("Not a time zone; they look like Europe/Berlin.")
        return zone

    def clean_subdivision(self) -> str:
        """Check the region. Runs after the country, which stands before it among the fields."""
        code = str(self.cleaned_data["subdivision"]).strip()
        country = self.cleaned_data.get("country", "")
        if code and code not in (known := region_choices(country)):
            told = ", ".join(known[:60]) or "none"
            raise forms.ValidationError(f"Not a region whose holidays are known; those are: {told}.")  # fmt: skip
        return code
