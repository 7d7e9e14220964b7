"""The HTTP contract, and whether an answer keeps it."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

import yaml
from jsonschema import Draft202012Validator, FormatChecker  # type: ignore[import-untyped]
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from tests.functions.conftest import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from werkzeug.test import TestResponse

FILE = FUNCTIONS / "openapi.yaml"
METHODS = ("get", "post", "patch", "delete")


class Operation(NamedTuple):
    """One method of one path; `function` is who serves it."""

    id: str
    function: str
    method: str
    path: str
    body: dict[str, Any]

    @property
    def signed_in(self) -> bool:
        """Whether it needs a session."""
        return bool(self.body.get("security", [{"session": []}]) == [{"session": []}])

    @property
    def statuses(self) -> set[int]:
        return {int(status) for status in self.body["responses"]}


@functools.cache
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return loaded


def operations() -> list[Operation]:
    return list(_operations())


def _operations() -> Iterator[Operation]:
    for path, item in document()["paths"].items():
        for method in METHODS:
            if method in item:
                body = item[method]
                yield Operation(body["operationId"], body["tags"][0], method.upper(), path, body)


def operation(operation_id: str) -> Operation:
    return next(each for each in operations() if each.id == operation_id)


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    """Judges by a schema of the description, whose references lead into it."""
    resource = DRAFT202012.create_resource(document())
    registry: Registry[Any] = Registry().with_resource("description:", resource)
    return Draft202012Validator(_absolute(schema), registry=registry, format_checker=FormatChecker())


def schema(name: str) -> Draft202012Validator:
    return validator({"$ref": f"#/components/schemas/{quote(name)}"})


def _absolute(schema: Any) -> Any:
    """The schema with its own references leading into the description, wherever it is looked at from."""
    if isinstance(schema, dict):
        return {
            key: f"description:{value}" if key == "$ref" and value.startswith("#") else _absolute(value)
            for key, value in schema.items()
        }
    return [_absolute(member) for member in schema] if isinstance(schema, list) else schema


def _resolved(value: dict[str, Any]) -> dict[str, Any]:
    """What a `$ref` to a component stands for."""
    if "$ref" in value:
        kind, name = value["$ref"].removeprefix("#/components/").split("/")
        found: dict[str, Any] = document()["components"][kind][name]
        return found
    return value


def assert_described(operation: Operation, response: TestResponse) -> None:
    """The answer's status, headers, media type and body are what the description says."""
    where = f"{operation.method} {operation.path}: {response.status_code}"
    described = operation.body["responses"].get(str(response.status_code))
    assert described is not None, f"{where} is not described: {response.text}"
    answer = _resolved(described)
    for name, header in answer.get("headers", {}).items():
        rules = _resolved(header)
        given = response.headers.getlist(name)
        assert given or not rules.get("required"), f"{where} lacks {name}"
        for value in given:
            validator(rules["schema"]).validate(value)
    content = answer.get("content")
    if content is None:
        assert response.data == b"", f"{where} has a body"
        assert "Content-Type" not in response.headers, f"{where} has a content type"
        return
    assert response.mimetype is not None
    assert response.mimetype in content, f"{where} is {response.mimetype}"
    rules = content[response.mimetype]["schema"]
    validator(rules).validate(response.json if response.mimetype.endswith("json") else response.text)
    if response.mimetype == "application/problem+json":
        assert response.json is not None
        assert response.json["status"] == response.status_code
        assert response.json["detail"], f"{where} says nothing"
