"""Leads, person by person."""
