"""EmoReason, the instruction data: requests, prompts, teachers, response cache, filters, card."""
