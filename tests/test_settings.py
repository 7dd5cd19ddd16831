import pytest

from bgwatch.errors import SettingsError
from bgwatch.settings import Segmentation, Settings, segmentation


def test_a_wrong_option_names_the_nearest() -> None:
    with pytest.raises(SettingsError, match=r"tolerence: is not a setting; did you mean 'tolerance'\?"):
        segmentation({"tolerence": 3})


@pytest.mark.parametrize(
    "options",
    [
        {"clusters": 0},
        {"clusters": 257},
        {"clusters": "8"},
        {"clusters": True},
        {"tolerance": -1},
        {"method": "magic"},
        {"backdrop": "grey"},
        {"backdrop": "#12345"},
        {"min_confidence": float("nan")},
        {"seed": -1},
    ],
)
def test_values_out_of_range_are_refused_by_name(options: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match=f"^{next(iter(options))}: must.*got"):
        segmentation(options)


def test_a_value_without_end_is_cut_short() -> None:
    nested: list[object] = []
    for _ in range(30):
        nested = [nested] * 9
    with pytest.raises(SettingsError) as told:
        segmentation({"method": nested})
    assert len(str(told.value)) < 200


def test_all_problems_come_at_once() -> None:
    with pytest.raises(SettingsError) as told:
        segmentation({"clusters": 0, "seed": -1, "colour": 1})
    assert all(name in str(told.value) for name in ("clusters", "seed", "colour"))


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Segmentation().method = "kmeans"  # type: ignore[misc]


def test_every_field_has_one_sentence_of_help() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name
        assert "\n" not in field.description, name
