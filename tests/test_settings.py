import pytest

from bgwatch.errors import SettingsError
from bgwatch.settings import Machines, Segmentation, Settings


def test_a_wrong_option_names_the_nearest() -> None:
    with pytest.raises(SettingsError, match=r"tolerence: is not a setting; did you mean 'tolerance'\?"):
        Segmentation.of({"tolerence": 3})


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
        Segmentation.of(options)


def test_a_value_without_end_is_cut_short() -> None:
    nested: list[object] = []
    for _ in range(30):
        nested = [nested] * 9
    with pytest.raises(SettingsError) as told:
        Segmentation.of({"method": nested})
    assert len(str(told.value)) < 200


def test_all_problems_come_at_once() -> None:
    with pytest.raises(SettingsError) as told:
        Segmentation.of({"clusters": 0, "seed": -1, "colour": 1})
    assert all(name in str(told.value) for name in ("clusters", "seed", "colour"))


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Segmentation().method = "kmeans"  # type: ignore[misc]


def test_every_field_has_one_sentence_of_help() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name
        assert "\n" not in field.description, name


@pytest.mark.parametrize("address", ["127.0.0.1:8786", "tcp://localhost:1", "tcp://[::1]:1", "tls://example.org:8786"])
def test_a_scheduler_of_this_machine_or_encrypted_is_taken(address: str) -> None:
    assert Machines.of({"scheduler": address}).scheduler == address


@pytest.mark.parametrize("address", ["10.0.0.1:8786", "tcp://[2001:db8::1]:1", "tcp://127.0.0.1.example.org:1", "0:1"])
def test_a_scheduler_that_strangers_may_reach_is_taken_only_when_that_is_said(address: str) -> None:
    with pytest.raises(SettingsError, match=r"^scheduler: .* is neither tls:// nor on this machine"):
        Machines.of({"scheduler": address})
    assert Machines.of({"scheduler": address, "insecure_scheduler": True}).scheduler == address


@pytest.mark.parametrize(
    "address", ["", "example.org", "http://example.org:1", "tcp://:1", "tls://a b:1", "tls://a:1/x"]
)
def test_what_is_no_address_of_a_scheduler_is_refused(address: str) -> None:
    with pytest.raises(SettingsError, match=r"^scheduler: must be an address like tls://host:8786 or tcp://127"):
        Machines.of({"scheduler": address})
