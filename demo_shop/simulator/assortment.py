"""What the shop sells, in words: five departments, their shelves, invented brands and the nouns for names."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ASSORTMENT", "FINISHES", "Department", "Shelf"]


@dataclass(frozen=True, slots=True)
class Shelf:
    """A subcategory: `median` is its middle price in euros, `nouns` what lies on it, `terms` what people search."""

    slug: str
    median: float
    nouns: tuple[str, ...]
    terms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Department:
    """A department: `spread` is the standard deviation of the logarithm of its prices."""

    slug: str
    spread: float
    brands: tuple[str, ...]
    shelves: tuple[Shelf, ...]


FINISHES = (
    "Amber", "Birch", "Cobalt", "Dune", "Ember", "Fjord", "Granite", "Harbour", "Indigo", "Juniper", "Kelp", "Linden",
    "Moss", "Nimbus", "Ochre", "Pebble", "Quartz", "Raven", "Saffron", "Tide", "Umber", "Velvet", "Willow", "Zephyr",
)  # fmt: skip

ASSORTMENT = (
    Department(
        "electronics",
        0.55,
        ("Voltera", "Kantis", "Orbeon", "Luminar Labs", "Tessel", "Quillon", "Nordwave"),
        (
            Shelf(
                "phones",
                379.0,
                ("Smartphone", "Folding Phone", "Senior Phone"),
                ("smartphone", "phone 128gb", "dual sim"),
            ),
            Shelf(
                "laptops",
                789.0,
                ("Laptop", "Ultrabook", "Student Laptop"),
                ("laptop", "laptop 14 inch", "light notebook"),
            ),
            Shelf(
                "audio",
                89.0,
                ("Headphones", "Earbuds", "Soundbar", "Radio"),
                ("headphones", "wireless earbuds", "soundbar"),
            ),
            Shelf(
                "wearables",
                139.0,
                ("Smartwatch", "Fitness Band", "Smart Ring"),
                ("smartwatch", "fitness band", "watch strap"),
            ),
            Shelf(
                "accessories",
                24.0,
                ("Charger", "Power Bank", "Cable Set", "Phone Case"),
                ("charger", "usb c cable", "power bank"),
            ),
        ),
    ),
    Department(
        "fashion",
        0.45,
        ("Maison Corvo", "Halden", "Brisa", "Threadwell", "Oakline", "Petrel", "Sunday Atelier"),
        (
            Shelf(
                "shirts",
                34.0,
                ("Linen Shirt", "Oxford Shirt", "T-Shirt", "Polo"),
                ("shirt", "white t-shirt", "linen shirt"),
            ),
            Shelf(
                "dresses", 59.0, ("Midi Dress", "Wrap Dress", "Summer Dress"), ("dress", "summer dress", "midi dress")
            ),
            Shelf("shoes", 84.0, ("Sneaker", "Chelsea Boot", "Sandal", "Loafer"), ("sneakers", "boots", "sandals")),
            Shelf(
                "coats", 129.0, ("Rain Jacket", "Wool Coat", "Down Jacket"), ("rain jacket", "winter coat", "jacket")
            ),
            Shelf("bags", 64.0, ("Tote Bag", "Backpack", "Crossbody Bag"), ("backpack", "tote bag", "handbag")),
        ),
    ),
    Department(
        "home",
        0.70,
        ("Hearthly", "Nestoria", "Kilnwerk", "Alder & Ash", "Lumo Casa", "Fennwick"),
        (
            Shelf(
                "kitchen",
                39.0,
                ("Saucepan", "Chef's Knife", "Kettle", "Coffee Press"),
                ("pan", "kettle", "coffee press"),
            ),
            Shelf("lighting", 54.0, ("Table Lamp", "Pendant Light", "Floor Lamp"), ("lamp", "floor lamp", "led bulb")),
            Shelf("bedding", 69.0, ("Duvet Cover", "Pillow", "Wool Blanket"), ("duvet", "pillow", "bed linen")),
            Shelf(
                "furniture", 219.0, ("Armchair", "Side Table", "Bookshelf", "Desk"), ("desk", "bookshelf", "armchair")
            ),
            Shelf("garden", 44.0, ("Planter", "Garden Hose", "Pruning Set"), ("planter", "garden hose", "bbq")),
        ),
    ),
    Department(
        "sports",
        0.55,
        ("Altivo", "Ridgeback", "Pacer", "Corewell", "Blue Fathom", "Trailmark"),
        (
            Shelf(
                "running",
                94.0,
                ("Running Shoe", "Trail Shoe", "Running Vest"),
                ("running shoes", "trail shoes", "running belt"),
            ),
            Shelf(
                "cycling",
                59.0,
                ("Bike Helmet", "Cycling Jersey", "Bike Light"),
                ("bike helmet", "bike light", "jersey"),
            ),
            Shelf(
                "fitness", 42.0, ("Kettlebell", "Yoga Mat", "Resistance Bands"), ("yoga mat", "kettlebell", "dumbbells")
            ),
            Shelf("outdoor", 109.0, ("Tent", "Sleeping Bag", "Hiking Pack"), ("tent", "sleeping bag", "hiking boots")),
            Shelf("swimming", 27.0, ("Swim Goggles", "Swimsuit", "Dry Bag"), ("goggles", "swimsuit", "towel")),
        ),
    ),
    Department(
        "beauty",
        0.50,
        ("Solenne", "Verdia", "Petal & Pine", "Dermasse", "Aurelle", "Mirobel"),
        (
            Shelf("skincare", 26.0, ("Face Cream", "Serum", "Cleansing Gel"), ("face cream", "serum", "sunscreen")),
            Shelf("makeup", 18.0, ("Mascara", "Lip Tint", "Foundation"), ("mascara", "lipstick", "foundation")),
            Shelf(
                "fragrance", 62.0, ("Eau de Parfum", "Body Mist", "Cologne"), ("perfume", "eau de parfum", "gift set")
            ),
            Shelf("haircare", 16.0, ("Shampoo", "Hair Mask", "Styling Paste"), ("shampoo", "hair mask", "hair oil")),
            Shelf(
                "tools", 38.0, ("Hair Dryer", "Trimmer", "Make-up Brush Set"), ("hair dryer", "trimmer", "brush set")
            ),
        ),
    ),
)
