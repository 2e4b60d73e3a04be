"""What the page says of novelty."""

import json

import numpy as np
import pandas as pd
import pytest

from parsed_page import Parsed
from report_study import Study
from ressat.base.errors import InputError
from ressat.base.tables import read_table, write_table
from ressat.report.novelty import TEXT, WORDS, read

DRAWN = [{"fold": "holdout", "section": "X1"}, {"fold": "holdout", "section": "X2"}]


@pytest.fixture
def change(study):
    """Change entries of the summary of a tested section."""

    def edit(place: int = 0, **entries) -> None:
        with open(study.novelty[place]) as file:
            summary = json.load(file)
        with open(study.novelty[place], "w") as file:
            json.dump(summary | entries, file)

    return edit


def chapter(study, repository) -> str:
    text = Parsed(study.page(repository)).text
    return text.split("How new the sections are to their models")[1].split("Tiles are outlined")[0]


def test_every_predicted_section_has_a_verdict_and_a_map(study, repository):
    page = study.page(repository)
    assert page.count("data-novelty=") == len(study.novelty) == 3
    text = chapter(study, repository)
    for name in ("X1", "X2", "H1"):
        assert name in text
    assert WORDS["familiar"] in text


def test_novelty_that_does_not_tell_error_is_said(study, repository, change):
    for place in (0, 1):
        change(place, error_correlation=-0.02, error_p_value=0.6)
    text = chapter(study, repository)
    assert "Not beyond chance: in 0 of 2 test sections, spots of higher novelty are predicted worse" in text
    assert "low novelty is no sign of a good prediction" in text
    assert "Whether newer sections are predicted worse cannot be said from 2" in text


def test_novelty_that_tells_error_is_said(study, repository, change):
    for place in (0, 1):
        change(place, error_correlation=0.4, error_p_value=0.001)
    text = chapter(study, repository)
    assert "Yes, within sections: in 2 of 2 test sections" in text
    assert "no sign of a good prediction" not in text


def test_where_it_tells_error_in_one_section_of_two_that_is_said(study, repository, change):
    change(0, error_correlation=0.4, error_p_value=0.001)
    change(1, error_correlation=0.0, error_p_value=0.5)
    assert "Only in part: in 1 of 2 test sections" in chapter(study, repository)


def test_what_is_new_is_named_with_its_share(study, repository, change):
    shares = {"features": 0.2, "colours": 0.7, "stain": 0.0}
    change(0, verdict="novel", share_above=0.74, share_above_by_part=shares)
    text = chapter(study, repository)
    assert f"{WORDS['novel']} 74 %" in text
    assert "colours 70 %, features 20 %" in text


def test_without_tested_sections_nothing_is_said_of_errors(tmp_path, repository):
    study = Study(tmp_path)
    study.section("T1", "train")
    study.section("H1", "predict")
    study.predict("all", "H1")
    study.train("all")
    assert "No section was tested, so this study cannot say." in chapter(study, repository)


def test_a_saved_model_has_no_chapter(tmp_path, repository):
    study = Study(tmp_path)
    study.section("H1", "predict")
    study.predict("bundle", "H1")
    assert "How new the sections are" not in study.page(repository)


def test_newer_sections_are_compared_from_five_on(study, change):
    """Median novelty and mean error rise together, but for one pair."""
    summaries, tables, drawn = [], [], []
    for place, (median, error) in enumerate([(0.1, 1.0), (0.2, 1.1), (0.3, 1.3), (0.4, 1.2), (0.5, 1.4)]):
        change(0, section=f"S{place}", median=median, mean_squared_error=error)
        copied = f"{study.novelty[0]}.{place}"
        with open(study.novelty[0]) as source, open(copied, "w") as target:
            target.write(source.read())
        summaries.append(copied)
        tables.append(study.novelty_spots[0])
        drawn.append({"fold": "holdout", "section": f"S{place}"})
    assert read(summaries, tables, drawn)["between"] == pytest.approx(0.9)
    assert np.isnan(read(summaries[:4], tables[:4], drawn)["between"])


def test_a_table_of_other_spots_is_refused(study):
    table = read_table(study.novelty_spots[0], TEXT)
    write_table(pd.DataFrame(table[1:]), study.novelty_spots[0])
    with pytest.raises(InputError, match="29 spots"):
        read(study.novelty[:1], study.novelty_spots[:1], DRAWN)


@pytest.mark.parametrize("entry", [{"verdict": "fine"}, {"share_above": 1.2}, {"median": None}])
def test_a_summary_that_is_not_whole_is_refused(study, change, entry):
    change(0, **entry)
    with pytest.raises(InputError, match=next(iter(entry))):
        read(study.novelty[:1], study.novelty_spots[:1], DRAWN)
