"""What the user types and sees in the terminal.

- `console`: lines, tables, a question, JSON; `progress`: progress bars;
- `command_text`: commands and variables in messages, as the user types them.
"""
