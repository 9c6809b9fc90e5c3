"""Plain names of colours, most of them from the colour survey of xkcd (2010, CC0), spelled the British way."""

from __future__ import annotations

COLOUR_NAMES = {
    "black": "000000", "charcoal": "343837 2b2b2d", "dark grey": "555555 434343", "grey": "808080 9a9a9a 6e6e6e",
    "light grey": "c8c8c8 d8d8d8", "white": "ffffff fafafa", "off-white": "f4f1e6", "slate": "516572",
    "blue grey": "6b8ba4", "red": "e50000", "dark red": "840000", "brick red": "8f1402", "crimson": "b00020",
    "maroon": "650021", "burgundy": "610023", "light red": "ff474c", "salmon": "ff796c", "coral": "fc5a50",
    "terracotta": "ca6641", "pink": "ff81c0", "light pink": "ffd1df", "hot pink": "ff028d", "dark pink": "cb416b",
    "rose": "cf6275", "brown": "653700 7b5b3a 8b5a2b", "dark brown": "341c02 3d2b1f", "light brown": "ad8150",
    "reddish brown": "7f2b0a", "rust": "a83c09", "tan": "d1b26f c4a484", "beige": "e6daa6", "taupe": "a08a75",
    "sand": "e2ca76", "cream": "ffffc2", "khaki": "aaa662", "orange": "f97306 ffa500", "dark orange": "c65102",
    "light orange": "fdaa48", "peach": "ffb07c", "ochre": "bf9005", "yellow": "ffff14", "light yellow": "fffe7a",
    "dark yellow": "d5b60a", "gold": "dbb40c", "mustard": "ceb301", "green": "15b01a", "dark green": "033500",
    "light green": "96f97b", "bright green": "01ff07", "forest green": "06470c", "grass green": "3f9b0b",
    "pale green": "c7fdb5", "lime green": "89fe05", "olive": "6e750e", "dark olive": "373e02", "sage": "87ae73",
    "mint green": "9ffeb0", "sea green": "53b183", "yellow green": "c0fb2d b5d33d 9acd32",
    "grey green": "789b73 5e6f5a", "teal": "029386", "dark teal": "014d4e", "light teal": "90e4c1",
    "turquoise": "06c2ac", "cyan": "00ffff", "aqua": "13eac9", "pale blue": "d0fefe", "blue": "0343df",
    "dark blue": "00035b 2a3b7a", "light blue": "95d0fc", "bright blue": "0165fc", "sky blue": "75bbfd",
    "navy blue": "001146 1b2a4a", "royal blue": "0504aa", "slate blue": "5b7c99", "steel blue": "4682b4",
    "periwinkle": "8e82fe", "indigo": "380282", "cornflower blue": "6495ed", "purple": "7e1e9c",
    "dark purple": "35063e", "light purple": "bf77f6", "violet": "9a0eea", "lavender": "c79fef", "lilac": "cea2fd",
    "mauve": "ae7181", "plum": "580f41", "magenta": "c20078", "fuchsia": "ed0dd9", "denim blue": "3b5b92",
    "moss green": "4f6b3f", "dark sage": "59855b", "dusty pink": "cc8f86",
}  # fmt: skip
"""Each name, and the colours in sRGB that it stands for, in hexadecimal."""
