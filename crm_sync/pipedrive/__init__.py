"""Pipedrive as a `Crm`: the only package with its words."""
