"""A chat as users of Django Channels write it, once as the article does and once so that a browser can
see why it was refused."""
