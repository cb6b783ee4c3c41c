"""HubSpot as a `Crm`: the only package that imports `hubspot`, and the only one with its words."""
