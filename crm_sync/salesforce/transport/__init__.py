"""Requests to Salesforce: the register of calls, the session, the limits, and what errors mean."""
