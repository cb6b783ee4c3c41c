"""Salesforce's records in the port's terms: a module for each kind."""
