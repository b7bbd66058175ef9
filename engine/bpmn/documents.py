"""Reading XML that strangers drew: bounded, without entities, without the network."""

from __future__ import annotations

from lxml import etree

from engine.domain.process import Finding

MAX_BYTES = 2_000_000
MAX_ELEMENTS = 20_000
MAX_ATTRIBUTES = 100
MAX_DEPTH = 60


def read_xml(file: str, content: bytes) -> tuple[etree._Element | None, list[Finding]]:
    """The root element, or None with the reason why the document is refused."""
    if len(content) > MAX_BYTES:
        return None, [Finding("xml_too_large", file, params={"megabytes": 2})]
    # Sought before parsing too, so that no entity is ever declared to the parser.
    if any("<!DOCTYPE".encode(code) in content for code in ("utf-8", "utf-16-le", "utf-16-be")):
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
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        line = getattr(error, "lineno", None)
        reason = getattr(error, "msg", None) or str(error)
        return None, [Finding("xml_unreadable", file, line=line or None, params={"reason": reason})]
    if root.getroottree().docinfo.doctype:
        return None, [Finding("doctype_refused", file)]
    return _bounded(file, root)


def _bounded(file: str, root: etree._Element) -> tuple[etree._Element | None, list[Finding]]:
    count, pending = 0, [(root, 1)]
    while pending:
        element, depth = pending.pop()
        count += 1
        if count > MAX_ELEMENTS or len(element.attrib) > MAX_ATTRIBUTES:
            return None, [Finding("xml_too_large", file, params={"megabytes": 2})]
        if depth > MAX_DEPTH:
            return None, [Finding("xml_too_deep", file, line=line_of(element))]
        if not isinstance(element.tag, str):
            return None, [Finding("doctype_refused", file, line=line_of(element))]
        pending += [(child, depth + 1) for child in element]
    return root, []


def local_name(element: etree._Element) -> str:
    return str(etree.QName(element).localname)


def namespace(element: etree._Element) -> str:
    return str(etree.QName(element).namespace or "")


def line_of(element: etree._Element) -> int:
    return int(element.sourceline or 0)
