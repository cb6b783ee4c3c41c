"""What adapters share between port and CRM: HTTP, JSON bodies, and state of all processes in Redis."""
