"""What a CRM's stand-in raises for a request that is not carried out."""


class Refused(Exception):
    """`message`: for people; each CRM's own refusals say more to its API's clients."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
