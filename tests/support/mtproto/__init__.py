"""A server that speaks MTProto over TCP, so that an unpatched Telethon client logs in to it."""
