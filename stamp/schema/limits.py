"""How large a schema may be. Generous for people and generators of code, small for whoever wants to exhaust a reader."""

from __future__ import annotations

from typing import Final

MAX_DEPTH: Final = 32
"""Records, arrays and maps inside each other, references followed; also how deep a default may nest."""

MAX_NODES: Final = 10_000
"""Types of a schema, counted again at each reference: what a reader may have to visit for one datum without items."""

MAX_CODE: Final = 150_000
"""Lines of the code of a decoder: some ten for each of `MAX_NODES` types. Only fields that take in the same one by an alias, again and again, need more."""

MAX_DECODERS: Final = 64
"""Decoders that a view keeps, one for each writer schema that it has met: whoever may announce schemas may announce many."""

MAX_NAMED: Final = 1_000
"""Named types of a schema."""

MAX_NAME: Final = 1_000
"""Characters of a name with the dots in it, and of a namespace: whatever is said of a type repeats them."""

MAX_FIELDS: Final = 1_000
"""Fields of one record."""

MAX_SYMBOLS: Final = 10_000
"""Symbols of one enum."""

MAX_FIXED: Final = 65_536
"""Bytes of a fixed: the largest contribution there is."""

MAX_PATTERN: Final = 1_000
"""Characters of a pattern that a field demands of its text, and of a name in a constraint."""

MAX_PRECISION: Final = 1_000
"""Digits of a decimal: the work of reading one grows with their square."""

MAX_VERSION: Final = 999_999
"""The highest number of a version: six digits."""

MAX_FILE: Final = 1024 * 1024
"""Bytes of a file of a contract."""

MAX_JSON_VALUES: Final = 100_000
"""Values of any kind in the JSON of a schema."""

MAX_DIGITS: Final = 640
"""Digits of a whole number in JSON: as many as every Python converts, however it is set; a double holds no number of more than 309."""

MAX_JSON_DEPTH: Final = 200
"""Objects and lists inside each other in the JSON of a schema; `MAX_DEPTH` records in unions take 128."""

MAX_VALUES: Final = 1_000_000
"""Values of one datum, and of what is shown of one envelope: some 200 MB of memory. A few bytes can stand for thousands."""

MAX_WEIGHTLESS: Final = 1_000
"""Items of one array that take no bytes: nothing in the data bounds how many there are."""
