from pathlib import Path

from ressat.base.errors import InputError


def test_says_section_file_found_expected_and_action_in_this_order():
    error = InputError(
        "mpp is 35", expected="0.1 to 10", action="correct it", section="S1", file=Path("a/s1.svs")
    )
    assert str(error) == "section S1: a/s1.svs: mpp is 35; expected 0.1 to 10; correct it."
    assert (error.section, error.file, error.found) == ("S1", "a/s1.svs", "mpp is 35")


def test_what_is_not_known_is_left_out():
    assert str(InputError("no section")) == "no section."
    assert str(InputError("an empty table", file="t.tsv")) == "t.tsv: an empty table."


def test_a_question_gets_no_full_stop():
    assert str(InputError("the unknown name sed", action="did you mean seed?")).endswith("seed?")


def test_stays_on_one_line_whatever_a_library_said():
    assert str(InputError("cannot be read (line 3\n  saw 7\n)")) == "cannot be read (line 3 saw 7 )."
