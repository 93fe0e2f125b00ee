"""Uploads of contacts: the form, and how what is in it is to be read."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import PurePath
from typing import Annotated, Any, BinaryIO

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import Field, ValidationError
from starlette.datastructures import FormData, UploadFile

from models.campaign import ZoneName
from models.document import Model
from models.errors import FieldError, Invalid
from services.contact_import.columns import Wanted
from services.contact_import.limits import COLUMNS, Kind

UPLOAD_PATH = r"/campaigns/[^/]+/contacts/import"
"""Takes larger bodies than the rest of the API."""
MULTIPART = "multipart/form-data"
FIELDS = 10
FIELD_BYTES = 1 << 16
KINDS: dict[str, Kind] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
    ".xlsx": "xlsx",
}

Short = Annotated[str, Field(max_length=200)]


class Reading(Model):
    """How to read contacts.

    `mapping`: from what we call it (`number`, `timeZone`, `consent`, or a variable's name) to the column. Without it
    the usual headers are known, and every other column is a variable of its own name. `region`: the country, two
    letters as in ISO 3166, of numbers without their country's code. `consent`: of contacts that no column speaks of.
    `timeZone`: of contacts that no column speaks of and whose number may be in several.
    """

    mapping: Annotated[dict[Short, Short], Field(max_length=COLUMNS)] = Field(default_factory=dict)
    region: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None
    consent: bool = False
    time_zone: ZoneName | None = None

    def wanted(self) -> Wanted:
        """As the import takes it."""
        return Wanted(region=self.region, mapping=self.mapping, consent=self.consent, time_zone=self.time_zone)


class Upload(Reading):
    """What comes with a file. `format`: what it is, unless its name says so."""

    format: Kind | None = None


EXAMPLE = "phone_number,customer_name,consent\n+919123456789,Zoë,yes\n+919123456780,Al,yes\n"
FORM: dict[str, Any] = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "contentMediaType": "application/octet-stream", "description": "CSV, XLSX or JSON"},
        "format": {"type": "string", "enum": ["csv", "xlsx", "json"], "description": "Unless the file's name says it"},
        "mapping": {
            "type": "string",
            "contentMediaType": "application/json",
            "description": "From what we call it (`number`, `timeZone`, `consent`, or a variable's name) to the column",
        },
        "region": {"type": "string", "pattern": "^[A-Z]{2}$", "description": "Of numbers without their country's code"},
        "consent": {"type": "string", "enum": ["true", "false"], "description": "Of those that no column speaks of"},
        "timeZone": {
            "type": "string",
            "description": "Of those no column speaks of and whose number may be in several",
        },
    },
}
FORM_EXAMPLE = {
    "file": EXAMPLE,
    "format": "csv",
    "mapping": '{"number": "phone_number", "customer_name": "customer_name"}',
    "region": "IN",
    "timeZone": "Asia/Kolkata",
}
FORM_BODY = {
    "requestBody": {"required": True, "content": {MULTIPART: {"schema": FORM, "example": FORM_EXAMPLE}}},
}


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A file that has come as a whole, on disk unless it is small."""

    file: BinaryIO
    kind: Kind
    wanted: Wanted


@asynccontextmanager
async def uploaded(request: Request) -> AsyncIterator[Uploaded]:
    """Receives a form; its file is gone when the context is left. Raises Invalid and RequestValidationError."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != MULTIPART:
        raise Invalid(fields=[FieldError("file", f"Send the file as {MULTIPART}")])
    async with request.form(max_files=1, max_fields=FIELDS, max_part_size=FIELD_BYTES) as form:
        file, upload = _file_in(form), _upload_in(form)
        yield Uploaded(file.file, upload.format or _kind_of(file), upload.wanted())


def _file_in(form: FormData) -> UploadFile:
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise Invalid(fields=[FieldError("file", "File is required")])
    return file


def _kind_of(file: UploadFile) -> Kind:
    kind = KINDS.get(PurePath(file.filename or "").suffix.lower())
    if kind is None:
        raise Invalid(
            fields=[FieldError("format", "Give a file whose name ends in .csv, .xlsx or .json, or its format")]
        )
    return kind


def _upload_in(form: FormData) -> Upload:
    """The form's other fields; an empty one says nothing. Raises as FastAPI does for a body."""
    fields: dict[str, Any] = {name: value for name, value in form.items() if isinstance(value, str) and value}
    try:
        if "mapping" in fields:
            fields["mapping"] = json.loads(fields["mapping"])
        return Upload.model_validate(fields)
    except (ValueError, RecursionError) as error:
        if isinstance(error, ValidationError):
            problems = [{**each, "loc": ("body", *each["loc"])} for each in error.errors()]
            raise RequestValidationError(problems) from error
        raise Invalid(fields=[FieldError("mapping", "Must be a JSON object")]) from error
