"""What the two Python servers share: the control door and everything that only tests need.

The applications themselves (``fastapi/chatapp`` and ``channels/project``) stay as close as they can to
what a user would write; whatever a test turns on or looks at happens around them, as ASGI middleware.
"""
