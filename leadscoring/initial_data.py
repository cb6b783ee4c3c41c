"""What every installation starts with, made after migrations: a model in force, and two groups."""

from django.apps import AppConfig
from django.contrib.auth.models import Group, Permission
from django.utils.timezone import now

from leadscoring.address_spelling import unify_addresses
from leadscoring.operations import restore
from leadscoring.publishing import publish_starting_model

# Group -> the permissions its members get, as "app.codename".
GROUPS = {
    "Marketing": [
        "leadscoring.view_contact", "leadscoring.add_contact", "leadscoring.change_contact",
        "leadscoring.delete_contact",
        "leadscoring.view_company", "leadscoring.view_activity", "leadscoring.view_score",
        "leadscoring.view_activitytype", "leadscoring.change_activitytype",
        "leadscoring.view_crmstate", "leadscoring.view_source",
        "leadscoring.view_form", "leadscoring.add_form", "leadscoring.change_form",
        "leadscoring.delete_form", "leadscoring.view_formfield", "leadscoring.add_formfield",
        "leadscoring.change_formfield", "leadscoring.delete_formfield",
        "leadscoring.view_website", "leadscoring.add_website", "leadscoring.change_website",
        "leadscoring.view_import", "leadscoring.add_import",
        "leadscoring.view_modelversion", "leadscoring.add_modelversion",
        "leadscoring.change_modelversion",
        "sequences.view_sequence", "sequences.add_sequence", "sequences.change_sequence",
        "sequences.view_step", "sequences.add_step", "sequences.change_step",
        "sequences.delete_step", "sequences.view_enrollment", "sequences.change_enrollment",
        "sequences.view_delivery", "sequences.change_delivery", "sequences.view_suppression",
        "sequences.add_suppression",
        "crm_sync.view_handoff", "crm_sync.change_handoff", "crm_sync.view_stage",
        "crm_sync.change_stage", "crm_sync.change_owner",
        "crm_sync.view_fieldmapping", "crm_sync.change_fieldmapping", "crm_sync.add_fieldmapping",
        "crm_sync.view_owner", "crm_sync.view_deal", "crm_sync.view_outcome",
        "crm_sync.view_rejectingstatus", "crm_sync.add_rejectingstatus", "crm_sync.change_rejectingstatus",
        "crm_sync.delete_rejectingstatus",
        "crm_sync.view_routingrule", "crm_sync.add_routingrule", "crm_sync.change_routingrule",
        "crm_sync.delete_routingrule", "crm_sync.view_ruleplace", "crm_sync.add_ruleplace",
        "crm_sync.change_ruleplace", "crm_sync.delete_ruleplace",
    ],
    "Operations": [
        "leadscoring.view_contact", "leadscoring.view_company", "leadscoring.view_activity",
        "leadscoring.view_score", "leadscoring.view_crmstate", "leadscoring.view_modelversion",
        "leadscoring.view_apikey", "leadscoring.add_apikey", "leadscoring.change_apikey",
        "leadscoring.view_source", "leadscoring.view_form", "leadscoring.view_formfield",
        "leadscoring.view_activitytype", "leadscoring.view_website", "leadscoring.view_import",
        "sequences.view_sequence", "sequences.view_step", "sequences.view_enrollment",
        "sequences.view_delivery", "sequences.change_delivery", "sequences.view_suppression",
        "sequences.add_suppression", "sequences.delete_suppression",
        "crm_sync.view_handoff", "crm_sync.change_handoff", "crm_sync.view_stage",
        "crm_sync.view_owner", "crm_sync.change_owner", "crm_sync.view_deal",
        "crm_sync.view_outcome", "crm_sync.view_rejectingstatus",
        "crm_sync.view_fieldmapping", "crm_sync.view_account", "crm_sync.view_routingrule",
        "crm_sync.view_ruleplace",
    ],
}  # fmt: skip


def make_starting_rows(sender: AppConfig, **kwargs: object) -> None:
    """Receive post_migrate, once for each app: its tables and permissions are there by then."""
    if sender.label == "leadscoring":
        restore.record_first()
        publish_starting_model(now())
        unify_addresses(now())
    _rename_permissions(sender)
    for name, permissions in GROUPS.items():
        ours = {
            codename
            for app, _, codename in (p.partition(".") for p in permissions)
            if app == sender.label
        }
        if ours:
            group, _ = Group.objects.get_or_create(name=name)
            found = Permission.objects.filter(
                content_type__app_label=sender.label, codename__in=ours
            )
            group.permissions.add(*found)


def _rename_permissions(app: AppConfig) -> None:
    """Give an app's permissions today's names of its models: Django names them when it makes them."""
    names = {
        f"{action}_{model._meta.model_name}": f"Can {action} {model._meta.verbose_name_raw}"
        for model in app.get_models()
        for action in model._meta.default_permissions
    }
    stored = Permission.objects.filter(content_type__app_label=app.label, codename__in=names)
    renamed = [one for one in stored if one.name != names[one.codename]]
    for one in renamed:
        one.name = names[one.codename]
    Permission.objects.bulk_update(renamed, ["name"])
