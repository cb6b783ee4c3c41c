"""Which objects there are and what their fields take, as far as the user may know."""

from typing import Any

from ..call import Answer, Call, Item
from ..org.fields import CHOICES, NUMBERS, Field
from ..org.objects import SObject

SOAP = {"boolean": "xsd:boolean", "double": "xsd:double", "currency": "xsd:double", "percent": "xsd:double",
        "int": "xsd:int", "date": "xsd:date", "datetime": "xsd:dateTime", "id": "tns:ID", "reference": "tns:ID"}  # fmt: skip


def everything(call: Call) -> Answer:
    shown = [_rights(call, each) for each in _readable(call)]
    return 200, {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": shown}


def about(call: Call) -> Answer:
    object_ = call.object()
    urls = {"sobject": f"{call.base}/sobjects/{object_.name}"}
    return 200, {"objectDescribe": _rights(call, object_) | {"urls": urls}, "recentItems": []}


def describe(call: Call) -> Answer:
    object_ = call.object()
    fields = [
        _field(call, object_, each)
        for each in object_.fields.values()
        if call.access.reads(object_, each)
    ]
    return 200, _rights(call, object_) | {
        "fields": fields,
        "recordTypeInfos": _record_types(call, object_),
        "childRelationships": [
            {"childSObject": child, "field": lookup, "relationshipName": name}
            for name, (child, lookup) in object_.children.items()
        ],
    }


def _readable(call: Call) -> list[SObject]:
    return [
        each for each in call.store.objects.values()
        if not each.tooling and call.access.may("Read", each)
    ]  # fmt: skip


def _rights(call: Call, object_: SObject) -> Item:
    may = call.access.may
    return {
        "name": object_.name,
        "label": object_.name,
        "labelPlural": f"{object_.name}s",
        "keyPrefix": object_.prefix,
        "custom": False,
        "queryable": True,
        "retrieveable": True,
        "replicateable": object_.binned,
        "searchable": object_.binned,
        "createable": may("Create", object_),
        "updateable": may("Edit", object_),
        "deletable": may("Delete", object_),
        "undeletable": object_.binned and may("Delete", object_),
        "mergeable": object_.name in ("Lead", "Contact", "Account") and may("Delete", object_),
    }


def _field(call: Call, object_: SObject, field: Field) -> Item:
    edits = call.access.edits(object_, field)
    encrypted = f"{object_.name}.{field.name}" in call.store.rules.encrypted
    return {
        "name": field.name,
        "label": field.label,
        "type": field.type,
        "soapType": SOAP.get(field.type, "xsd:string"),
        "length": field.length,
        "byteLength": field.length * 3,
        "precision": field.precision,
        "scale": field.scale,
        "digits": field.precision if field.type == "int" else 0,
        "nillable": not field.required and field.type not in ("id", "boolean"),
        "defaultedOnCreate": _defaulted(field),
        "defaultValue": field.default if field.type in CHOICES or field.type == "boolean" else None,
        "createable": field.createable and edits and call.access.may("Create", object_),
        "updateable": field.updateable and edits and call.access.may("Edit", object_),
        "filterable": not field.is_long and not encrypted,
        "sortable": not field.is_long,
        "groupable": not field.is_long and field.type not in (*NUMBERS, "datetime"),
        "aggregatable": not field.is_long,
        "permissionable": not field.required and field.name not in ("Id", "IsDeleted"),
        "custom": field.custom,
        "calculated": False,
        "autoNumber": False,
        "encrypted": encrypted,
        "unique": field.unique,
        "externalId": field.external_id,
        "idLookup": field.external_id or field.name in ("Id", "Email"),
        "caseSensitive": field.case_sensitive,
        "nameField": field.name == "Name",
        "htmlFormatted": False,
        "extraTypeInfo": "plaintextarea" if field.type == "textarea" else None,
        "inlineHelpText": field.metadata.get("inlineHelpText"),
        "restrictedPicklist": field.restricted,
        "picklistValues": [_option(each) for each in field.options],
        "referenceTo": list(field.lookup),
        "relationshipName": field.relationship or None if field.lookup else None,
        "polymorphicForeignKey": len(field.lookup) > 1,
    }


def _defaulted(field: Field) -> bool:
    """Salesforce itself gives a value when nothing is said."""
    system = field.name == "Id" or (not field.createable and field.type in ("datetime", "boolean"))
    return system or field.default is not None or field.name == "OwnerId"


def _option(option: Any) -> Item:
    return {
        "active": option.active,
        "defaultValue": option.default,
        "label": option.label or option.value,
        "validFor": None,
        "value": option.value,
    }


def _record_types(call: Call, object_: SObject) -> list[Item]:
    master = {"name": "Master", "developerName": "Master", "recordTypeId": "012000000000000AAA", "active": True,
              "available": True, "defaultRecordTypeMapping": True, "master": True}  # fmt: skip
    types = [
        {"name": each.get("Name"), "developerName": each.get("DeveloperName"), "recordTypeId": each.id,
         "active": bool(each.get("IsActive")), "available": bool(each.get("IsActive")),
         "defaultRecordTypeMapping": number == 0, "master": False}
        for number, each in enumerate(call.store.all("RecordType"))
        if each.get("SobjectType") == object_.name
    ]  # fmt: skip
    return [*types, master | {"defaultRecordTypeMapping": not types}]
