import h5py
import numpy as np
import pytest

from ressat.base import hdf5_content
from ressat.base.errors import InputError
from ressat.base.hdf5_content import opened_hdf5, refuse_swollen


@pytest.fixture
def other(tmp_path):
    """Two other files of the machine: one HDF5, one text."""
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["names"] = np.arange(10)
    (tmp_path / "private.txt").write_text("root:x:0:0\n" * 10)
    return tmp_path


def write(path, fill):
    with h5py.File(path, "w") as file:
        fill(file)
    return path


def linked(file):
    file["deep/er/names"] = h5py.ExternalLink("other.h5", "/names")


def linked_group(file):
    file["matrix"] = h5py.ExternalLink("../elsewhere/other.h5", "/")


def behind_a_soft_link(file):
    file["all"] = h5py.SoftLink("/out/names")
    file["out"] = h5py.ExternalLink("other.h5", "/")


def stored_elsewhere(file):
    file.create_dataset("names", (5,), dtype="S4", external=[("private.txt", 0, 20)])


def stored_in_two_files(file):
    parts = [("private.txt", 0, 8), ("/etc/hostname", 0, 8)]
    file.create_dataset("g/names", (4,), dtype="S4", external=parts)


def virtual(file):
    layout = h5py.VirtualLayout((10,), "i8")
    layout[:] = h5py.VirtualSource("other.h5", "names", (10,))
    file.create_virtual_dataset("names", layout)


@pytest.mark.parametrize(
    ("fill", "said"),
    [
        (linked, "its /deep/er/names is a link to another file ('other.h5')"),
        (linked_group, "its /matrix is a link to another file ('../elsewhere/other.h5')"),
        (behind_a_soft_link, "its /out is a link to another file ('other.h5')"),
        (stored_elsewhere, "its /names is the data of another file ('private.txt')"),
        (stored_in_two_files, "its /g/names is the data of another file ('private.txt')"),
        (virtual, "its /names is the data of another file ('other.h5')"),
    ],
)
def test_what_leads_to_another_file_is_refused(other, fill, said):
    with pytest.raises(InputError) as caught, opened_hdf5(write(other / "a.h5", fill)):
        pass
    assert caught.value.problem == said
    assert caught.value.action


def inner_links(file):
    file["g/x"] = [1, 2]
    file["soft"] = h5py.SoftLink("/g/x")
    file["nowhere"] = h5py.SoftLink("/none/such")
    file["g/self"] = file["g"]
    file["g/up"] = file["/"]


def inner_virtual(file):
    file["x"] = np.arange(4)
    layout = h5py.VirtualLayout((4,), "i8")
    layout[:] = h5py.VirtualSource(".", "x", (4,))
    file.create_virtual_dataset("v", layout)


def odd_objects(file):
    file["empty"] = h5py.Empty("f")
    file["kind"] = np.dtype("i4")
    file["scalar"] = 3
    file["texts"] = np.array(["a", "b"], dtype=object)
    file.create_dataset("none", (0, 5), "f4", maxshape=(None, 5))


@pytest.mark.parametrize("fill", [inner_links, inner_virtual, odd_objects])
def test_what_stays_within_the_file_is_read(tmp_path, fill):
    with opened_hdf5(write(tmp_path / "a.h5", fill)) as file:
        assert len(file)


def test_the_file_itself_may_be_a_link(tmp_path):
    write(tmp_path / "a.h5", odd_objects)
    (tmp_path / "link.h5").symlink_to("a.h5")
    with opened_hdf5(tmp_path / "link.h5") as file:
        assert file["scalar"][()] == 3


@pytest.mark.parametrize("options", [{"shape": (10**12,)}, {"shape": (10**6, 10**6), "compression": "gzip"}])
def test_data_that_are_declared_and_not_stored_are_refused(tmp_path, options):
    def fill(file):
        file.create_dataset("obsm/big", dtype="f8", chunks=True, **options)

    said = r"obsm/big of shape .* is more than it can hold"
    with pytest.raises(InputError, match=said), opened_hdf5(write(tmp_path / "a.h5", fill)):
        pass


@pytest.mark.parametrize(("declared", "stored"), [(5 << 30, 1 << 20), (10**12, 10**9)])
def test_data_packed_beyond_what_counts_can_be_are_refused(declared, stored):
    with pytest.raises(InputError, match="GB of data in"):
        refuse_swollen(declared, stored)
    refuse_swollen(declared, declared // 200)
    refuse_swollen(1 << 30, 1 << 10)


def test_a_file_of_endless_objects_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(hdf5_content, "MOST_LINKS", 20)
    fills = [
        lambda file, at=at: [file.create_group(at.format(i)) for i in range(21)] for at in ("{}", "a/{}/b")
    ]
    for fill in fills:
        with (
            pytest.raises(InputError, match="more than 20 objects"),
            opened_hdf5(write(tmp_path / "a.h5", fill)),
        ):
            pass
