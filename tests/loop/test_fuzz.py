"""The API as its own description says, tried with hundreds of requests that nobody would write."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.loop.outside import everything

EXAMPLES = 300  # for each operation

pytestmark = pytest.mark.long


def test_no_request_finds_an_answer_that_the_description_does_not_name(tmp_path: Path):
    with everything(tmp_path) as product:
        for number in (1, 2, 3):  # ids that lead somewhere
            product.post("contacts", {"email": f"p{number}@alder.example", "first_name": "Ada"})
        found = subprocess.run(
            [
                str(Path(sys.executable).with_name("schemathesis")),
                "run",
                f"{product.stage.web}/api/v1/openapi.json",
                "--header",
                f"Authorization: Bearer {product.key}",
                "--checks",
                "all",
                # A description cannot say which addresses and times a site takes; and of a batch with
                # bad items the good ones are taken.
                "--exclude-checks",
                "positive_data_acceptance,negative_data_rejection",
                "--max-examples",
                str(EXAMPLES),
                "--workers",
                "1",
                "--seed",
                "1",
                "--no-color",
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    assert found.returncode == 0, found.stdout[-5_000:]
