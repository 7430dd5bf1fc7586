"""``~`` on the command line, where no shell has made a home folder of it.

Shells do so at the beginning of a word alone: not in ``--output=~/stems`` or ``@~/list.txt``, nor
between quotation marks. Results would go to a folder called ``~``, which is dangerous to remove.
"""

import os
import re

BEFORE = r"@|(?:-o|--[a-z-]+=)?(?:\w+=)?"
"""What may stand before a path in the same word: a list, an option, a stem."""
WITH_HOME = re.compile(rf"({BEFORE})(~(?:[/\\].*)?)", re.DOTALL)
SHORT = re.compile(r"\A-o=(?=.)")
"""A short option takes its value without ``=``, which would begin the name of a folder."""


def expand_home(word: str) -> str:
    """A word of the command line as it was meant. ``./~`` is a folder that is called so."""
    word = SHORT.sub("-o", word)
    found = WITH_HOME.fullmatch(word)
    if found is None:
        return word
    return found[1] + os.path.expanduser(found[2])  # noqa: PTH111  no error where there is no home
