"""What people fill in, on a web page or in a form service, becomes a person and an activity."""
