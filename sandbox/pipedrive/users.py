"""Users, the reps, and who the token's own user is; types of activity. All of it v1."""

from .call import Answer, Call, data
from .refusals import not_found
from .store import Item


def page(call: Call) -> Answer:
    return data([_shown(call, each) for each in call.store.users.values()])


def read(call: Call) -> Answer:
    found = call.store.users.get(call.args["id"])
    if found is None:
        raise not_found("User")
    return data(_shown(call, found))


def me(call: Call) -> Answer:
    company = {
        "company_id": call.store.company_id,
        "company_name": "Northwind",
        "company_domain": call.store.domain,
        "company_country": "DE",
        "company_industry": "software",
        "language": {"language_code": "en", "country_code": "US"},
    }
    return data(_shown(call, call.store.users[call.user_id]) | company)


def _shown(call: Call, user: Item) -> Item:
    if user["id"] != call.user_id:
        return user
    access = [each | {"admin": call.is_admin} for each in user["access"]]
    return user | {"is_you": True, "access": access}


def activity_types(call: Call) -> Answer:
    return data(call.store.activity_types)
