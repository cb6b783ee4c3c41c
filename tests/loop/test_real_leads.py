"""Real leads go through the whole loop, each who crosses with exactly one task."""

from pathlib import Path

import pytest
from rich.console import Console

from tests.bench import real_leads


@pytest.mark.skipif(
    not real_leads.LEADS.exists(), reason=f"the real leads are not at {real_leads.LEADS}"
)
def test_real_leads_cross_once_each_and_the_score_tells_who_converts(tmp_path: Path):
    result = real_leads.run(tmp_path, Console(quiet=True))

    assert result.people == 9_237
    assert result.tasks == result.crossed > 1_000
    assert result.once
    assert result.auc > 0.8


def test_auc_is_one_when_the_order_is_perfect_and_a_half_when_it_says_nothing():
    assert real_leads.auc([(1, 0), (2, 0), (3, 1)]) == 1
    assert real_leads.auc([(1, 0), (1, 1), (1, 0), (1, 1)]) == 0.5
    assert real_leads.auc([(3, 0), (2, 0), (1, 1)]) == 0
