"""The speed bench runs and says what it measured; how fast is for a reader, not for a test."""

import re

import pytest
import speed


def test_jobs_take_turns() -> None:
    order: list[str] = []
    assert len(speed.least(2, lambda: order.append("a"), lambda: order.append("b"))) == 2
    assert order == ["a", "b", "a", "b"]


@pytest.mark.parametrize("megapixels", [0.1, pytest.param(2, marks=pytest.mark.slow)])
def test_pictures_have_their_size(megapixels: float) -> None:
    height, width, _ = speed.picture(megapixels).shape
    assert height * width == pytest.approx(megapixels * 1e6, rel=0.01)
    assert height / width == pytest.approx(4 / 3, rel=0.01)


@pytest.mark.slow
def test_the_bench_prints_speed_and_memory(monkeypatch, capsys) -> None:
    monkeypatch.setattr("sys.argv", ["speed.py", "--megapixels", "1", "--rounds", "1"])
    monkeypatch.setattr("PIL.Image.MAX_IMAGE_PIXELS", 400_000)  # Pillow's warning at 100 megapixels, here an error
    speed.main()
    said = capsys.readouterr().out
    assert re.search(r"pixels to alpha and colours: [\d.]+ s = [\d.]+ F", said)
    assert "subject " in said
    for figure in ("PNG on disk: [\\d.]+ s = [\\d.]+ F", "k-means, JPEG to PNG: [\\d.]+ s", "cold start: [\\d.]+ s"):
        assert re.search(figure, said)
    for what in ("above the picture in memory", "of the whole job, JPEG to PNG"):
        assert 0 < float(re.search(rf"peak {what}: ([\d.]+) bytes a pixel", said)[1]) < 500
    assert re.search(r"two workers: [\d.]+ pictures a second = [\d.]+ of what two calls do", said)
