"""A licence application as the shipped package takes it."""

from __future__ import annotations

import io

from api.demo.player import SAMPLE_FILE
from api.wiring import Application
from engine.store.tables import Case
from engine.usecases.documents import StoreDocument, store_document
from engine.usecases.start_case import StartCase, start_case
from tests.support.play import actor


def applied(wired: Application, by: str = "citizen") -> Case:
    """An application for a food licence, just filed."""
    who = actor(wired, by)
    plan, rules = (
        wired.uow.run(store_document, StoreDocument(who, name, io.BytesIO(SAMPLE_FILE))).id
        for name in ("布局图.pdf", "管理制度.pdf")
    )
    answers = {
        "address": "解放路66号一层", "area": 120, "business_type": "catering",
        "items": ["hot", "drinks"], "seats": 40, "floor_plan": plan, "safety_rules": rules,
        "safety_officer": "张伟", "business_name": "海州张记小馆", "uscc": "91350100M000100Y43",
        "contact_name": "张伟", "phone": "13800138000", "declaration": True,
    }  # fmt: skip
    return wired.uow.run(start_case, StartCase(who, "S031", answers))
