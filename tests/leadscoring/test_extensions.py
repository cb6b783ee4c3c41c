"""What an upper app adds to a lower one is added once, under a name of its own."""

import pytest

from leadscoring import extensions
from leadscoring.extensions import ExtensionPoint


def test_extensions_stand_in_the_order_in_which_they_came():
    point: ExtensionPoint[str] = ExtensionPoint()

    point.add("second", "b")
    point.add("first", "a")

    assert list(point) == ["second", "first"]


def test_a_name_is_one_extensions_alone_and_adding_it_again_changes_nothing():
    point: ExtensionPoint[object] = ExtensionPoint()
    first = object()
    point.add("one", first)
    point.add("one", first)

    with pytest.raises(ValueError, match="one"):
        point.add("one", object())

    assert point == {"one": first}


def test_each_point_has_an_extension_of_an_app_above():
    points = {
        name: point for name, point in vars(extensions).items() if isinstance(point, ExtensionPoint)
    }

    assert points
    assert all(points.values()), [name for name, point in points.items() if not point]
