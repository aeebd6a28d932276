"""Accounts, the audit chain and exports: what an administrator does."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, HTTPException
from pydantic import Field

from opentpe.records import accounts, exchange_fhir
from opentpe.records.kinds import Account, Role
from opentpe.web import passwords
from opentpe.web.api import Id, KeptOut, Said, Version, Why, out
from opentpe.web.clinic import Here
from opentpe.web.people import Allowed, Checked, Person, Writing

router: Final = APIRouter(prefix="/api/admin", tags=["administration"])
Administrator = Annotated[Person, Depends(Writing("accounts"))]
Exporter = Annotated[Person, Depends(Allowed("exchange"))]
Password = Annotated[str, Field(min_length=passwords.SHORTEST, max_length=passwords.LONGEST)]


class NewAccount(Said):
    """A person who may sign in; without a password only through the outside identity provider."""

    account: Account
    password: Password | None = None
    why: Why = ""


class ChangedAccount(Said):
    """A new version of an account."""

    account: Account
    version: Version
    why: Why = ""


class NewPassword(Said):
    """The password in use and the next one."""

    old: str = Field(max_length=passwords.LONGEST)
    new: Password


@router.get("/accounts", dependencies=[Depends(Allowed("accounts"))])
def listed(here: Here) -> list[KeptOut[Account]]:
    """All accounts in use."""
    return [KeptOut[Account](**out(kept)) for kept in here.store.current(Account)]


@router.post("/accounts", status_code=201)
def add(said: NewAccount, here: Here, person: Administrator) -> KeptOut[Account]:
    """A new account."""
    hashed = passwords.hashed(said.password) if said.password else None
    made = here.store.add(said.account, person.name, said.why)
    if hashed:
        accounts.set_password(here.store, made.id, hashed, person.name)
    return KeptOut[Account](**out(made))


@router.put("/accounts/{record_id}")
def change(record_id: Id, said: ChangedAccount, here: Here, person: Administrator) -> KeptOut[Account]:
    """Another role, or a closed account; its open sessions end. The last administrator stays one."""
    kept = here.store.current(Account, where={"role": Role.ADMIN.value, "active": True})
    stays = said.account.role is Role.ADMIN and said.account.active
    if not stays and {k.id for k in kept} <= {record_id}:
        raise HTTPException(409, "This is the last administrator. Make another one first.")
    made = here.store.change(record_id, said.account, said.version, person.name, said.why)
    accounts.close_sessions_of(here.store, record_id, person.name)
    return KeptOut[Account](**out(made))


@router.post("/password", status_code=204)
def change_own_password(said: NewPassword, here: Here, person: Checked) -> None:
    """A new password of one's own; all sessions end."""
    if not passwords.fits(said.old, accounts.password_hash(here.store, person.account_id)):
        raise HTTPException(403, "The old password is not right.")
    accounts.set_password(here.store, person.account_id, passwords.hashed(said.new), person.name)


@router.get("/audit", dependencies=[Depends(Allowed("audit"))])
def audit(here: Here, head: str = "") -> dict[str, Any]:
    """Whether the audit chain and the records fit each other."""
    verdict = here.store.verify(head)
    return {
        "sound": verdict.sound,
        "lines_count": verdict.lines_count,
        "versions_count": verdict.versions_count,
        "head": verdict.head,
        "faults": verdict.faults,
        "notes": verdict.notes,
    }


@router.get("/export")
def export(here: Here, person: Exporter) -> dict[str, Any]:
    """Everything that is in use as one FHIR bundle."""
    return exchange_fhir.bundle(here.store, here.library, person.name)
