"""Names beside points hide nothing."""

from itertools import combinations

import numpy as np

from ressat.figures.name_places import name_places

PAGE = (0.0, 0.0, 400.0, 300.0)


def boxes(points, named, sizes, **options):
    places = name_places(np.asarray(points, dtype=float), named, sizes, PAGE, 2.0, **options)
    return [
        place and (*place, place[0] + w, place[1] + h) for place, (w, h) in zip(places, sizes, strict=True)
    ]


def overlap(one, other):
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def test_a_name_stands_at_the_right_of_its_point_where_there_is_room():
    (box,) = boxes([(100, 100)], [0], [(40, 10)])
    assert 102 < box[0] < 108
    assert box[1] == 95


def test_names_hide_neither_points_nor_one_another_and_stay_in_the_frame():
    rng = np.random.default_rng(2)
    points = rng.normal((300, 200), 30, (60, 2)).clip(3, (397, 297))
    found = boxes(points, range(12), [(50, 9)] * 12)
    placed = [box for box in found if box]
    assert len(placed) >= 5
    assert not any(overlap(one, other) for one, other in combinations(placed, 2))
    for x, y in points:
        assert not any(overlap(box, (x - 2, y - 2, x + 2, y + 2)) for box in placed)
    assert all(box[0] >= 0 and box[1] >= 0 and box[2] <= 400 and box[3] <= 300 for box in placed)


def test_names_do_not_stand_on_the_line():
    line = np.column_stack([np.linspace(0, 400, 400), np.full(400, 104.0)])
    (box,) = boxes([(100, 100)], [0], [(40, 10)], line=line)
    assert not box[1] < 104 < box[3]


def test_a_name_stands_nearest_to_its_own_point():
    points = np.array([(200.0, 150.0), (206.0, 146.0), (212.0, 152.0), (204.0, 156.0)])
    for index in range(4):
        (box,) = boxes(points, [index], [(40, 10)])
        away = np.abs(points - points.clip(box[:2], box[2:])).max(axis=1)
        assert away.argmin() == index or (away[index] > 9 and away.min() > 5)


def test_a_name_without_room_is_left_out():
    x, y = np.meshgrid(np.arange(0, 400, 8), np.arange(0, 300, 8))
    assert boxes(np.column_stack([x.ravel(), y.ravel()]), [700], [(40, 10)]) == [None]


def test_the_first_names_come_first():
    points = [(200, 150), (210, 150)]
    assert boxes(points, [0], [(40, 10)]) == boxes(points, [0, 1], [(40, 10)] * 2)[:1]
