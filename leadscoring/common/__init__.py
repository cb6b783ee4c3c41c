"""Mechanisms that all apps need and that know no model."""
