"""How results look: nothing here decides anything."""
