"""What the author of a document should know of it on its engine."""

from __future__ import annotations

from exordos_paas_storage.domain import capabilities
from exordos_paas_storage.domain.language import (
    actions,
    engine_actions,
    merging,
    reach,
    variables,
)
from exordos_paas_storage.domain.language.engine_actions import (
    BYPASS,
    DELETE,
    DELETE_VERSION,
    LIST,
    LIST_BUCKETS,
    LIST_VERSIONS,
    LOCATE,
    PUT,
    RETENTION,
    TAG_KEYS,
    VERSION_ID,
)
from exordos_paas_storage.domain.language.engine_keys import SOURCE_IP
from exordos_paas_storage.domain.language.parts import Read
from exordos_paas_storage.domain.language.reach import Reach

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
    "minio removes all versions of an object, and of all below a folder of that name, "
    "when a client asks it by the header x-minio-force-delete"
)
REPLACED = {
    capabilities.MINIO: "minio replaces what a version holds when a client uploads an "
    "archive that names the version, so s3:PutObject is enough to lose it",
    capabilities.RUSTFS: "rustfs replaces what a version holds when a client begins a "
    "multipart upload that names the version, so s3:PutObject is enough to lose it",
}
SHORTENED = (
    "minio shortens a retention in governance mode for whoever has one of "
    "s3:PutObjectRetention and s3:BypassGovernanceRetention"
)
TAGGED = {
    capabilities.MINIO: "minio does not see the tags of an upload as a form, or those "
    "in a parameter, so a client needs no right to tag objects there",
    capabilities.RUSTFS: "rustfs does not see the tags of an upload as a form, so a "
    "client needs no right to tag objects there",
}
NAMED = "minio takes the address of a client from its headers, so it can name any"
LISTED = "minio lists the versions of objects to whoever may list the objects"
SHOWN = (
    "the list of buckets is not denied, and has those that the key may list or locate"
)
UNLISTED = "minio can't deny the list of versions alone and denies that of objects too"


def report(one: Read) -> None:
    """Report what a statement does not give, or gives beyond what it says."""
    if not one.statement.not_action:
        for index, pattern in enumerate(one.statement.actions):
            path = f"{one.setting.path}.Action[{index}]"
            one.setting.report(path, _without_effect(one, pattern), False)
    if one.setting.allow and one.named and not one.parts:
        one.setting.report(f"{one.setting.path}.Condition", NEVER, False)
    if _leaves_buckets(one):
        one.setting.report(one.setting.path, SHOWN, True)
    about = {part.about for part in one.parts}
    objects = actions.OBJECT in about and one.covered(actions.OBJECT)
    if objects:
        _report_uploads(one)
    if one.setting.engine == capabilities.MINIO:
        _report_addresses(one)
        if objects:
            _report_versions(one, objects)
        if actions.BUCKET in about and one.covered(actions.BUCKET):
            _report_lists(one)


def _without_effect(one: Read, pattern: str) -> str:
    """Why an entry of `Action` has no effect; empty if it has one."""
    why = engine_actions.withheld(one.setting.engine, pattern)
    if why:
        return why if one.setting.allow else ""
    named = actions.matching((pattern,)) & one.named
    about = {actions.level(action) for action in named}
    if any(one.covered(level) for level in about):
        return ""
    return UNREACHED[about.pop()] if len(about) == 1 else ""


def _leaves_buckets(one: Read) -> bool:
    """Whether it denies the list of buckets, and leaves what fills it otherwise."""
    if one.setting.allow or not one.held(LIST_BUCKETS):
        return False
    filling = all(one.held(LIST_BUCKETS) == one.held(each) for each in (LIST, LOCATE))
    return one.covered(actions.ACCOUNT) is not None and not filling


def _report_uploads(one: Read) -> None:
    setting, uploads = one.setting, one.held(PUT)
    if any(part.key == TAG_KEYS for part in one.parts):
        setting.report(setting.path, TAGGED[setting.engine], True)
    if setting.allow and uploads and uploads != one.held(DELETE_VERSION):
        setting.report(setting.path, REPLACED[setting.engine], True)


def _report_addresses(one: Read) -> None:
    """Report policy variables that a client fills in; conditions report themselves."""
    statement = one.statement
    texts = [*statement.resources]
    texts += [text for each in statement.conditions for text in each.values]
    if any("${" in text and SOURCE_IP in variables.names(text) for text in texts):
        one.setting.report(one.setting.path, NAMED, True)


def _report_versions(one: Read, objects: Reach) -> None:
    setting = one.setting
    if any(part.key == VERSION_ID for part in one.parts):
        setting.report(setting.path, BLURRED, True)
    if _may_be_forced(one, objects):
        setting.report(setting.path, FORCED, True)
    if one.held(RETENTION) != one.held(BYPASS):
        setting.report(setting.path, SHORTENED, True)


def _may_be_forced(one: Read, objects: Reach) -> bool:
    """Whether a forced deletion takes more than an Allow gives, or passes a Deny."""
    deletes, versions = one.held(DELETE), one.held(DELETE_VERSION)
    if not one.setting.allow:
        all_denied = deletes == merging.ALWAYS and objects == reach.ALL
        return bool(deletes or versions) and not all_denied
    below = not objects.others and all(
        arn.endswith("*") for arn in reach.narrowest(objects.arns)
    )
    return bool(deletes) and (deletes != versions or not below)


def _report_lists(one: Read) -> None:
    setting = one.setting
    objects, versions = one.held(LIST), one.held(LIST_VERSIONS)
    if setting.allow and objects and objects != versions:
        setting.report(setting.path, LISTED, True)
    if not setting.allow and versions and objects != versions:
        setting.report(setting.path, UNLISTED, False)
