"""Who gets into the admin: password and second factor, limits on guessing, sessions.

The work is django-allauth's; here is what it is told, and what it leaves open.
"""
