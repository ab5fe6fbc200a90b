"""The sections of the page: one file a topic, with its frames, tables and figures.

Each module has a `TITLE`, its heading, and a function `show(page, findings)`, which adds its tables
and figures to the `Page` and returns a dictionary of what its template says, or `None` where there
is nothing to show. The template lies beside the module and has its name; there the dictionary is
`section`. A template that says nothing makes no section.

`answer` is the head of the page, `SECTIONS` are its body, and `APPENDICES` are folded.
"""

from reports.sections import (
    architecture,
    checks,
    claims,
    comparison,
    confidence,
    cost,
    coverage,
    curves,
    data,
    data_ratio,
    explanation,
    gate,
    groups,
    labels,
    learning_rate,
    modalities,
    model,
    noise,
    protocol,
    read,
    recipe,
    repeat,
    search,
    texts,
    training,
    transfer,
    words,
)

SECTIONS = (
    claims,
    checks,
    comparison,
    modalities,
    learning_rate,
    data_ratio,
    noise,
    gate,
    protocol,
    labels,
    transfer,
    groups,
    words,
    curves,
    confidence,
    coverage,
    texts,
    explanation,
)

# Two of these in a row share it where the page is wide.
NARROW = (learning_rate, data_ratio, gate, protocol, groups, words)

APPENDICES = (
    search,
    recipe,
    training,
    architecture,
    data,
    model,
    cost,
    repeat,
    read,
)
