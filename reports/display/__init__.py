"""How numbers, tables, figures and the page are shown, whatever they are about."""
