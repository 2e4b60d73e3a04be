import h5py
import numpy as np
import pytest
from feature_files import BARCODES, CORNERS, COUNT, EDGE, FEATURES, SIZE, WIDTH, clam, hest, trident, write

from ressat.base.errors import InputError
from ressat.features.elsewhere.agreement import check_patches, patch_pitch
from ressat.features.elsewhere.patches import read_patches

MPP, TILE_UM = 0.5, 128.0
CENTRES = CORNERS + EDGE / 2


def refusal(*files) -> InputError:
    with pytest.raises(InputError) as caught:
        read_patches(*files)
    assert caught.value.file
    assert caught.value.expected
    assert caught.value.action
    return caught.value


def disagreement(patches, size=SIZE, mpp=MPP, tile_um=TILE_UM) -> str:
    with pytest.raises(InputError) as caught:
        check_patches(patches, size, mpp, tile_um)
    assert caught.value.expected
    assert caught.value.action
    return str(caught.value)


def test_trident_states_all_in_one_file(tmp_path):
    patches = read_patches(trident(tmp_path))
    assert (patches.software, patches.encoder, patches.width) == ("TRIDENT", "uni_v1", WIDTH)
    assert (patches.layout.edge, patches.layout.slide_size) == (EDGE, SIZE)
    np.testing.assert_array_equal(patches.centres, CENTRES)
    assert patches.barcodes.tolist() == [f"x{x}y{y}" for x, y in CORNERS]
    check_patches(patches, SIZE, MPP, TILE_UM)


def test_trident_of_an_older_release_does_not_state_the_slides_size(tmp_path):
    patches = read_patches(trident(tmp_path, level0_width=None, level0_height=None))
    assert patches.layout.slide_size is None
    check_patches(patches, (9999, 9999), MPP, TILE_UM)


def test_an_odd_edge_has_its_centre_between_pixels(tmp_path):
    patches = read_patches(trident(tmp_path, patch_size_level0=255))
    np.testing.assert_array_equal(patches.centres, CORNERS + 127.5)


def test_clam_states_the_size_in_its_file_of_patches_in_pixels_of_their_level(tmp_path):
    patches = read_patches(*clam(tmp_path))
    assert (patches.software, patches.encoder, patches.width) == ("CLAM", None, WIDTH)
    assert patches.layout.edge == EDGE
    np.testing.assert_array_equal(patches.centres, CENTRES)
    # A level is as large as whole pixels allow.
    for width in (3997, 4000, 4004):
        check_patches(patches, (width, 3000), MPP, TILE_UM)
    assert "its slide has 4000 x 3000 px, and this one 4005 x 3000" in disagreement(patches, (4005, 3000))


def test_clam_may_shrink_what_it_reads(tmp_path):
    assert read_patches(*clam(tmp_path, custom_downsample=2)).layout.edge == 2 * EDGE


@pytest.mark.parametrize("age", ["now", "August 2024", "before"])
def test_hest_means_corners_and_before_august_2024_row_and_column_of_centres(tmp_path, age):
    patches = read_patches(*hest(tmp_path, age))
    assert (patches.software, patches.layout.edge, patches.width) == ("HEST", EDGE, WIDTH)
    np.testing.assert_array_equal(patches.centres, CENTRES)
    assert patches.barcodes.tolist() == BARCODES.astype(str).tolist()
    check_patches(patches, SIZE, MPP, TILE_UM)


@pytest.mark.parametrize("software", [clam, hest])
def test_features_that_do_not_say_how_large_patches_are_need_the_file_that_does(tmp_path, software):
    features, _ = software(tmp_path)
    said = str(refusal(features))
    assert f"{features}: the file of features does not say how large its patches are" in said
    assert "in the column patches" in said


def test_features_whose_coordinates_have_attributes_of_clam_need_no_other_file(tmp_path):
    attributes = {"patch_size": 256, "patch_level": 0, "downsample": (1.0, 1.0)}
    file = write(tmp_path / "a.h5", {"features": FEATURES, "coords": CORNERS}, coords=attributes)
    assert read_patches(file).layout.edge == EDGE


def test_patches_of_other_places_or_in_another_order_are_refused(tmp_path):
    features, patches = clam(tmp_path)
    with h5py.File(patches, "r+") as file:
        file["coords"][...] = CORNERS[::-1]
    said = str(refusal(features, patches))
    assert f"clam_patches.h5: its {COUNT} coordinates are not the {COUNT} of the features" in said


def test_two_files_that_state_two_sizes_are_refused(tmp_path):
    _, patches = clam(tmp_path, patch_size=128)
    said = str(refusal(trident(tmp_path), patches))
    assert "trident.h5: its patches are 256 px wide, those of" in said
    assert "clam_patches.h5 512 px" in said


def test_patches_without_their_size_are_refused(tmp_path):
    features, _ = clam(tmp_path)
    assert "clam.h5: it does not say how large its patches are" in str(refusal(features, features))


@pytest.mark.parametrize(
    ("datasets", "said"),
    [
        ({}, "no features in it, but nothing"),
        ({"coords": CORNERS}, "no features in it, but coords"),
        ({"features": FEATURES}, "no coords in it, but features"),
        ({"features": FEATURES[0], "coords": CORNERS}, "features has the shape (8,) and holds float32"),
        ({"features": FEATURES[None], "coords": CORNERS}, "features has the shape (1, 5, 8)"),
        (
            {"features": FEATURES.astype(int), "coords": CORNERS},
            "features has the shape (5, 8) and holds int64",
        ),
        ({"features": FEATURES[:0], "coords": CORNERS[:0]}, "features is empty, of shape (0, 8)"),
        ({"features": np.empty(0, np.float32), "coords": CORNERS[:0]}, "features is empty, of shape (0,)"),
        (
            {"features": FEATURES[:4], "coords": CORNERS},
            "coords has the shape (5, 2), and there are features of 4",
        ),
        ({"features": FEATURES, "coords": CORNERS[:, :1]}, "coords has the shape (5, 1)"),
        ({"features": FEATURES, "coords": CORNERS + 0.25}, "coords holds float64 that are not whole numbers"),
        (
            {"features": FEATURES, "coords": CORNERS * np.nan},
            "coords holds float64 that are not whole numbers",
        ),
        ({"features": FEATURES, "coords": CORNERS * 10**9}, "coords holds int64 that are not whole numbers"),
        (
            {"features": FEATURES, "coords": CORNERS, "barcodes": BARCODES[[0, 0, 2, 3, 3]]},
            "2 of 5 barcodes are there twice",
        ),
        ({"features": FEATURES, "coords": CORNERS, "barcodes": BARCODES[:3]}, "barcodes has the shape (3,)"),
    ],
)
def test_a_file_that_is_not_whole_or_of_something_else_is_refused(tmp_path, datasets, said):
    assert f"a.h5: {said}" in str(refusal(write(tmp_path / "a.h5", datasets)))


@pytest.mark.parametrize("stated", [0, -256, np.nan, "large", (1, 2, 3)])
def test_a_size_that_is_none_is_refused(tmp_path, stated):
    said = str(refusal(trident(tmp_path, patch_size_level0=stated)))
    assert "the attribute patch_size_level0 of its patches is" in said


def test_an_attribute_that_is_missing_is_named(tmp_path):
    said = str(refusal(trident(tmp_path, level0_height=None)))
    assert "the attribute level0_height of its patches is missing" in said


@pytest.mark.parametrize("content", [b"", b"no HDF5 at all", b"\x89HDF\r\n\x1a\n" + bytes(500)])
def test_a_file_that_is_no_hdf5_is_refused(tmp_path, content):
    (tmp_path / "a.h5").write_bytes(content)
    assert "a.h5: not an HDF5 file, or a damaged one (" in str(refusal(tmp_path / "a.h5"))


def test_names_that_are_no_text_are_refused(tmp_path):
    datasets = {"features": FEATURES, "coords": CORNERS, "barcodes": np.array([b"\xff\xfe"] * COUNT)}
    assert "a.h5: not an HDF5 file, or a damaged one (" in str(refusal(write(tmp_path / "a.h5", datasets)))


def test_a_file_that_leads_to_another_is_refused(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["features"] = h5py.ExternalLink("other.h5", "features")
    assert "is a link to another file" in str(refusal(tmp_path / "a.h5"))


def test_the_slide_must_be_of_the_size_that_the_file_states(tmp_path):
    patches = read_patches(trident(tmp_path))
    said = disagreement(patches, (4001, 3000))
    assert (
        "its slide has 4000 x 3000 px, and this one 4001 x 3000; expected features of this very slide" in said
    )


@pytest.mark.parametrize("tile_um", [126.8, 128, 129.2])
def test_an_edge_may_be_off_by_one_per_cent(tmp_path, tile_um):
    check_patches(read_patches(trident(tmp_path)), SIZE, MPP, tile_um)


@pytest.mark.parametrize(("mpp", "tile_um"), [(0.5, 112), (0.5, 126), (0.25, 128), (0.51, 128)])
def test_patches_of_another_edge_are_refused_with_both(tmp_path, mpp, tile_um):
    said = disagreement(read_patches(trident(tmp_path)), mpp=mpp, tile_um=tile_um)
    assert (
        f"its patches are {256 * mpp:.4g} um wide (256 px of {mpp:g} um), and tiling.tile_um is {tile_um:g}"
        in said
    )
    assert f"set tiling.tile_um to {256 * mpp:.4g} for the whole study" in said


@pytest.mark.parametrize("place", [(4000, 0), (0, 3000), (-256, 0), (10, -300), (90_000, 90_000)])
def test_a_patch_outside_the_slide_is_refused_and_one_across_its_edge_is_not(tmp_path, place):
    coords = CORNERS.copy()
    coords[2] = place
    said = disagreement(read_patches(trident(tmp_path, coords=coords)))
    assert (
        f"1 of 5 patches lie outside the slide of 4000 x 3000 px (the first at {place[0]}, {place[1]})"
        in said
    )
    coords[2] = (-255, 2999)
    check_patches(read_patches(trident(tmp_path, coords=coords)), SIZE, MPP, TILE_UM)


def test_a_place_that_is_there_twice_is_refused(tmp_path):
    coords = CORNERS.copy()
    coords[4] = coords[1]
    said = disagreement(read_patches(trident(tmp_path, coords=coords)))
    assert "1 of 5 patches are at the place of another" in said


def test_the_pitch_is_the_distance_of_neighbours(tmp_path):
    coords = 224 * np.array([[0, 0], [1, 0], [2, 0], [0, 1], [0, 2]])
    assert patch_pitch(read_patches(trident(tmp_path, coords=coords))) == 224
    assert patch_pitch(read_patches(trident(tmp_path, FEATURES[:1], coords[:1]))) == EDGE
