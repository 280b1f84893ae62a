"""Text that every database and every JSON writer takes."""


def to_plain_text(text: str) -> str:
    r"""Return the text without what cannot be stored; almost always the same object.

    PostgreSQL refuses NUL, and half a surrogate pair is no Unicode. Both come in from
    outside, in a message or in an exchange's reason; a record must not fail for that.

    >>> ascii(to_plain_text("a\x00b\ud800c"))
    "'a\\ufffdb\\ufffdc'"
    """
    if text.isascii():
        return text.replace("\x00", "\ufffd") if "\x00" in text else text
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.replace("\x00", "\ufffd")
