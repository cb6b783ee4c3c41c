"""Leads out of a file go through the whole loop, each who crosses with exactly one task."""

from pathlib import Path
from random import Random

import pytest
from rich.console import Console

from tests.bench import real_leads


def made_up_leads(count: int) -> list[dict[str, str]]:
    """Leads in the columns of the real ones, with their gaps; a long visit makes a customer likely."""
    random = Random(7)
    rows = []
    for number in range(count):
        seconds = random.choice([0, 40, 250, 700, 1_400])
        occupation = random.choice(["Working Professional", "Unemployed", "Student", ""])
        chance = 0.1 + 0.4 * (seconds > 600) + 0.4 * (occupation == "Working Professional")
        rows.append(
            {
                "Prospect ID": str(random.getrandbits(64)),
                "Lead Number": str(579_000 + number),
                "Lead Origin": random.choice(["API", "Landing Page Submission", "Lead Add Form"]),
                "Lead Source": random.choice(["Google", "Olark Chat", "Reference", ""]),
                "Do Not Email": random.choice(["Yes", "No", "No", "No"]),
                "Country": random.choice(["India", "Côte d’Ivoire", ""]),
                "City": random.choice(["Mumbai", "Thane & Outskirts", "Select", ""]),
                "Specialization": random.choice(["Banking, Investment And Insurance", "Select"]),
                "What is your current occupation": occupation,
                "How did you hear about X Education": random.choice(["Select", "Word Of Mouth"]),
                "TotalVisits": random.choice(["", "0", "1.0", "3.0", "251.0"]),
                "Total Time Spent on Website": str(seconds) if seconds else "",
                "Last Activity": random.choice(["Email Opened", "SMS Sent", "Page Visited on Website"]),
                "Converted": str(int(random.random() < chance)),
            }
        )  # fmt: skip
    return rows


def test_leads_out_of_a_file_cross_once_each(tmp_path: Path):
    result = real_leads.run(made_up_leads(300), tmp_path, Console(quiet=True))

    assert result.people == 300
    assert result.tasks == result.crossed > 30
    assert result.once
    assert result.auc > 0.7


@pytest.mark.skipif(not real_leads.LEADS_CSV, reason=real_leads.NO_LEADS)
def test_real_leads_cross_once_each_and_the_score_tells_who_converts(tmp_path: Path):
    rows = real_leads.leads(Path(real_leads.LEADS_CSV))

    result = real_leads.run(rows, tmp_path, Console(quiet=True))

    assert result.people == len(rows) > 9_000
    assert result.tasks == result.crossed > 1_000
    assert result.once
    assert result.auc > 0.8


def test_auc_is_one_when_the_order_is_perfect_and_a_half_when_it_says_nothing():
    assert real_leads.auc([(1, 0), (2, 0), (3, 1)]) == 1
    assert real_leads.auc([(1, 0), (1, 1), (1, 0), (1, 1)]) == 0.5
    assert real_leads.auc([(3, 0), (2, 0), (1, 1)]) == 0
