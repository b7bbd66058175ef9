"""The fields of forms drawn inside the model, as Camunda 7 has them."""

from __future__ import annotations

from lxml import etree

from engine.bpmn.documents import local_name
from engine.bpmn.reading.names import camunda_elements
from engine.domain.process import FormField


def read_form_fields(node: etree._Element) -> tuple[FormField, ...]:
    """The fields of the form inside a user task or start event."""
    made = []
    for form in camunda_elements(node, "formData"):
        for field in form:
            if local_name(field) == "formField" and field.get("id"):
                values = [each.get("id") or "" for each in field if local_name(each) == "value"]
                made.append(
                    FormField(
                        field.get("id") or "",
                        field.get("type") or "string",
                        field.get("defaultValue"),
                        tuple(values),
                    )
                )
    return tuple(made)
