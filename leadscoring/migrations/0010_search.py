"""Find people by any part of a name, company or address.

The text that is searched has a table of its own: an index of three-letter parts is dear to write, and
contacts change with each activity while their names hardly do. The database keeps it, so no way of
writing a contact can leave it out. A company's name never changes.
"""

import django.db.models.deletion
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.operations import (
    AddIndexConcurrently,
    RemoveIndexConcurrently,
    TrigramExtension,
)
from django.db import migrations, models
from django.db.models import Value
from django.db.models.functions import Concat

from leadscoring.common.fold import Fold

# Both sides of a search are compared in this form: lower case, without accents.
FOLD = r"""
CREATE OR REPLACE FUNCTION leadscoring_fold(written text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
    SELECT lower(regexp_replace(normalize(written, NFD), '[\u0300-\u036F]', '', 'g'))
$$
"""
KEEP = """
ALTER TABLE leadscoring_contactsearch ADD CONSTRAINT contact_search_of_a_contact
    FOREIGN KEY (contact_id) REFERENCES leadscoring_contact ON DELETE CASCADE;

CREATE FUNCTION leadscoring_keep_search() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO leadscoring_contactsearch (contact_id, text)
    VALUES (NEW.id, leadscoring_fold(concat_ws(' ', '', NEW.first_name, NEW.last_name, NEW.email,
        NEW.external_id, (SELECT name FROM leadscoring_company WHERE id = NEW.company_id))))
    ON CONFLICT (contact_id) DO UPDATE SET text = EXCLUDED.text;
    RETURN NULL;
END $$;

CREATE TRIGGER search_of_a_new_contact AFTER INSERT ON leadscoring_contact
    FOR EACH ROW EXECUTE FUNCTION leadscoring_keep_search();
CREATE TRIGGER search_of_a_changed_contact
    AFTER UPDATE OF first_name, last_name, email, external_id, company_id ON leadscoring_contact
    FOR EACH ROW WHEN ((OLD.first_name, OLD.last_name, OLD.email, OLD.external_id, OLD.company_id)
        IS DISTINCT FROM (NEW.first_name, NEW.last_name, NEW.email, NEW.external_id, NEW.company_id))
    EXECUTE FUNCTION leadscoring_keep_search();

INSERT INTO leadscoring_contactsearch (contact_id, text)
SELECT contact.id, leadscoring_fold(concat_ws(' ', '', contact.first_name, contact.last_name,
    contact.email, contact.external_id, company.name))
FROM leadscoring_contact AS contact
LEFT JOIN leadscoring_company AS company ON company.id = contact.company_id
ON CONFLICT DO NOTHING;
"""
FORGET = """
DROP TRIGGER search_of_a_changed_contact ON leadscoring_contact;
DROP TRIGGER search_of_a_new_contact ON leadscoring_contact;
DROP FUNCTION leadscoring_keep_search();
"""


class Migration(migrations.Migration):
    atomic = False  # indexes are made and removed while others write

    dependencies = [("leadscoring", "0009_write_only_keys")]

    operations = [
        TrigramExtension(),
        migrations.RunSQL(FOLD, "DROP FUNCTION leadscoring_fold(text)"),
        migrations.CreateModel(
            name="ContactSearch",
            fields=[
                ("contact", models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, primary_key=True, related_name="search", serialize=False, to="leadscoring.contact")),
                ("text", models.TextField()),
            ],
        ),
        migrations.RunSQL(KEEP, FORGET),
        AddIndexConcurrently(
            "ContactSearch",
            GinIndex(OpClass("text", name="gin_trgm_ops"), name="contact_search"),
        ),
        AddIndexConcurrently(
            "Company",
            GinIndex(
                OpClass(Fold(Concat(Value(" "), "name")), name="gin_trgm_ops"),
                name="company_search",
            ),
        ),
        RemoveIndexConcurrently("Company", "company_by_name"),
        RemoveIndexConcurrently("Contact", "contact_by_last_name"),
        RemoveIndexConcurrently("Contact", "contact_by_first_name"),
    ]
