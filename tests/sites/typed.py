"""Every setting of a site's assistant, as somebody types it."""

CHAT = "https://n8n.example.com/webhook/1/chat"
TYPED = {
    "first_word_seconds": "9",
    "answer_seconds": "41",
    "chat_url": CHAT,
    "chat_header_name": "X-Api-Key",
    "model": "gpt-4.1-mini",
    "business": "Kitchens.\r\nBaths.",
    "tone": "Dry.",
    "instructions": "No prices.",
    "history_tokens": "2,000",
    "answer_tokens": "300",
    "price_in": "0.15",
    "price_out": "$0.6",
    "session_turns": "20",
    "session_tokens": "30000",
    "session_money": "0.25",
    "day_turns": "1,000",
    "day_tokens": "4,000,000",
    "day_money": "7.5",
    "link_hosts": ["https://www.example.com/shop", "Münch.example"],
}
