"""The face the engine sees: checking and validating. Satisfies `engine.domain.ports.Forms`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.domain.field_error import FieldError
from engine.domain.ports import Form
from engine.domain.process import Finding
from forms.schema import check_form
from forms.validate import validate


class FormLibrary:
    def check_form(self, file: str, content: bytes) -> tuple[Form | None, list[Finding]]:
        """See `forms.schema.check_form`."""
        return check_form(file, content)

    def validate(
        self,
        form: Form,
        answers: Mapping[str, Any],
        start_form: Form | None = None,
        page: str | None = None,
    ) -> tuple[dict[str, Any], list[FieldError]]:
        """See `forms.validate.validate`."""
        return validate(form, answers, start_form, page)
