"""From a formula and a table to the response and the designs: parsed, evaluated, coded, frozen, edited."""
