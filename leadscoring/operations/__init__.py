"""What operations does to a whole installation: upgrades, backups and restores."""
