"""Workbooks made to harm, or damaged: each as the bytes of its file."""

import io
import warnings
import zipfile
from collections.abc import Mapping, Sequence

import openpyxl

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
SHEET = "xl/worksheets/sheet1.xml"


def _parts() -> dict[str, bytes]:
    file = io.BytesIO()
    openpyxl.Workbook().save(file)
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _packed(parts: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return file.getvalue()


def _with_doctype(part: str, doctype: str) -> bytes:
    parts = _parts()
    text = parts[part].decode()
    declaration, mark, rest = text.partition("?>")
    start = f"{declaration}{mark}" if mark else ""
    parts[part] = f"{start}{doctype}{rest if mark else text}".encode()
    return _packed(parts)


def billion_laughs(part: str) -> bytes:
    return _with_doctype(part, f'<!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}]>')


def external_entity(part: str) -> bytes:
    return _with_doctype(part, '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>')


def dtd(part: str) -> bytes:
    return _with_doctype(part, '<!DOCTYPE x [<!ENTITY e "harmless">]>')


def zeros() -> bytes:
    return _packed({**_parts(), SHEET: b" " * 50_000_000})


def many_parts() -> bytes:
    return _packed({**_parts(), **{f"xl/media/{n}": b"" for n in range(5_001)}})


def large_strings() -> bytes:
    """Claim shared strings of 300 MB, by the archive's own list alone."""
    data = bytearray(_packed({**_parts(), "xl/sharedStrings.xml": b"x" * 100}))
    entry = data.rindex(b"xl/sharedStrings.xml") - 46  # of the central directory
    data[entry + 20 : entry + 24] = (100_000_000).to_bytes(4, "little")
    data[entry + 24 : entry + 28] = (300_000_000).to_bytes(4, "little")
    return bytes(data)


def two_of_a_name() -> bytes:
    file = io.BytesIO(_packed(_parts()))
    with warnings.catch_warnings(), zipfile.ZipFile(file, "a") as archive:
        warnings.simplefilter("ignore")  # zipfile says so, too
        archive.writestr(SHEET, b"<worksheet/>")
    return file.getvalue()


def with_rows(rows: str) -> bytes:
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    page = f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>'
    return _packed({**_parts(), SHEET: page.encode()})


def without(part: str) -> bytes:
    return _packed({name: data for name, data in _parts().items() if name != part})


def with_shared_strings(strings: Sequence[str]) -> bytes:
    """Make no bomb: a row of strings, each as it is told in the file's list of them."""
    cells = "".join(f'<c t="s"><v>{n}</v></c>' for n in range(len(strings)))
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    told = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}"/></Types>'
    parts = _parts()
    types = parts["[Content_Types].xml"].replace(b"</Types>", told.encode())
    page = f'<worksheet xmlns="{main}"><sheetData><row r="1">{cells}</row></sheetData></worksheet>'
    table = f'<sst xmlns="{main}">{"".join(f"<si><t>{text}</t></si>" for text in strings)}</sst>'
    shared = {"[Content_Types].xml": types, "xl/sharedStrings.xml": table.encode()}
    return _packed({**parts, **shared, SHEET: page.encode()})
