"""Causes of a change that are no person. A user name cannot contain a blank."""

# Who or what causes a change when it is no person. A user name cannot contain a blank.
BY_THE_CRM = "the CRM"


BY_A_HANDOFF = "the handoff to sales"


BY_A_RULE = "its rule"


BY_THE_SENDER = "the mail sender"


BY_THEMSELVES = "the person themselves"


BY_A_SUPPRESSION = "the list Do not mail"


BY_A_FILE = "a sequence file"
