"""The sections of the page: one file a topic, with its frames, tables and figures.

Each module has a `TITLE`, by which the page's navigation calls it, and a function `show(page,
findings)`, which adds its tables and figures to the `Page` and returns a dictionary of what its
template says, or `None` where there is nothing to show. The template lies beside the module and has
its name; there the dictionary is `section`. A template that says nothing makes no section.
"""

from reports.sections import (
    answer,
    architecture,
    claims,
    comparison,
    confidence,
    cost,
    coverage,
    data,
    data_ratio,
    explanation,
    gate,
    labels,
    learning_rate,
    modalities,
    model,
    noise,
    read,
    repeat,
    search,
    texts,
    training,
)

# In the order of the page.
SECTIONS = (
    answer,
    claims,
    comparison,
    modalities,
    learning_rate,
    noise,
    data_ratio,
    gate,
    search,
    training,
    labels,
    confidence,
    coverage,
    texts,
    explanation,
    architecture,
    data,
    model,
    cost,
    repeat,
    read,
)
