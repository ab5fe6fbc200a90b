"""Texts to try a model with, by language: invented for this page, and part of no corpus."""

from typing import NamedTuple


class Example(NamedTuple):
    """A text to try.

    Args:
        name: What it is about, for a button.
        text: String.
    """

    name: str
    text: str


EXAMPLES = {
    "en": (
        Example("A letter", "The letter came this morning: they have given me the place!"),
        Example("A borrowed bike", "I scratched my neighbour's bike, and never told him about it."),
        Example("A timetable", "The bus to the harbour leaves at ten past every hour."),
        Example(
            "A dialogue",
            "Ann: Did you read my diary?\n"
            "Ben: It lay open on the table...\n"
            "Ann: How dare you! That was mine.\n"
            "Ben: I know. I am so ashamed that I cannot look at you.\n"
            "Ann: I thought that I could trust you, and now I just want to cry.\n"
            "Ben: Let me make it good again. I have missed you!",
        ),
        Example(
            "A day",
            "We packed before dawn and sang in the car. Then a lorry skidded across our lane. I "
            "was sure that we would die. Nobody was hurt. The driver shouted at us as if it were "
            "our fault! In the evening we sat by the sea and laughed about it.",
        ),
    ),
    "de": (
        Example("Ein Brief", "Heute früh kam der Brief: Ich habe die Stelle!"),
        Example("Ein Rad", "Ich habe das Rad meines Nachbarn zerkratzt und es ihm nie gesagt."),
        Example(
            "Ein Tag",
            "Vor Sonnenaufgang sangen wir im Auto. Dann schleuderte ein Lastwagen auf uns zu. Ich "
            "dachte, wir sterben. Am Abend saßen wir am Meer und lachten.",
        ),
    ),
    "es": (
        Example("Una carta", "¡Esta mañana llegó la carta: me han dado la plaza!"),
        Example("Una bicicleta", "Rayé la bicicleta de mi vecino y nunca se lo dije."),
        Example(
            "Un día",
            "Salimos antes del alba y cantamos en el coche. Luego un camión patinó hacia nosotros. "
            "Pensé que íbamos a morir. Por la noche nos reímos junto al mar.",
        ),
    ),
    "fr": (
        Example("Une lettre", "La lettre est arrivée ce matin : j'ai le poste !"),
        Example("Un vélo", "J'ai rayé le vélo de mon voisin et je ne le lui ai jamais dit."),
        Example(
            "Une journée",
            "Nous sommes partis avant l'aube en chantant. Puis un camion a dérapé vers nous. J'ai "
            "cru que nous allions mourir. Le soir, nous avons ri au bord de la mer.",
        ),
    ),
}
