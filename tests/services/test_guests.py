from itertools import combinations

from django.utils import translation

from cells.services.guests import ANIMALS, COLORS, color_of, colors_apart, guest_name


def test_a_key_always_gets_the_same_name_and_colour() -> None:
    assert guest_name("alice's tab") == guest_name("alice's tab")
    assert color_of("alice's tab") == color_of("alice's tab")
    # Fixed values: another process, or a later version of Python, must agree.
    assert guest_name("1") == "Guest Nightingale"
    assert color_of("1") == "#ee4f4f"


def test_names_are_spread_over_all_animals() -> None:
    names = {guest_name(str(number)) for number in range(5_000)}
    assert names == {f"Guest {animal}" for animal in ANIMALS}
    assert len(set(ANIMALS)) == len(ANIMALS)


def test_colours_are_spread_over_the_whole_palette() -> None:
    assert {color_of(str(number)) for number in range(1_000)} == set(COLORS)
    assert len(set(COLORS)) == len(COLORS) >= 12


def test_each_colour_is_seen_on_white_and_readable_under_dark_text() -> None:
    for color in COLORS:
        assert contrast(color, "#ffffff") >= 3, color
        assert contrast(color, "#111111") >= 4.5, color


def test_no_two_colours_look_alike() -> None:
    for one, other in combinations(COLORS, 2):
        distance = sum(abs(a - b) for a, b in zip(channels(one), channels(other), strict=True))
        assert distance >= 45, (one, other)


def channels(color: str) -> list[int]:
    return [int(color[start : start + 2], 16) for start in (1, 3, 5)]


def contrast(one: str, other: str) -> float:
    """WCAG 2.2's contrast ratio of two colours."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(color: str) -> float:
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (channel / 255 for channel in channels(color))
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_a_guest_is_called_in_their_own_language() -> None:
    with translation.override("de"):
        assert guest_name("1") == "Gast Nachtigall"
        assert len({guest_name(str(number)) for number in range(5_000)}) == len(ANIMALS)


def test_people_in_one_picture_differ_in_their_colours() -> None:
    one, other = COLORS[0], COLORS[5]
    first, guest, second, third = colors_apart([one, None, one, other])
    assert (first, third) == (one, other)  # whoever comes first keeps their own
    assert len({first, guest, second, third}) == 4
    assert sorted(colors_apart([None] * len(COLORS))) == sorted(COLORS)
    assert len(colors_apart([None, one] * 20)) == 40
