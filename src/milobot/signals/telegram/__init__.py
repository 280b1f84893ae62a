"""Messages of Telegram chats, handed in once and in order."""
