"""The OpenAPI document: valid, the same as the route tree, and served."""

import json
import re
import types

import pytest
import webob
from openapi_spec_validator import OpenAPIV31SpecValidator
from restalchemy.api import constants

import exordos_paas_storage
from exordos_paas_storage.api import app, openapi, queries, routes, token
from exordos_paas_storage.api import errors as api_errors
from exordos_paas_storage.domain import access, errors

PREFIX = "/v1/types/s3"
INSTANCE = f"{PREFIX}/instances/{{instance}}"
USER = f"{INSTANCE}/users/{{user}}"
# Every path of objects in the tree, with the resource that hangs there.
COLLECTIONS = {
    f"{PREFIX}/versions": ("{version}", access.VERSION),
    f"{PREFIX}/instances": ("{instance}", access.INSTANCE),
    f"{INSTANCE}/buckets": ("{bucket}", access.BUCKET),
    f"{INSTANCE}/users": ("{user}", access.USER),
    f"{INSTANCE}/policies": ("{policy}", access.POLICY),
    f"{USER}/policies": ("{policy}", access.ATTACHMENT),
    f"{USER}/access-keys": ("{access_key}", access.ACCESS_KEY),
}
# What else is asked of objects and collections, and what it answers.
ACTIONS = {
    f"{INSTANCE}/actions/suspend/invoke": ("200", "Instance"),
    f"{INSTANCE}/actions/resume/invoke": ("200", "Instance"),
    f"{USER}/access-keys/{{access_key}}/actions/rotate/invoke": (
        "201",
        "AccessKeyCreated",
    ),
}
LINT = f"{INSTANCE}/policies/lint"
METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture(scope="module")
def document():
    built = openapi.document(routes.TypeRoute, PREFIX, "https://s3.example")
    return json.loads(json.dumps(built))


def operations(document):
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def test_the_document_is_valid(document):
    OpenAPIV31SpecValidator(document).validate()
    assert document["openapi"] == "3.1.0"
    assert document["info"]["version"] == exordos_paas_storage.__version__
    assert document["servers"] == [{"url": "https://s3.example"}]


def test_every_path_of_the_tree_is_there_and_no_other(document):
    objects = {f"{path}/{one}" for path, (one, _) in COLLECTIONS.items()}
    service = {"/healthz", "/readyz", token.PATH}
    service |= {"/specifications", "/specifications/3.1.0"}

    known = {PREFIX, *COLLECTIONS, *objects, *service, *ACTIONS, LINT}
    assert set(document["paths"]) == known


def test_every_route_is_reached_by_its_path(document):
    def walk(route, segments):
        yield route, segments
        for name in route.get_routes():
            below = route.get_route(name)
            between = ("{}",) if below.is_resource_route() else ()
            segment = name.replace("_", "-")
            yield from walk(below, (*segments, *between, segment))

    known = {re.sub(r"{\w+}", "{}", path) for path in document["paths"]}
    for _, segments in walk(routes.TypeRoute, (PREFIX,)):
        assert "/".join(segments) in known


@pytest.mark.parametrize("path", COLLECTIONS)
def test_methods_are_those_that_the_role_table_and_the_route_know(document, path):
    one, resource = COLLECTIONS[path]
    verbs = {"get": access.READ_VERB, "put": access.UPDATE, "patch": access.UPDATE}
    verbs["delete"] = access.DELETE

    assert ("post" in document["paths"][path]) == (access.CREATE in resource.verbs)
    assert "get" in document["paths"][path]
    for method, verb in verbs.items():
        found = method in document["paths"][f"{path}/{one}"]
        assert found == (verb in resource.verbs), method


def test_path_parameters_are_described_once_as_name_or_id(document):
    parameters = document["components"]["parameters"]

    for path, item in document["paths"].items():
        wanted = re.findall(r"{(\w+)}", path)
        named = [one["$ref"].rsplit("/", 1)[-1] for one in item.get("parameters", [])]
        assert named == wanted
        for name in wanted:
            assert parameters[name]["name"] == name
            assert "or id" in parameters[name]["description"]


def test_operation_ids_are_unique_and_tags_are_declared(document):
    ids = [call["operationId"] for _, _, call in operations(document)]
    declared = {tag["name"] for tag in document["tags"]}

    assert len(ids) == len(set(ids))
    for _, _, call in operations(document):
        assert call["tags"]
        assert set(call["tags"]) <= declared


def test_paths_have_no_slash_at_their_end(document):
    assert not [path for path in document["paths"] if path.endswith("/")]


def test_every_answer_that_is_an_error_has_the_form(document):
    responses = document["components"]["responses"]
    for _, _, call in operations(document):
        for status, answer in call["responses"].items():
            if status >= "400" and call["operationId"] != "get_token":
                assert answer == {"$ref": f"#/components/responses/Error{status}"}
    for name, answer in responses.items():
        for kind, error in errors.request_errors().items():
            assert (f"`{kind}`" in answer["description"]) == (
                name == f"Error{error.status}"
            )


def statuses(document, path, method):
    return set(document["paths"][path][method]["responses"])


def test_error_statuses_of_each_call(document):
    always = {"401", "403", "500", "503"}
    body = always | {"400", "409", "413", "415", "422"}
    buckets = f"{INSTANCE}/buckets"
    one = f"{buckets}/{{bucket}}"

    assert statuses(document, buckets, "get") == always | {"200", "400", "404"}
    assert statuses(document, buckets, "post") == body | {"201", "404"}
    assert statuses(document, one, "get") == always | {"200", "400", "404", "412"}
    assert statuses(document, one, "patch") == body | {"200", "404", "412"}
    assert statuses(document, one, "delete") == (
        always | {"204", "400", "404", "409", "412", "422"}
    )
    for path, (status, _) in ACTIONS.items():
        assert statuses(document, path, "post") == body | {status, "404", "412"}
    assert statuses(document, LINT, "post") == body | {"200", "404"}
    assert "404" not in statuses(document, f"{PREFIX}/instances", "get")


def parameters(document, path, method):
    found = {}
    for one in document["paths"][path][method].get("parameters", ()):
        if "$ref" in one:
            name = one["$ref"].rsplit("/", 1)[-1]
            found[name] = document["components"]["parameters"][name]
        else:
            found[one["name"]] = one
    return found


@pytest.mark.parametrize("path", COLLECTIONS)
def test_lists_take_what_the_query_check_takes(document, path):
    resource = COLLECTIONS[path][1]
    model = next(
        place.model
        for place in openapi.calls.places(routes.TypeRoute, PREFIX)
        if place.path == path
    )
    found = parameters(document, path, "get")

    assert set(queries.SPECIAL) <= set(found)
    for name in set(found) - set(queries.SPECIAL):
        queries.check(resource, access.VIEWER, model, params([(name, "x")]))
    for key in found["sort_key"]["schema"]["enum"]:
        queries.check(resource, access.VIEWER, model, params([("sort_key", key)]))
    for field in found["fields"]["schema"]["items"]["enum"]:
        queries.check(resource, access.VIEWER, model, params([("fields", field)]))
    assert found["page_limit"]["schema"]["maximum"] == queries.MOST_LIMIT


def params(pairs):
    return webob.multidict.MultiDict(pairs)


def test_lists_answer_pages_and_creation_answers_a_location(document):
    for path, method, call in operations(document):
        if path in COLLECTIONS and method == "get":
            headers = call["responses"]["200"]["headers"]
            assert set(headers) == {"X-Pagination-Limit", "X-Pagination-Marker"}
        if path in COLLECTIONS and method == "post":
            headers = call["responses"]["201"]["headers"]
            assert set(headers) == {"Location", "ETag", "Idempotency-Replayed"}


def test_if_match_stands_at_every_call_of_one_object(document):
    objects = {f"{path}/{one}" for path, (one, _) in COLLECTIONS.items()}

    for path, method, call in operations(document):
        found = parameters(document, path, method)
        assert ("If-Match" in found) == (path in objects | set(ACTIONS)), path
        assert ("412" in call["responses"]) == ("If-Match" in found)
        for status, answer in call["responses"].items():
            shown = "If-Match" in found and status in ("200", "201")
            shown = shown or (path in COLLECTIONS and status == "201")
            assert ("ETag" in answer.get("headers", ())) == shown


def test_idempotency_key_stands_at_every_post(document):
    for path, method, call in operations(document):
        ours = method == "post" and path != token.PATH
        found = parameters(document, path, method)
        assert ("Idempotency-Key" in found) == ours, path
        if ours:
            (done,) = [one for status, one in call["responses"].items() if status < "4"]
            assert "Idempotency-Replayed" in done["headers"]
            assert "409" in call["responses"]
            schema = found["Idempotency-Key"]["schema"]
            assert (schema["minLength"], schema["maxLength"]) == (1, 255)


@pytest.mark.parametrize("path", ACTIONS)
def test_actions_answer_their_object(document, path):
    status, schema = ACTIONS[path]
    call = document["paths"][path]["post"]
    answer = call["responses"][status]

    assert answer["content"]["application/json"]["schema"] == {
        "$ref": f"#/components/schemas/{schema}"
    }
    assert ("Location" in answer["headers"]) == (status == "201")
    assert call["requestBody"]["required"] is False
    body = call["requestBody"]["content"]["application/json"]["schema"]
    assert body["additionalProperties"] is False
    assert call["summary"] and call["operationId"].startswith(path.split("/")[-2])


def test_a_call_of_a_collection_answers_its_own_form(document):
    call = document["paths"][LINT]["post"]
    answer = call["responses"]["200"]["content"]["application/json"]["schema"]

    assert call["operationId"] == "lint_policy"
    assert call["requestBody"]["required"] is True
    assert answer["type"] == "object" and answer["required"]


def test_only_buckets_are_asked_what_to_do_with_their_content(document):
    asked = [
        path
        for path, method, _ in operations(document)
        if "on_nonempty" in parameters(document, path, method)
    ]

    assert asked == [f"{INSTANCE}/buckets/{{bucket}}"]
    deleting = parameters(document, asked[0], "delete")["on_nonempty"]
    assert deleting["schema"] == {
        "type": "string",
        "enum": ["fail", "wait", "empty", "retain"],
        "default": "fail",
    }


def test_a_token_is_needed_but_for_the_calls_of_the_service(document):
    is_open = {
        path for path, _, call in operations(document) if call.get("security") == []
    }

    assert document["security"] == [{"bearer": []}]
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    assert is_open == set(document["paths"]) - {
        path for path in document["paths"] if path.startswith(f"{PREFIX}/")
    }


def test_the_token_call_takes_forms_and_json(document):
    call = document["paths"][token.PATH]["post"]

    assert set(call["requestBody"]["content"]) == {
        "application/x-www-form-urlencoded",
        "application/json",
    }


def served(path, method="GET"):
    """Ask the route tree of one box, without a token and without a database."""
    request = webob.Request.blank(path, method=method)
    request.api_context = types.SimpleNamespace(set_active_method=lambda method: None)
    return app.RootRoute(request).do()


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_document_is_served_without_a_token(slash):
    answer = served(f"/specifications/3.1.0{slash}")

    assert answer.content_type == "application/json"
    assert answer.json == json.loads(
        json.dumps(openapi.document(routes.TypeRoute, PREFIX, "/"))
    )
    assert answer.body is served("/specifications/3.1.0").body


@pytest.mark.parametrize("slash", ["", "/"])
def test_its_versions_are_listed(slash):
    assert served(f"/specifications{slash}").json == ["3.1.0"]


@pytest.mark.parametrize("version", ["3.0.3", "3.1", "latest"])
def test_another_version_is_not_found(version):
    with pytest.raises(
        api_errors.ApiError, match="path: names nothing that exists"
    ) as refused:
        served(f"/specifications/{version}")

    assert refused.value.code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_the_document_is_only_read(method):
    with pytest.raises(
        api_errors.ApiError, match="is not taken by this path"
    ) as refused:
        served("/specifications/3.1.0", method)

    assert refused.value.code == 405


def test_the_served_tree_is_the_documented_one():
    assert app.TypesRoute.s3 is routes.TypeRoute
    assert app.SpecificationRoute.__controller__ is openapi.SpecificationController
    assert constants.UPDATE not in app.SpecificationRoute.get_allow_methods()
    assert openapi.PREFIX == PREFIX
