"""Every sentence of the pages is marked for translation, and stands in each catalog, complete."""

import ast
import gettext
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils.translation.template import templatize

from tests.servers.process import ROOT

LOCALE = ROOT / "cells/locale"
LANGUAGES = [code for code, _ in settings.LANGUAGES if code != "en"]
DOMAINS = ["django", "djangojs"]

# The admin stays English, and Django's own words.
TEMPLATES = [
    path
    for folder in ("templates", "cells/templates")
    for path in sorted((ROOT / folder).rglob("*.html"))
    if "admin" not in path.relative_to(ROOT).parts
]
MODULES = sorted((ROOT / "cells/static/cells").rglob("*.js"))
WORDS = ROOT / "cells/static/cells/ui/words.js"

SAME_EVERYWHERE = {"SheetSync", "fx", "UTC"}  # names and signs


@dataclass(frozen=True, order=True)
class Sentence:
    text: str
    plural: str = ""
    context: str = ""


@dataclass(frozen=True)
class Entry:
    """One sentence of a .po file with its translations: one, or one for each number."""

    sentence: Sentence
    translations: list[str]
    flags: str


# -- what the sources say ------------------------------------------------------------------------

_JS_TEXT = r'"((?:[^"\\\n]|\\.)*)"'
_JS_CALL = re.compile(
    rf"\b(n|p)?gettext\(\s*{_JS_TEXT}(?:\s*,\s*{_JS_TEXT})?(?=\s*[,)])", re.DOTALL
)
_PYTHON_NAMES = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "pgettext"}


def js_text(quoted: str) -> str:
    text: str = ast.literal_eval(f'"{quoted}"')
    return text


def sentences_of_module(source: str) -> Iterator[Sentence]:
    for kind, *texts in _JS_CALL.findall(source):
        first, second = map(js_text, texts)
        match kind:
            case "n":
                yield Sentence(first, plural=second)
            case "p":
                yield Sentence(second, context=first)
            case _:
                yield Sentence(first)


def sentences_of_python(source: str) -> Iterator[Sentence]:
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        if node.func.id not in _PYTHON_NAMES:
            continue
        texts = [part.value for part in node.args if isinstance(part, ast.Constant)]
        first, second = ([str(text) for text in texts] + ["", ""])[:2]
        assert first, f"only a literal can be translated: {ast.unparse(node)}"
        if node.func.id.startswith("n"):
            yield Sentence(first, plural=second)
        elif node.func.id.startswith("p"):
            yield Sentence(second, context=first)
        else:
            yield Sentence(first)


def sentences_of_template(source: str) -> Iterator[Sentence]:
    # Django's own extraction, as makemessages runs it: the tags become calls of gettext.
    calls = re.findall(r" (n?p?gettext\(u?(?:'|\").*?\)) ", templatize(source), re.DOTALL)
    for call in calls:
        yield from sentences_of_python(call)


def sentences_in_sources(domain: str) -> set[Sentence]:
    if domain == "djangojs":
        return {found for path in MODULES for found in sentences_of_module(path.read_text())}
    return {
        *(found for path in TEMPLATES for found in sentences_of_template(path.read_text())),
        *(
            found
            for folder in ("cells", "sheetsync")
            for path in sorted((ROOT / folder).rglob("*.py"))
            if re.search(r"import .*gettext", path.read_text())
            for found in sentences_of_python(path.read_text())
        ),
    }


# -- what the catalogs say -----------------------------------------------------------------------


def catalog_path(language: str, domain: str, ending: str) -> Path:
    return LOCALE / language / f"LC_MESSAGES/{domain}.{ending}"


def entries(language: str, domain: str) -> list[Entry]:
    """Read a .po file; its header is left out."""
    read = []
    for block in catalog_path(language, domain, "po").read_text().split("\n\n"):
        values: dict[str, str] = {}
        flags = ""
        key = ""
        for line in block.splitlines():
            if line.startswith("#"):
                assert not line.startswith("#~"), f"an obsolete entry: {line}"
                flags += line[2:] if line.startswith("#,") else ""
                continue
            if not line.startswith('"'):
                key, _, line = line.partition(" ")
            values[key] = values.get(key, "") + ast.literal_eval(line)
        if not values.get("msgid"):
            continue
        sentence = Sentence(
            values["msgid"], values.get("msgid_plural", ""), values.get("msgctxt", "")
        )
        translations = [text for name, text in values.items() if name.startswith("msgstr")]
        read.append(Entry(sentence, translations, flags))
    return read


def places(text: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)s|</?\w+", text))


each_catalog = pytest.mark.parametrize(
    ("language", "domain"), [(language, domain) for language in LANGUAGES for domain in DOMAINS]
)


@each_catalog
def test_every_sentence_of_the_sources_is_translated(language: str, domain: str) -> None:
    translated = {entry.sentence for entry in entries(language, domain) if all(entry.translations)}
    missing = sentences_in_sources(domain) - translated
    assert not missing, f"run make messages, then translate {sorted(missing)}"


@each_catalog
def test_no_translation_is_left_of_a_sentence_that_is_gone(language: str, domain: str) -> None:
    kept = {entry.sentence for entry in entries(language, domain)}
    assert not kept - sentences_in_sources(domain), "run make messages"


@each_catalog
def test_no_translation_is_a_guess(language: str, domain: str) -> None:
    assert not [entry for entry in entries(language, domain) if "fuzzy" in entry.flags]


@each_catalog
def test_places_and_tags_agree_between_sentence_and_translation(language: str, domain: str) -> None:
    for entry in entries(language, domain):
        texts = [entry.sentence.text, *([entry.sentence.plural] if entry.sentence.plural else [])]
        assert len(entry.translations) == len(texts), entry
        for text, translation in zip(texts, entry.translations, strict=True):
            assert places(text) == places(translation), entry
            assert text.strip() != text or translation.strip() == translation, entry


@each_catalog
def test_what_is_compiled_is_what_is_written(language: str, domain: str) -> None:
    compiled = catalog_path(language, domain, "mo").read_bytes()
    written = entries(language, domain)
    (count,) = struct.unpack("<I", compiled[8:12])
    assert count == len(written) + 1, "run make messages"  # and the header
    with catalog_path(language, domain, "mo").open("rb") as file:
        catalog = gettext.GNUTranslations(file)
    for entry in written:
        text, plural, context = entry.sentence.text, entry.sentence.plural, entry.sentence.context
        if plural:
            found = [catalog.ngettext(text, plural, 1), catalog.ngettext(text, plural, 2)]
        elif context:
            found = [catalog.pgettext(context, text)]
        else:
            found = [catalog.gettext(text)]
        assert found == entry.translations, "run make messages"


# -- nothing is said past the catalogs -----------------------------------------------------------


class _Said(HTMLParser):
    """What a person reads or hears of a page."""

    ATTRIBUTES = ("aria-label", "aria-description", "alt", "title", "placeholder", "data-copied")

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.texts += [value or "" for name, value in attrs if name in self.ATTRIBUTES]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_template_says_nothing_untranslated(path: Path) -> None:
    source = path.read_text()
    for tags in (
        r"\{#.*?#\}",
        r"\{% block body_class %\}.*?\{% endblock %\}",
        r"\{% blocktranslate.*?endblocktranslate %\}",
        r"\{%.*?%\}",
        r"\{\{.*?\}\}",
        r"<(style|script)\b.*?</\1>",
    ):
        source = re.sub(tags, " ", source, flags=re.DOTALL)
    said = _Said()
    said.feed(source)
    words = {word for text in said.texts for word in re.findall(r"[^\W\d_]{2,}", text)}
    assert words <= SAME_EVERYWHERE


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_says_nothing_untranslated(path: Path) -> None:
    """Sentences are texts that begin with a capital letter and hold words; errors are no speech."""
    source = re.sub(r"/\*.*?\*/|(?<!:)//[^\n]*", "", path.read_text(), flags=re.DOTALL)
    source = re.sub(r"(Error|console\.\w+)\([^\n]*", "", source)
    if "domain" in path.parts or "sync" in path.parts:
        assert "gettext" not in source
        return
    texts = {js_text(text) for text in re.findall(_JS_TEXT, source)} | set(
        re.findall(r"`([^`]*)`", source)
    )
    known = {
        text
        for sentence in sentences_of_module(source)
        for text in (sentence.text, sentence.plural)
    }
    texts.discard("Page Up, Page Down")  # keysNamed translates keys one by one
    assert not [text for text in texts - known if re.search(r"^[A-Z][a-z]+ .*[a-z]{2}", text)]
    said = r"""(?:tell|say)\(\s*["`]|label: ["`]|(?:aria-label|title|placeholder)"?[:,] ?["`]"""
    assert not re.findall(rf"(?:{said})[A-Z].*", source)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_asks_the_catalog_for_literals_and_not_while_it_loads(path: Path) -> None:
    """What is put together is in no catalog; what is said at once may come before it."""
    if path == WORDS:
        return
    source = path.read_text()
    calls = len(re.findall(r"\b[np]?gettext\(", source))
    assert calls == len(list(sentences_of_module(source)))
    assert not re.search(r"^(?:export )?(?:const|let) [^=\n]*= [^\n{(]*gettext\(", source, re.M)


# -- the pages -----------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["cells:home", "login"])
def test_a_page_is_in_the_language_that_the_browser_asks_for(page: str) -> None:
    german = Client(headers={"accept-language": "de-AT,de;q=0.9,en;q=0.5"})
    said = german.get(reverse(page)).text
    assert '<html lang="de">' in said
    assert "Anmelden" in said
    assert f'src="{reverse("cells:words")}"' in said
    french = Client(headers={"accept-language": "fr"}).get(reverse(page)).text
    assert '<html lang="en">' in french
    assert "Sign in" in french
    assert reverse("cells:words") not in french, "English needs no catalog"


def test_the_modules_get_their_words_in_that_language() -> None:
    words = Client(headers={"accept-language": "de"}).get(reverse("cells:words"))
    assert words["Content-Type"].startswith("text/javascript")
    assert "Gespeichert" in words.text
    again = {"accept-language": "de", "if-none-match": words["ETag"]}
    assert Client(headers=again).get(reverse("cells:words")).status_code == 304


@pytest.mark.django_db
def test_a_language_that_was_chosen_stays_against_the_browser() -> None:
    browser = Client(headers={"accept-language": "en"})
    assert 'name="language" value="de" lang="de">Deutsch</button>' in browser.get("/").text
    there = "http://testserver" + reverse("login") + "?next=/sheets/demo/"
    chosen = browser.post(reverse("set_language"), {"language": "de"}, headers={"referer": there})
    assert chosen.status_code == 302
    assert chosen["Location"] == there
    assert '<html lang="de">' in browser.get(there).text
    assert "Gespeichert" in browser.get(reverse("cells:words")).text
    browser.post(reverse("set_language"), {"language": "en"})
    assert '<html lang="en">' in browser.get("/").text


def test_choosing_a_language_leads_to_no_other_site() -> None:
    elsewhere = "https://elsewhere.example/"
    chosen = Client().post(
        reverse("set_language"), {"language": "de"}, headers={"referer": elsewhere}
    )
    assert chosen["Location"] == "/"
