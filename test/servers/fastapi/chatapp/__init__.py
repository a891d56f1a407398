"""A chat as FastAPI's users write it, once as the article does (``article_chat``) and once so that a
browser can see why it was refused (``chat_v2``)."""
