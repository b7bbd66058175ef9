"""Departments and people; changes are the administrator's."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from api.access import application, require_administrator, require_staff
from api.rest.people_schemas import (
    DepartmentList,
    DepartmentView,
    NewUser,
    UserChange,
    UserList,
    UserView,
)
from engine.domain.access import Actor
from engine.domain.passwords import hash_password
from engine.store.queries import people as queries
from engine.store.tables import User
from engine.usecases.people import AddUser, ChangeUser, add_user, change_user

router = APIRouter(tags=["people"])
Administrator = Annotated[Actor, Depends(require_administrator)]


@router.get("/departments", operation_id="list_departments", response_model=DepartmentList)
def list_departments(
    request: Request, actor: Annotated[Actor, Depends(require_staff)]
) -> DepartmentList:
    with application(request).uow.read() as session:
        return DepartmentList(
            items=[
                DepartmentView(code=code, name=row.name[request.state.locale], phone=row.phone)
                for code, row in queries.departments(session).items()
            ]
        )


@router.get("/users", operation_id="list_users", response_model=UserList)
def list_users(request: Request, actor: Administrator) -> UserList:
    with application(request).uow.read() as session:
        return UserList(items=[_view(user) for user in queries.staff(session)])


@router.post("/users", operation_id="create_user", response_model=UserView, status_code=201)
def create_user(request: Request, actor: Administrator, body: NewUser) -> UserView:
    wired = application(request)
    with wired.hashing:
        hashed = hash_password(body.password)
    command = AddUser(
        actor=actor,
        user_name=body.user_name,
        display_name=body.display_name,
        password_hash=hashed,
        roles=tuple(body.roles),
        department=body.department,
        skills=tuple(body.skills),
        daily_capacity=body.daily_capacity,
    )
    return _view(wired.uow.run(add_user, command))


@router.patch("/users/{user_id}", operation_id="change_user", response_model=UserView)
def patch_user(request: Request, actor: Administrator, user_id: str, body: UserChange) -> UserView:
    command = ChangeUser(
        actor=actor,
        user_id=user_id,
        active=body.active,
        roles=tuple(body.roles) if body.roles is not None else None,
        department=body.department,
        skills=tuple(body.skills) if body.skills is not None else None,
        daily_capacity=body.daily_capacity,
    )
    return _view(application(request).uow.run(change_user, command))


def _view(user: User) -> UserView:
    return UserView(
        id=user.id,
        user_name=user.user_name,
        display_name=user.display_name,
        roles=list(user.roles),
        department=user.department,
        active=user.active,
        skills=list(user.skills or ()),
        daily_capacity=user.daily_capacity,
    )
