from multiprocessing.reduction import ForkingPickler
from pathlib import Path

import pytest

from ressat.base.errors import InputError, about, about_its_file


def test_says_section_file_found_expected_and_action_in_this_order():
    error = InputError(
        "mpp is 35", expected="0.1 to 10", action="correct it", section="S1", file=Path("a/s1.svs")
    )
    assert str(error) == "section S1: a/s1.svs: mpp is 35; expected 0.1 to 10; correct it."
    assert (error.section, error.file, error.problem) == ("S1", "a/s1.svs", "mpp is 35")


def test_what_is_not_known_is_left_out():
    assert str(InputError("no section")) == "no section."
    assert str(InputError("an empty table", file="t.tsv")) == "t.tsv: an empty table."


def test_a_question_gets_no_full_stop():
    assert str(InputError("the unknown name sed", action="did you mean seed?")).endswith("seed?")


def test_stays_on_one_line_whatever_a_library_said():
    assert str(InputError("cannot be read (line 3\n  saw 7\n)")) == "cannot be read (line 3 saw 7 )."


@pytest.mark.parametrize(
    ("name", "shown"), [("K1\u200b", "K1\\u200b"), ("K\u00ad1", "K\\xad1"), ("K\u00a01", "K\\xa01")]
)
def test_what_nobody_sees_is_shown_wherever_it_stands(name, shown):
    error = InputError(f"no {name}", expected=name, action=f"add {name}", section=name, file=f"{name}.svs")
    assert str(error) == f"section {shown}: {shown}.svs: no {shown}; expected {shown}; add {shown}."


def refusal(**names: object) -> InputError:
    """An error as it leaves a block that names nothing, within one that names a section and a file."""
    with pytest.raises(InputError) as caught, about(section="S1", file=Path("a/counts.h5")):
        raise InputError("no counts", expected="some", action="add them", **names)
    return caught.value


def test_the_section_and_the_file_of_a_block_are_named():
    error = refusal()
    assert (error.section, error.file) == ("S1", "a/counts.h5")
    assert str(error) == "section S1: a/counts.h5: no counts; expected some; add them."


def test_what_an_error_names_itself_stays():
    assert str(refusal(section="S2")) == "section S2: a/counts.h5: no counts; expected some; add them."
    assert str(refusal(file="b.csv")) == "section S1: b.csv: no counts; expected some; add them."


def test_of_nested_blocks_the_inner_one_says_what_it_knows_and_the_outer_one_the_rest():
    outer = about(section="outer", file="outer.h5")
    with pytest.raises(InputError) as caught, outer, about(file="inner.h5"), about():
        raise InputError("no counts")
    assert (caught.value.section, caught.value.file) == ("outer", "inner.h5")


def test_a_block_lets_everything_else_pass():
    with about(section="S1", file="a.h5"):
        passed = True
    assert passed
    error = ValueError("no counts")
    with pytest.raises(ValueError, match=r"^no counts$") as caught, about(section="S1", file="a.h5"):
        raise error
    assert caught.value is error


def test_the_first_argument_of_a_reader_is_the_file_of_its_errors():
    @about_its_file
    def read(file: Path, rows: int, *, known: str | None = None) -> str:
        """Read a file."""
        if rows < 1:
            raise InputError("no row", file=known)
        return f"{rows} rows of {file}"

    assert read(Path("a.tsv"), 2) == "2 rows of a.tsv"
    assert (read.__name__, read.__doc__) == ("read", "Read a file.")
    with pytest.raises(InputError, match=r"^a\.tsv: no row\.$") as caught:
        read(Path("a.tsv"), 0)
    assert caught.value.file == "a.tsv"
    with pytest.raises(InputError, match=r"^b\.tsv: no row\.$"):
        read(Path("a.tsv"), rows=0, known="b.tsv")


def test_an_error_that_another_process_hands_over_says_the_same():
    error = refusal()
    again = ForkingPickler.loads(ForkingPickler.dumps(error))
    assert type(again) is InputError
    assert str(again) == str(error)
    names = ("problem", "expected", "action", "section", "file")
    assert [getattr(again, name) for name in names] == [getattr(error, name) for name in names]
    with pytest.raises(InputError, match=r"^section S3: no counts\.$"), about(section="S3"):
        raise ForkingPickler.loads(ForkingPickler.dumps(InputError("no counts")))
