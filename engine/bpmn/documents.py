"""Reading XML that strangers drew: bounded, without entities, without the network."""

from __future__ import annotations

from lxml import etree

from engine.domain.process import Finding

MAX_BYTES = 2_000_000
MAX_ELEMENTS = 20_000
MAX_DEPTH = 60


def read_xml(file: str, content: bytes) -> tuple[etree._Element | None, list[Finding]]:
    """The root element, or None with the reason why the document is refused."""
    if len(content) > MAX_BYTES:
        return None, [Finding("xml_too_large", file, params={"megabytes": 2})]
    if b"<!DOCTYPE" in content or "<!DOCTYPE".encode("utf-16-le") in content:
        return None, [Finding("doctype_refused", file)]
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        return None, [
            Finding(
                "xml_unreadable", file, line=error.lineno or None, params={"reason": error.msg or ""}
            )
        ]
    for count, element in enumerate(root.iter(), start=1):
        if count > MAX_ELEMENTS:
            return None, [Finding("xml_too_large", file, params={"megabytes": 2})]
        if count % 50 == 0 and sum(1 for _ in element.iterancestors()) > MAX_DEPTH:
            return None, [Finding("xml_too_deep", file, line=element.sourceline)]
    return root, []


def local_name(element: etree._Element) -> str:
    return etree.QName(element).localname


def line_of(element: etree._Element) -> int:
    return int(element.sourceline or 0)
