"""What the author of a document should know of it on its engine."""

from __future__ import annotations

from exordos_paas_storage.domain import capabilities
from exordos_paas_storage.domain.language import actions, assembly, engine_actions
from exordos_paas_storage.domain.language.engine_actions import (
    DELETE,
    DELETE_VERSION,
    LIST,
    LIST_VERSIONS,
    VERSION_ID,
)
from exordos_paas_storage.domain.language.parts import Read

UNREACHED = {
    actions.OBJECT: "is about objects, and no resource here is one (bucket/key)",
    actions.BUCKET: "is about buckets, and no resource here is one (without a slash)",
    actions.ACCOUNT: "is about no bucket, and no resource here is *",
}
NEVER = "no request that it is about can meet these conditions"
BLURRED = (
    "minio tells an object from its versions by what the client says, so a client that "
    "forges it can do to the one what it may do to the other"
)
FORCED = (
    "minio removes the versions too when a client asks it by the header "
    "x-minio-force-delete"
)
LISTED = "minio lists the versions of objects to whoever may list the objects"
UNLISTED = "minio can't deny the list of versions alone and denies that of objects too"


def report(one: Read) -> None:
    """Report what a statement does not give, or gives beyond what it says."""
    if not one.statement.not_action:
        for index, pattern in enumerate(one.statement.actions):
            path = f"{one.setting.path}.Action[{index}]"
            one.setting.report(path, _without_effect(one, pattern), False)
    if one.setting.allow and one.named and not one.parts:
        one.setting.report(f"{one.setting.path}.Condition", NEVER, False)
    if one.setting.engine == capabilities.MINIO:
        if assembly.covered(one, actions.OBJECT):
            _report_versions(one)
        if assembly.covered(one, actions.BUCKET):
            _report_lists(one)


def _without_effect(one: Read, pattern: str) -> str:
    """Why an entry of `Action` has no effect; empty if it has one."""
    why = engine_actions.withheld(one.setting.engine, pattern)
    if why:
        return why if one.setting.allow else ""
    named = actions.matching((pattern,)) & one.named
    about = {actions.level(action) for action in named}
    if any(assembly.covered(one, level) for level in about):
        return ""
    return UNREACHED[about.pop()] if len(about) == 1 else ""


def _report_versions(one: Read) -> None:
    setting = one.setting
    apart = {part.asked for part in one.parts if part.key == VERSION_ID}
    if apart:
        setting.report(setting.path, BLURRED, True)
    deletes = one.held(DELETE)
    if setting.allow and deletes and deletes != one.held(DELETE_VERSION):
        setting.report(setting.path, FORCED, True)


def _report_lists(one: Read) -> None:
    setting = one.setting
    objects, versions = one.held(LIST), one.held(LIST_VERSIONS)
    if setting.allow and objects and objects != versions:
        setting.report(setting.path, LISTED, True)
    if not setting.allow and versions and objects != versions:
        setting.report(setting.path, UNLISTED, False)
