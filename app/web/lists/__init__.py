"""What any list can be asked for: filters, query parameters, periods, saved views."""
