"""The article's two methods, against a literal transcription of its arithmetic."""

from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from bgwatch import remove_background


def article_pixels(rgb: NDArray[np.uint8]) -> NDArray[np.int64]:
    """``np.array(image.convert("RGBA").getdata())``, without getdata, which Pillow deprecates."""
    return np.array(Image.fromarray(rgb).convert("RGBA")).reshape(-1, 4).astype(int)


def article_threshold(rgb: NDArray[np.uint8], tolerance: int = 20) -> NDArray[np.int64]:
    pixels = article_pixels(rgb)
    alpha = np.where(np.max(np.abs(pixels - pixels[0]), axis=1) <= tolerance, 0, 255)
    return alpha.reshape(rgb.shape[:2])


def article_kmeans(rgb: NDArray[np.uint8], seed: int, clusters: int = 8) -> NDArray[np.int64]:
    pixels = article_pixels(rgb)
    with threadpool_limits(limits=1):
        model = KMeans(n_clusters=clusters, n_init=1, random_state=seed)
        labels = model.fit(pixels[:, :-1]).predict(pixels[:, :-1])
    return np.where(labels == labels[0], 0, 255).reshape(rgb.shape[:2])


@pytest.fixture(params=["mug", "logo", "disc"])
def rgb(request: pytest.FixtureRequest, drawing: ModuleType) -> NDArray[np.uint8]:
    if request.param == "disc":
        picture, _ = request.getfixturevalue("disc")(noise=6)
        return picture
    return request.getfixturevalue(request.param).rgb


def test_threshold_is_the_articles(rgb: NDArray[np.uint8]) -> None:
    """Every alpha equals the article's."""
    assert np.array_equal(remove_background(rgb, method="threshold").rgba[..., 3], article_threshold(rgb))


@pytest.mark.parametrize("tolerance", [0, 3, 60, 255])
def test_threshold_takes_any_tolerance(rgb: NDArray[np.uint8], tolerance: int) -> None:
    """The tolerance is the article's 20, made a setting."""
    found = remove_background(rgb, method="threshold", tolerance=tolerance).rgba[..., 3]
    assert np.array_equal(found, article_threshold(rgb, tolerance))


@pytest.mark.parametrize("seed", [0, 1, 7])
def test_kmeans_is_the_articles(rgb: NDArray[np.uint8], seed: int) -> None:
    """Every alpha equals that of scikit-learn's KMeans on all pixels."""
    found = remove_background(rgb, method="kmeans", seed=seed).rgba[..., 3]
    assert np.array_equal(found, article_kmeans(rgb, seed))


def test_kmeans_takes_the_best_of_several_starts(mug) -> None:
    """``n_init`` is scikit-learn's."""
    small = np.ascontiguousarray(mug.rgb[::3, ::3])
    model = KMeans(n_clusters=4, n_init=3, random_state=5)
    with threadpool_limits(limits=1):
        labels = model.fit(small.reshape(-1, 3).astype(float)).labels_
    found = remove_background(small, method="kmeans", seed=5, clusters=4, n_init=3).rgba[..., 3]
    assert np.array_equal(found.ravel() == 0, labels == labels[0])


def test_both_methods_on_the_articles_own_pictures(headshots: list[NDArray[np.uint8]]) -> None:
    """Every alpha of five headshots, for three seeds."""
    for picture in headshots:
        assert np.array_equal(remove_background(picture, method="threshold").rgba[..., 3], article_threshold(picture))
        for seed in (0, 1, 2):
            found = remove_background(picture, method="kmeans", seed=seed).rgba[..., 3]
            assert np.array_equal(found, article_kmeans(picture, seed))


def test_fewer_colours_than_clusters_is_no_error() -> None:
    """A picture of two colours has two clusters, whatever was asked for."""
    rgb = np.zeros((10, 12, 3), np.uint8)
    rgb[3:6, 4:8] = 200
    alpha = remove_background(rgb, method="kmeans", clusters=8).rgba[..., 3]
    assert np.array_equal(alpha > 0, rgb[..., 0] > 0)


@pytest.mark.parametrize("method", ["threshold", "kmeans"])
def test_a_named_colour_replaces_the_first_pixel(mug, method: str) -> None:
    """``backdrop="#c4262e"`` takes the mug and leaves the white."""
    rgba = remove_background(mug.rgb, method=method, backdrop="#c4262e", tolerance=60).rgba
    assert rgba[0, 0, 3] == 255
    assert rgba[150, 160, 3] == 0
