"""The sentences of a text, by the rules of sentencex, which are there without a network."""

import sentencex

# Whose rules are taken where nobody says a language; ends of sentences in all scripts are in them.
USUAL_LANGUAGE = "en"


def split_sentences(text: str, language: str | None = None) -> list[str]:
    """The sentences of a text in their order, without blanks around them.

    Each line ends a sentence, so that what the speakers of a dialogue say is kept apart.

    Args:
        text: String.
        language: Code of the language whose abbreviations end no sentence, such as `en`.

    Returns:
        List of strings, none of them blank.

    Example:

    >>> split_sentences("Dr. May was late. I waited!\\nNobody came.")
    ['Dr. May was late.', 'I waited!', 'Nobody came.']
    >>> split_sentences("我很高兴。你呢？")
    ['我很高兴。', '你呢？']
    """
    found = (
        sentence.strip()
        for line in text.splitlines()
        for sentence in sentencex.segment(language or USUAL_LANGUAGE, line)
    )
    return [sentence for sentence in found if sentence]
