import os
import re
from pathlib import Path

import pytest

from ressat.base.errors import sentences
from ressat.base.names import spelled_out
from small_study import FILES, SHEET, UNLABELLED, refusal


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith(("A1", "B1", "C1", "X"))])
def test_a_missing_file_is_named_with_its_section(load, folder, name):
    (folder / "data" / name).unlink()
    message = refusal(load)
    assert f"section {re.split('[./_]', name)[0]}: data/{name}: no such file or folder" in message


def test_a_missing_folder_of_counts_is_named_itself(load):
    message = refusal(load, SHEET.replace("A1/outs", "A1/out"))
    assert "section A1: data/A1/out: no such file or folder (expression)" in message


def test_a_slide_that_is_none_is_left_to_the_check_of_its_section(load, folder):
    (folder / "data/A1.tiff").write_bytes(b"no tiff")
    study = load(SHEET.replace("A1.svs", "A1.tiff"))
    assert study.sections["A1"].slide == Path("data/A1.tiff")
    assert study.converted_slide("A1") is None
    assert study.converted_slide("B1") == "results/slides/B1.tiff"


def test_files_of_a_simulated_section_need_not_exist_yet(load, folder):
    (folder / "data/A1.svs").unlink()
    (folder / "data/A1/outs/filtered_feature_bc_matrix.h5").unlink()
    study = load(simulate={"sections": {"A1": {"seed": 1}}})
    assert study.sections["A1"].slide == Path("data/A1.svs")
    assert study.converted_slide("A1") is None
    assert study.counts["A1"].files["positions"] == Path("data/A1/outs/spatial/tissue_positions.csv")


def test_a_simulated_section_that_the_sheet_does_not_have_is_refused(load):
    message = refusal(load, simulate={"sections": {"A2": {"seed": 1}}})
    assert "config.yaml: simulate.sections names A2, which is not in the sheet" in message


def test_the_sheet_may_lie_elsewhere(load, folder, monkeypatch):
    (folder / "samples.tsv").rename(folder / "data/sheet.tsv")
    monkeypatch.setenv("RESSAT_TEST_DATA", str(folder / "data"))
    (folder / "data/sheet.tsv").write_text(SHEET.replace("data/", ""))
    for samples in ("data/sheet.tsv", "$RESSAT_TEST_DATA/sheet.tsv"):
        study = load(samples=samples)
        assert study.sections["A1"].slide.resolve() == folder / "data/A1.svs"
    assert "no such sample sheet" in refusal(load, samples="samples.tsv")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {"stain__reference": "A11"},
            "stain.reference is A11, and there is no such file; expected published, a",
        ),
        (
            {"stain__reference": "data"},
            "stain.reference is data, a folder with 5 images (A1.svs, B1.jpg, C1.svs",
        ),
        (
            {"features__weights": "imagenet"},
            "features.weights is imagenet, and there is no such file; expected IM",
        ),
        (
            {"genes": {"method": "list", "number": 9, "list": "none.txt"}},
            "genes.list is none.txt, and there is no",
        ),
        ({"features__weights": "$RESSAT_NOT_SET/w.pth"}, "environment variable RESSAT_NOT_SET is not set"),
        (
            {"samples": "$RESSAT_NOT_SET/s.tsv"},
            "samples is $RESSAT_NOT_SET/s.tsv, and the environment variable",
        ),
    ],
)
def test_a_file_that_a_setting_names_must_exist(load, settings, said):
    message = refusal(load, **settings)
    assert f"config.yaml: {said}" in message or f"{said}; set RESSAT_NOT_SET" in message


def test_weights_are_downloaded_random_or_a_file(load, folder, monkeypatch):
    monkeypatch.setenv("RESSAT_TEST_DATA", str(folder / "data"))
    assert load().first_encoder.weights == "resources/weights/resnet50_IMAGENET1K_V2.pth"
    assert load(features__weights="random").first_encoder.weights is None
    assert load(features__weights="data/weights.pth").first_encoder.weights == "data/weights.pth"
    study = load(features__weights="${RESSAT_TEST_DATA}/weights.pth")
    assert study.first_encoder.weights == str(folder / "data/weights.pth")


def test_one_file_of_counts_is_not_that_of_two_sections(load):
    sheet = SHEET.replace("data/C1.h5ad", "data/../data/A1/outs")
    assert "sections A1 and C1 have the same counts" in refusal(load, sheet)


def with_parts(c1: str, d1: str, e1: str) -> str:
    """A sheet of three sections with one file of counts, and a cell for each in a column of parts."""
    header, *rows = SHEET.splitlines()
    named = [
        row.replace("C1", name, 1) for name in ("C1", "D1", "E1") for row in rows if row.startswith("C1")
    ]
    cells = dict(zip(("C1", "D1", "E1"), (c1, d1, e1), strict=True))
    text = "\n".join([f"{header}\tsubset", *(f"{row}\t{cells[row[:2]]}" for row in named)])
    return text.replace("\ttest\t", "\ttrain\t")


@pytest.mark.parametrize(
    "parts", [("batch=A", "batch=B", "batch=C"), ("-1", "-2", "-3"), ("-1-A", "x=1", "x=2")]
)
def test_parts_of_one_file_are_sections_of_their_own(load, parts):
    study = load(with_parts(*parts), evaluation__scheme="leave_one_section_out")
    assert [study.counts[name].options["subset"] for name in ("C1", "D1", "E1")] == list(parts)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (("-1", "-2", "-2"), "sections D1 and E1 have the same counts, data/C1.h5ad, subset -2;"),
        (
            ("batch=A", "batch=B", "batch=A"),
            "sections C1 and E1 have the same counts, data/C1.h5ad, subset ba",
        ),
        (("-1", "", "-2"), "sections C1 and D1 have the same counts, data/C1.h5ad;"),
        (("", "-1", "-2"), "name the part of each in the column subset"),
    ],
)
def test_a_part_of_two_sections_and_a_file_with_its_part_are_refused(load, parts, said):
    assert said in refusal(load, with_parts(*parts), evaluation__scheme="leave_one_section_out")


def test_the_files_missing_in_all_sections_are_named_at_once(load, folder):
    (folder / "data/A1.svs").unlink()
    (folder / "data/C1.h5ad").unlink()
    with pytest.raises(ExceptionGroup) as caught:
        load()
    first, second = sentences(caught.value).splitlines()
    assert first.startswith("section A1: data/A1.svs: no such file")
    assert second.startswith("section C1: data/C1.h5ad: no such file")


def test_a_section_that_is_left_out_needs_no_files(load, folder):
    lines = SHEET.splitlines()
    sheet = [line + "\t" + ("include", "yes", "", "1", "no")[number] for number, line in enumerate(lines)]
    (folder / "data/X.svs").unlink()
    assert list(load("\n".join(sheet)).sections) == ["A1", "B1", "C1"]


def test_a_simulated_section_may_be_left_out(load):
    lines = [*SHEET.splitlines(), "Y\tdata/Y.svs\t\t\tY\tpredict"]
    sheet = "\n".join(line + ("\tinclude", "", "", "", "", "\tno")[n] for n, line in enumerate(lines))
    assert list(load(sheet, simulate={"sections": {"Y": {}}}).sections) == ["A1", "B1", "C1", "X"]


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("data/A1.svs", {}),
        ("data/C1.h5ad", {}),
        ("data/A1/outs/filtered_feature_bc_matrix.h5", {}),
        ("data/B1_spots.tsv", {}),
        ("data/B1.tiff", {}),
        ("samples.tsv", {}),
        ("data/weights.pth", {"features__weights": "data/weights.pth"}),
        ("data/genes.txt", {"genes": {"method": "list", "number": 9, "list": "data/genes.txt"}}),
        ("data/model.pt", {"model__use": "data/model.pt"}),
        ("data/reference.png", {"stain__reference": "data/reference.png"}),
    ],
)
def test_a_pipe_is_refused_without_waiting_for_it(load, folder, name, settings):
    if name == "data/B1.tiff":
        (folder / "samples.tsv").write_text(SHEET.replace("B1.jpg", "B1.tiff"))
    if "model__use" in settings:
        (folder / "samples.tsv").write_text(UNLABELLED)
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)
    message = refusal(load, **settings)
    assert f"{name}" in message
    assert "a named pipe (FIFO), not a file" in message


@pytest.mark.parametrize(
    "settings",
    [
        {"genes": {"method": "list", "number": 9, "list": "pointer"}},
        {"stain__reference": "pointer"},
        {"features__weights": "pointer"},
    ],
)
def test_a_setting_that_names_a_file_that_git_has_not_fetched_is_refused(load, folder, settings):
    (folder / "pointer").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 77\n")
    message = refusal(load, **settings)
    assert "is pointer, a Git LFS pointer, not the file itself (77 bytes); " in message
    assert "run git lfs pull" in message


def test_a_setting_that_names_a_device_or_a_dead_link_is_refused(load, folder):
    assert "weights is /dev/zero, a character device, not a file" in refusal(
        load, features__weights="/dev/zero"
    )
    (folder / "ref.png").symlink_to("/mnt/gone.png")
    message = refusal(load, stain__reference="ref.png")
    assert "there is no such file: it is a link to /mnt/gone.png, which is not there" in message


def test_folders_of_slides_are_refused_with_the_file_to_give(load, folder):
    (folder / "data/dicom").mkdir()
    (folder / "data/dicom/x.dcm").write_bytes(bytes(128) + b"DICM")
    (folder / "data/S.mrxs").touch()
    with pytest.raises(ExceptionGroup) as caught:
        load(SHEET.replace("data/A1.svs", "data/dicom").replace("data/X.svs", "data/S.mrxs"))
    first, second = sentences(caught.value).splitlines()
    assert first.startswith("section A1: data/dicom: a folder with 1 DICOM file; ")
    assert "give one file of the slide, such as data/dicom/x.dcm" in first
    assert "section X: data/S.mrxs: a .mrxs file is only the index" in second


def test_a_slide_that_is_a_dead_link_is_said_with_its_target(load, folder):
    (folder / "data/A1.svs").unlink()
    (folder / "data/A1.svs").symlink_to("/mnt/gone/A1.svs")
    said = "data/A1.svs: no such file or folder (slide): it is a link to /mnt/gone/A1.svs, which is not there"
    assert said in refusal(load)


@pytest.mark.parametrize(
    ("settings", "present"),
    [
        ({"genes": {"method": "list", "number": 9, "list": "data/Liste\u0301.txt"}}, "data/Listé.txt"),
        ({"stain__reference": "data/Référence.png"}, "data/Re\u0301fe\u0301rence.png"),
    ],
)
def test_a_file_that_a_setting_names_in_another_form_is_named(load, folder, settings, present):
    (folder / present).touch()
    assert f"{spelled_out(present)} is there, and differs from" in refusal(load, **settings)


@pytest.mark.parametrize(("name", "section"), [("a1", "A1"), ("B1\u200b", "B1")])
def test_a_stain_reference_that_is_nearly_a_section_is_told(load, name, section):
    message = refusal(load, stain__reference=name)
    assert f"expected the section {section}, whose name differs in form alone" in message


def test_patients_in_two_forms_are_refused_before_any_job(load):
    sheet = SHEET.replace("\tB\t", "\tZoë\t").replace("\tC\t", "\tZoe\u0308\t")
    assert "samples.tsv: patients 'Zoë' and 'Zoe\\u0308'; expected one spelling" in refusal(load, sheet)
