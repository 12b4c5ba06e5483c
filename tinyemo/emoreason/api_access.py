"""The address and the key of an OpenAI-compatible server, from the environment.

Reads OPENAI_BASE_URL and OPENAI_API_KEY; gives both without white space around them, refuses what
cannot be an address or a key, and removes the key from texts that are shown or stored. No message
of this module shows the key or an address that is refused.
"""

import os
import re
from urllib.parse import urlsplit

KEY = "OPENAI_API_KEY"
SECRET_LENGTH = 8  # a shorter key may be a usual word: only whole words are removed from texts


def server_address() -> tuple[str, str]:
    """The server's base URL and its host. ValueError: not set, or not a plain http(s) address."""
    base_url = os.environ.get("OPENAI_BASE_URL", "").strip().rstrip("/")
    if not base_url:
        raise ValueError(
            "no server is configured: set the environment variable OPENAI_BASE_URL, for example to "
            "https://api.openai.com/v1 or http://localhost:8000/v1"
        )
    try:
        url = urlsplit(base_url)
        is_plain = url.scheme in ("http", "https") and bool(url.hostname) and base_url.isascii()
        is_plain = is_plain and "@" not in url.netloc and not (url.query or url.fragment)
    except ValueError:  # brackets that are no IPv6 address
        is_plain = False
    if not is_plain:
        # the address itself is not shown: it may hold a password
        raise ValueError(
            "OPENAI_BASE_URL: expected http(s)://host/v1 without a user or password in it, and "
            "without a query"
        )
    return base_url, url.netloc


def api_key() -> str:
    """The key. ValueError: it is not set, or has characters that no key has."""
    key = os.environ.get(KEY, "").strip()
    if not key:
        raise ValueError(f"no key: set {KEY} (for a local server without keys, to any word)")
    for position, character in enumerate(key, 1):
        if not "!" <= character <= "~" or character in "\"'`":
            raise ValueError(
                f"{KEY}: character {position} of {len(key)} cannot belong to a key; expected "
                "ASCII letters, digits and signs, without white space or quotation marks"
            )
    return key


def without_key(text: str) -> str:
    """The text on one line, with *** for the key.

    A key that a server shows in part, as in sk-ab****yz, is removed too. Of a key shorter than
    SECRET_LENGTH, only whole words are removed.
    """
    key = os.environ.get(KEY, "").strip()
    if len(key) >= SECRET_LENGTH:
        text = text.replace(key, "***")
        text = re.sub(rf"{re.escape(key[:2])}\S*(?:\*{{2,}}|\.{{3,}}|…)[\w-]*", "***", text)
    elif key:
        text = re.sub(rf"(?<![\w-]){re.escape(key)}(?![\w-])", "***", text)
    return " ".join(text.split())
