"""Names and colours for people on a sheet; the same key always gets the same ones."""

from hashlib import sha256

ANIMALS = (
    "Albatross", "Alpaca", "Antelope", "Avocet", "Badger", "Barbet", "Bat", "Beaver",
    "Bee", "Bison", "Bittern", "Bobcat", "Bullfinch", "Bunting", "Butterfly", "Camel",
    "Capybara", "Caribou", "Cheetah", "Chinchilla", "Cicada", "Condor", "Coot", "Cormorant",
    "Crane", "Cricket", "Curlew", "Deer", "Dolphin", "Dormouse", "Dove", "Dragonfly",
    "Dunlin", "Eagle", "Egret", "Eider", "Elk", "Falcon", "Fennec", "Ferret",
    "Finch", "Firefly", "Flamingo", "Fox", "Gannet", "Gazelle", "Gecko", "Giraffe",
    "Goldfinch", "Grebe", "Grouse", "Guillemot", "Hare", "Harrier", "Hedgehog", "Heron",
    "Hoopoe", "Ibex", "Ibis", "Jackdaw", "Jay", "Kestrel", "Kingfisher", "Kite",
    "Koala", "Ladybird", "Lapwing", "Lark", "Lemur", "Leopard", "Linnet", "Lion",
    "Llama", "Lynx", "Magpie", "Manatee", "Mallard", "Marmot", "Marten", "Merlin",
    "Moth", "Narwhal", "Nightingale", "Ocelot", "Oriole", "Osprey", "Otter", "Owl",
    "Oystercatcher", "Panda", "Partridge", "Pelican", "Penguin", "Petrel", "Pheasant", "Pika",
    "Pipit", "Plover", "Pony", "Puffin", "Puma", "Quail", "Quokka", "Rabbit",
    "Raven", "Redstart", "Robin", "Salamander", "Sandpiper", "Seal", "Seahorse", "Skylark",
    "Snipe", "Sparrow", "Spoonbill", "Squirrel", "Starling", "Stoat", "Stork", "Swallow",
    "Swan", "Swift", "Tapir", "Tern", "Thrush", "Tiger", "Tortoise", "Toucan",
    "Turtle", "Wagtail", "Walrus", "Warbler", "Waxwing", "Wombat", "Woodpecker", "Wren",
)  # fmt: skip

# One lightness, fourteen hues, none like the green of one's own selection: at least 3:1 on white,
# so that a thin cursor frame is seen (WCAG 1.4.11), and at least 4.5:1 under near-black text, so
# that a name on it can be read (1.4.3).
COLORS = (
    "#ee4f4f", "#3c88ec", "#4f981b", "#c553ee", "#d16c15", "#ed4a8b", "#87900e",
    "#6f7cf1", "#1c9c46", "#e95925", "#148fcc", "#eb33cc", "#b08111", "#966ff1",
)  # fmt: skip


def guest_name(key: str) -> str:
    """Return a name like "Guest Heron" for somebody who is not signed in."""
    return f"Guest {ANIMALS[_hash(key, 'name') % len(ANIMALS)]}"


def color_of(key: str) -> str:
    """Return the CSS colour (`#rrggbb`) of a person's cursor and label."""
    return COLORS[_hash(key, "color") % len(COLORS)]


def _hash(key: str, purpose: str) -> int:
    # Python's own hash() differs from process to process; every process must agree here.
    return int.from_bytes(sha256(f"{purpose}:{key}".encode()).digest()[:8])
