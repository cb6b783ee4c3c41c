import pytest

from leadscoring.engine.lookups import LOOKUPS, build_matcher, number_of, text_of

TRUTH_TABLE = [
    # look-up, values of the rule, fact, matches
    ("exact", ["VP"], "VP", True),
    ("exact", ["VP"], "vp", False),
    ("exact", ["VP"], "VP Sales", False),
    ("exact", ["VP", "CEO"], "CEO", True),
    ("exact", [50], 50, True),
    ("exact", [50], 50.0, True),
    ("exact", [50], "50", True),
    ("exact", [50], " 50.0 ", True),
    ("exact", [50], "fifty", False),
    ("exact", ["50"], 50, True),
    ("exact", ["2.5"], 2.5, True),
    ("exact", [1], True, False),
    ("exact", [0], False, False),
    ("exact", [True], True, True),
    ("exact", [True], "True", True),
    ("exact", [True], 1, False),
    ("exact", [False], "false", True),
    ("exact", [False], None, False),
    ("exact", ["true"], True, True),
    ("exact", [True], "Yes", True),
    ("exact", [True], " 1 ", True),
    ("exact", [True], "WAHR", True),
    ("exact", [True], "Oui", True),
    ("exact", [True], "Nein", False),
    ("exact", [False], "Nein", True),
    ("exact", [False], "0", True),
    ("exact", [False], "maybe", False),
    ("exact", [True], ["no", "Sí"], True),
    ("in", ["DE", "FR"], "FR", True),
    ("in", ["DE", "FR"], "fr", False),
    ("in", ["DE", 7], 7, True),
    ("in", ["DE"], ["FR", "DE"], True),
    ("iexact", ["ceo"], "CEO", True),
    ("iexact", ["ceo"], "CEO of x", False),
    ("iexact", ["strasse"], "Straße", True),
    ("contains", ["/pricing"], "https://us.example/pricing?a", True),
    ("contains", ["/pricing"], "/Pricing", False),
    ("contains", ["a", "z"], "xyz", True),
    ("contains", ["5"], 1_500, True),
    ("icontains", ["vp", "head"], "Head of Sales", True),
    ("icontains", ["vp"], "Engineer", False),
    ("startswith", ["VP"], "VP Sales", True),
    ("startswith", ["VP"], "Not VP", False),
    ("startswith", ["vp"], "VP", False),
    ("endswith", [".edu"], "mit.edu", True),
    ("endswith", [".edu"], "edu.example", False),
    ("gt", [50], 51, True),
    ("gt", [50], 50, False),
    ("gt", [50], "51", True),
    ("gt", [50], "9", False),
    ("gte", [50], 50, True),
    ("gte", [50], "49.99", False),
    ("lt", [50], 49, True),
    ("lt", [50], "50", False),
    ("lte", [50], 50.0, True),
    ("lte", [50], "inf", False),
    ("gte", [50], "infinity", False),
    ("gte", [50], "1e9", False),
    ("gt", [0], True, False),
    ("lte", [50], "", False),
    ("gt", [90, 50], 60, True),
    ("gte", [50], "1,234", True),
    ("gte", [50], "250+", True),
    ("gte", [50], "501-1000", True),
    ("gte", [50], "11-50", False),
    ("gte", ["2026-01-01"], "2026-05-20", True),
    ("gte", ["2026-01-01"], "2025-12-31", False),
    ("gte", ["2026-01-01"], 2027, False),
    ("lt", ["b"], "", False),
    ("lt", [5], [9, 3], True),
    ("isnull", [True], None, True),
    ("isnull", [True], "", True),
    ("isnull", [True], [], True),
    ("isnull", [True], {}, True),
    ("isnull", [True], 0, False),
    ("isnull", [True], False, False),
    ("isnull", [False], "x", True),
    ("isnull", [False], None, False),
]


@pytest.mark.parametrize(("lookup", "values", "fact", "matches"), TRUTH_TABLE)
def test_a_look_up_says(lookup, values, fact, matches):
    assert build_matcher(lookup, values)(fact) is matches


def test_the_table_has_every_look_up_saying_both():
    said = {(lookup, matches) for lookup, _, _, matches in TRUTH_TABLE}

    assert said == {(lookup, truth) for lookup in LOOKUPS for truth in (True, False)}


@pytest.mark.parametrize("lookup", [lookup for lookup in LOOKUPS if lookup != "isnull"])
@pytest.mark.parametrize("missing", [None, "", [], {}, [None, ""], {"a": "x"}])
def test_what_is_missing_or_a_mapping_matches_no_look_up_but_isnull(lookup, missing):
    assert not build_matcher(lookup, ["x"])(missing)
    assert not build_matcher(lookup, [0])(missing)


@pytest.mark.parametrize(
    ("fact", "number"),
    [
        ("١", None),
        ("1_000", None),
        ("1 234", 1234),
        ("1\u202f234\u202f567", 1234567),
        ("1,234", 1234),
        ("1.234.567", 1234567),
        ("1.234", 1.234),
        ("1.234,5", 1234.5),
        ("1,234.5", 1234.5),
        ("1'234", 1234),
        ("12,5", 12.5),
        ("-1,234", -1234),
        ("250+", 250),
        ("501-1000", 501),
        ("501 – 1,000", 501),
        ("1,001 to 5,000", 1001),
        ("12345-6789", None),
        ("2026-05-20", None),
        ("1,2,3", None),
        ("1,234,5", None),
        ("1.2.3.4", None),
        ("+47 123 45", None),
        ("about 50", None),
        ("nan", None),
        ("9" * 5_000, None),
        ("-1.5", -1.5),
        (True, None),
    ],
)
def test_text_that_spells_a_number_as_people_do_is_one(fact, number):
    assert number_of(fact) == number


@pytest.mark.parametrize(
    ("fact", "text"),
    [(50.0, "50"), (2.5, "2.5"), (1e300, "1e+300"), (False, "false"), (None, None)],
)
def test_numbers_are_written_in_their_shortest_form(fact, text):
    assert text_of(fact) == text
