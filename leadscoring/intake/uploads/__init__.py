"""Files that people upload in the admin: kept in the database, looked at, checked, taken in by parts, undone."""
