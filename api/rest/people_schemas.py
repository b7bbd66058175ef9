"""Shapes of the JSON interface: departments and people."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api.rest.schemas import Shape

StaffRole = Literal["caseworker", "designer", "manager", "administrator", "job_worker"]


class DepartmentView(Shape):
    code: str
    name: str
    phone: str


class UserView(Shape):
    id: str
    user_name: str
    display_name: str
    roles: list[str]
    department: str | None
    active: bool
    skills: list[str]
    daily_capacity: int | None


class NewUser(Shape):
    user_name: str = Field(min_length=3, max_length=60, pattern=r"^[a-z][a-z0-9_.-]*$")
    display_name: str = Field(min_length=1, max_length=100)
    password: str = Field(min_length=12, max_length=128)
    roles: list[StaffRole]
    department: str | None = None
    skills: list[str] = Field(default_factory=list, max_length=50)
    daily_capacity: int | None = Field(default=None, ge=1, le=1000)


class UserChange(Shape):
    active: bool | None = None
    roles: list[StaffRole] | None = None
    department: str | None = None
    skills: list[str] | None = None
    daily_capacity: int | None = Field(default=None, ge=0, le=1000)
    """How many tasks a day; 0 for any number."""


class UserList(Shape):
    items: list[UserView]


class DepartmentList(Shape):
    items: list[DepartmentView]
