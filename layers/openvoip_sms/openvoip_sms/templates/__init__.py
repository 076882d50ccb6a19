"""A text with expressions in braces: JMESPath, Italian dates, amounts and names. Pure."""
