"""Of an OME-TIFF's XML what belongs to the slide is understood, and whatever is odd does no harm."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ressat.base.errors import InputError
from ressat.slides.ome_image import OmeImage, slide_image
from slide_files import ome_image, ome_xml


def sized(x, unit=None, y=None):
    """XML of an image with a pixel size."""
    units = "" if unit is None else f'PhysicalSizeXUnit="{unit}" PhysicalSizeYUnit="{unit}"'
    return ome_xml(ome_image(pixels=f'PhysicalSizeX="{x}" PhysicalSizeY="{y or x}" {units}'))


@pytest.mark.parametrize(
    ("size", "unit"),
    [
        ("0.5", None),
        ("0.5", "µm"),
        ("0.5", "\u03bcm"),
        ("0.5", "um"),
        ("500", "nm"),
        ("5e-4", "mm"),
        ("5E-05", "cm"),
        ("0.0000005", "m"),
        ("5000", "Å"),
        ("5000", "\u212b"),
        (" 0.5 ", "&#181;m"),
    ],
)
def test_a_pixel_size_is_read_in_any_unit_of_length(size, unit):
    assert slide_image(sized(size, unit)).mpp == pytest.approx((0.5, 0.5))


@pytest.mark.parametrize(
    ("size", "unit"), [("0.5", "pixel"), ("0.5", "reference frame"), ("0.5", "M"), ("", None), ("half", None)]
)
def test_a_size_without_a_unit_of_length_or_a_number_is_none(size, unit):
    assert slide_image(sized(size, unit)).mpp is None


def test_the_axes_are_told_apart_and_one_alone_is_none():
    assert slide_image(sized("0.5", y="0.25")).mpp == (0.5, 0.25)
    assert slide_image(ome_xml(ome_image(pixels='PhysicalSizeX="0.5"'))).mpp is None


@pytest.mark.parametrize(
    "namespace",
    [
        "http://www.openmicroscopy.org/Schemas/OME/2016-06",
        "http://www.openmicroscopy.org/Schemas/OME/2011-06",
    ],
)
@pytest.mark.parametrize("prefix", ["", "ome:"])
def test_any_version_of_the_schema_and_any_prefix_are_read(namespace, prefix):
    xml = ome_xml(ome_image(pixels='PhysicalSizeX="0.5" PhysicalSizeY="0.5"'), namespace=namespace)
    if prefix:
        for name in ("OME", "Image", "Pixels", "Channel", "TiffData"):
            xml = xml.replace(f"<{name}", f"<ome:{name}").replace(f"</{name}>", f"</ome:{name}>")
        xml = xml.replace("xmlns=", "xmlns:ome=")
    assert slide_image(xml) == OmeImage(0, (700, 500), (0.5, 0.5), 1, False)


@pytest.mark.parametrize("name", ["label", "Label image", "Slide 3 - macro", "macro mask image", "THUMBNAIL"])
def test_label_and_overview_images_are_passed_over(name):
    other = ome_image(name, size=(9000, 9000), ifd=0, pixels='PhysicalSizeX="9" PhysicalSizeY="9"')
    slide = ome_image("Slide 3", ifd=1, pixels='PhysicalSizeX="0.5" PhysicalSizeY="0.5"')
    expected = OmeImage(1, (700, 500), (0.5, 0.5), 1, False, others=frozenset({0}))
    assert slide_image(ome_xml(other, slide)) == expected


@pytest.mark.parametrize("name", ["", "macrophages.svs", "labelled tumour"])
def test_the_largest_of_the_other_images_is_the_slide(name):
    small = ome_image("a", size=(70, 50), ifd=0)
    xml = ome_xml(small, ome_image(name, ifd=1), ome_image("second scene", ifd=2), small)
    assert (slide_image(xml).page, slide_image(xml).size) == (1, (700, 500))


def test_without_a_place_the_images_follow_each_other():
    channels = ['Name="a"', 'Name="b"', 'Name="c"']
    xml = ome_xml(ome_image(size=(7, 5), channels=channels), ome_image(size=(70, 50)), ome_image())
    assert slide_image(xml).page == 4


def test_an_only_image_is_the_slide_and_labels_alone_are_refused():
    assert slide_image(ome_xml(ome_image("label"))).page == 0
    with pytest.raises(InputError, match="the only images in the OME-TIFF are label, macro; expected"):
        slide_image(ome_xml(ome_image("label", ifd=0), ome_image("macro", ifd=1)))


@pytest.mark.parametrize(
    ("channels", "is_rgb"),
    [
        (['Name="Red"', 'Name="Green"', 'Name="Blue"'], True),
        (['Name="R"', 'Name="G"', 'Name="B"'], True),
        (['Name="TL Brightfield"'] * 3, True),
        (['Name="B"', 'Name="G"', 'Name="R"'], False),
        (['Name="DAPI"', 'Name="FITC"', 'Name="TRITC"'], False),
        (["", "", ""], False),
        (['Name="R" EmissionWavelength="600"', 'Name="G"', 'Name="B"'], False),
        (['Name="R"', 'Name="G"'], False),
    ],
)
def test_three_planes_are_a_colour_picture_only_where_they_are_said_to_be(channels, is_rgb):
    found = slide_image(ome_xml(ome_image(channels=channels, c=len(channels))))
    assert (found.is_rgb, found.planes) == (is_rgb, len(channels))


def test_planes_of_16_bits_or_out_of_order_are_no_colour_picture():
    xml = ome_xml(ome_image(channels=['Name="R"', 'Name="G"', 'Name="B"']))
    assert slide_image(xml).is_rgb
    assert not slide_image(xml.replace("uint8", "uint16")).is_rgb
    places = [f'<TiffData FirstC="{channel}" IFD="{ifd}"/>' for ifd, channel in enumerate((2, 1, 0))]
    assert not slide_image(xml.replace("<TiffData/>", "".join(places))).is_rgb


BOMB = (
    '<!DOCTYPE OME [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 12)).replace("&a0;", "&a;")
    + "]>"
)


@pytest.mark.parametrize(
    "xml",
    [
        "",
        "H&E, openmicroscopy.org",
        "<OME xmlns='openmicroscopy.org'>",
        "<OME xmlns='openmicroscopy.org'/>",
        "<svg xmlns='openmicroscopy.org'><Image/></svg>",
        ome_xml(ome_image())[:-9],
        ome_xml(ome_image(size=("wide", 500))),
        ome_xml(ome_image(size=(0, 500))),
        '<!DOCTYPE OME [<!ENTITY half "0.5">]>' + sized("&half;").partition("?>")[2],
        BOMB + ome_xml(ome_image("&a11;")).partition("?>")[2],
        '<!DOCTYPE OME [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
        + ome_xml(ome_image("&x;")).partition("?>")[2],
    ],
)
def test_what_is_not_understood_counts_as_no_xml(xml):
    start = time.perf_counter()
    assert slide_image(xml) is None
    assert time.perf_counter() - start < 1  # seconds; the entities would grow to 10 ** 12 letters


@given(st.text(max_size=60), st.text(max_size=10), st.text(max_size=10))
def test_no_text_raises(name, number, unit):
    slide_image(name + "openmicroscopy.org")
    xml = (
        sized("SIZE", "UNIT")
        .replace("SIZE", number)
        .replace("UNIT", unit)
        .replace('Name=""', f'Name="{name}"')
    )
    slide_image(xml)
    slide_image(
        xml.replace('SizeC="3"', f'SizeC="{number}"').replace("<TiffData/>", f'<TiffData IFD="{unit}"/>')
    )
