"""Names and colours for people on a sheet; the same key always gets the same ones."""

from collections.abc import Sequence
from hashlib import sha256

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

ANIMALS = (
    _("Albatross"), _("Alpaca"), _("Antelope"), _("Avocet"), _("Badger"),
    _("Barbet"), _("Bat"), _("Beaver"), _("Bee"), _("Bison"),
    _("Bittern"), _("Bobcat"), _("Bullfinch"), _("Bunting"), _("Butterfly"),
    _("Camel"), _("Capybara"), _("Caribou"), _("Cheetah"), _("Chinchilla"),
    _("Cicada"), _("Condor"), _("Coot"), _("Cormorant"), _("Crane"),
    _("Cricket"), _("Curlew"), _("Deer"), _("Dolphin"), _("Dormouse"),
    _("Dove"), _("Dragonfly"), _("Dunlin"), _("Eagle"), _("Egret"),
    _("Eider"), _("Elk"), _("Falcon"), _("Fennec"), _("Ferret"),
    _("Finch"), _("Firefly"), _("Flamingo"), _("Fox"), _("Gannet"),
    _("Gazelle"), _("Gecko"), _("Giraffe"), _("Goldfinch"), _("Grebe"),
    _("Grouse"), _("Guillemot"), _("Hare"), _("Harrier"), _("Hedgehog"),
    _("Heron"), _("Hoopoe"), _("Ibex"), _("Ibis"), _("Jackdaw"),
    _("Jay"), _("Kestrel"), _("Kingfisher"), _("Kite"), _("Koala"),
    _("Ladybird"), _("Lapwing"), _("Lark"), _("Lemur"), _("Leopard"),
    _("Linnet"), _("Lion"), _("Llama"), _("Lynx"), _("Magpie"),
    _("Manatee"), _("Mallard"), _("Marmot"), _("Marten"), _("Merlin"),
    _("Moth"), _("Narwhal"), _("Nightingale"), _("Ocelot"), _("Oriole"),
    _("Osprey"), _("Otter"), _("Owl"), _("Oystercatcher"), _("Panda"),
    _("Partridge"), _("Pelican"), _("Penguin"), _("Petrel"), _("Pheasant"),
    _("Pika"), _("Pipit"), _("Plover"), _("Pony"), _("Puffin"),
    _("Puma"), _("Quail"), _("Quokka"), _("Rabbit"), _("Raven"),
    _("Redstart"), _("Robin"), _("Salamander"), _("Sandpiper"), _("Seal"),
    _("Seahorse"), _("Skylark"), _("Snipe"), _("Sparrow"), _("Spoonbill"),
    _("Squirrel"), _("Starling"), _("Stoat"), _("Stork"), _("Swallow"),
    _("Swan"), _("Swift"), _("Tapir"), _("Tern"), _("Thrush"),
    _("Tiger"), _("Tortoise"), _("Toucan"), _("Turtle"), _("Wagtail"),
    _("Walrus"), _("Warbler"), _("Waxwing"), _("Wombat"), _("Woodpecker"),
    _("Wren"),
)  # fmt: skip

# One lightness, fourteen hues, none like the green of one's own selection: at least 3:1 on white,
# so that a thin cursor frame is seen (WCAG 1.4.11), and at least 4.5:1 under near-black text, so
# that a name on it can be read (1.4.3).
COLORS = (
    "#ee4f4f", "#3c88ec", "#4f981b", "#c553ee", "#d16c15", "#ed4a8b", "#87900e",
    "#6f7cf1", "#1c9c46", "#e95925", "#148fcc", "#eb33cc", "#b08111", "#966ff1",
)  # fmt: skip


def guest_name(key: str) -> str:
    """Return a name like "Guest Heron" for somebody who is not signed in, in their language."""
    return gettext("Guest %(animal)s") % {"animal": ANIMALS[_hash(key, "name") % len(ANIMALS)]}


def color_of(key: str) -> str:
    """Return the CSS colour (`#rrggbb`) of a person's cursor and label."""
    return COLORS[_hash(key, "color") % len(COLORS)]


def colors_apart(own: Sequence[str | None]) -> list[str]:
    """Return a colour for each of some people: their own one, or another where it is taken.

    None is somebody without a colour of their own. Of more than fourteen some are alike.
    """
    free = [color for color in COLORS if color not in own]
    colors: list[str] = []
    for place, color in enumerate(own):
        if color is None or color in colors:
            color = free.pop(0) if free else color or COLORS[place % len(COLORS)]
        colors.append(color)
    return colors


def _hash(key: str, purpose: str) -> int:
    # Python's own hash() differs from process to process; every process must agree here.
    return int.from_bytes(sha256(f"{purpose}:{key}".encode()).digest()[:8])
