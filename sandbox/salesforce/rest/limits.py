"""How much of the day is used, for who may ask."""

from ..call import Answer, Call
from ..refusals import Refusal

MOST_DATA_MB = 1_073


def limits(call: Call) -> Answer:
    if not call.access.has("ViewSetup"):
        message = "This session is not valid for use with the API"
        raise Refusal(403, "INSUFFICIENT_ACCESS", message)
    allowed = call.settings.daily
    used = min(call.used, allowed)
    return 200, {
        "DailyApiRequests": {
            "Max": allowed,
            "Remaining": 0 if call.settings.day_used_up else allowed - used,
        },
        "DataStorageMB": {"Max": MOST_DATA_MB, "Remaining": MOST_DATA_MB},
    }
