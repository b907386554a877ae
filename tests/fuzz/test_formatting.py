"""The formatter on all scripts that the repository has."""

from tests.fuzz.seeds import load_seeds
from tests.syntax.formatting import check_formatting


def test_all_scripts() -> None:
    seeds = load_seeds()
    checked = [check_formatting(text) for text in (*seeds.good, *seeds.others)]
    assert sum(checked) > 2500
