"""The people and businesses that a joinery in an English market town might invoice. All of them are made up."""

from random import Random


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST = _words(
    """Alice Amara Anneliese Ben Björn Callum Chloé Daniel Deepa Eilidh Elena Farah Fergus George Grace Hannah Hugo
    Imogen Isaac Joanna José Kwame Leila Liam Maeve Marcus Mei Nadia Niamh Oliver Owen Priya Ravi Renée Rosa Samir Siân
    Thomas Yusuf Zoë"""
)
LAST = _words(
    """Abbott Ahmed Baptiste Bell Calloway Carver Castañeda Dawson Doyle Ellery Farrow Fischer Gallagher Grant Hale
    Hartley Iqbal Jansen Kaur Keane Lindqvist Lowe MacLeod Marsh Müller Nakamura Novak Okafor Osei Pemberton Quigley
    Rahman Rowe Sharma Sørensen Thorne Underhill Vance Whitlock Yilmaz"""
)
BUSINESSES = (
    "Fern & Fig Café",
    "Oakfield Primary School",
    "Harbour Lane Studio",
    "Castellan Property Care",
    "Redgate Plumbing & Heating",
    "The Copper Kettle",
    "Lumen Photography",
    "St Brannoc's Academy",
    "Pargeter Kitchens Ltd",
    "Tilly's Tearoom",
    "Northgate Dental Practice",
    "Meridian Pilates",
    "Hollis & Daughters Builders",
    "Café Zoé",
    "Wren Architects LLP",
    "Greenbank Nursery School",
    "Sable Hair Studio",
    "Ashdown Veterinary Clinic",
    "Bramley Electrical Services",
    "The Gilded Page Bookshop",
    "Marlow Roofing Contractors",
    "Kestrel Brewing Co",
    "Rosehill Care Home",
    "Pemberton Interiors",
    "Quayside Yoga",
    "Larkspur Florists",
    "Thistle & Thyme Catering",
    "Ironbridge Joinery Supplies",
    "Saltmarsh Gallery",
    "Whitcombe Parish Council",
    "Cobalt Bike Workshop",
    "Penrose Lettings",
    "Juniper Early Years Centre",
    "Dovecote Farm Shop",
    "Old Mill Theatre",
    "Vantage Fitouts Ltd",
    "Halcyon Music School",
    "Bluebell Wood Campsite",
)
ABROAD = (("Atelier Garnier SARL", "France", "Lyon"), ("Möbelhaus Lindner GmbH", "Germany", "Köln"))
SUPPLIERS = ("Timberline Merchants Ltd", "Apex Tool Hire", "County Waste Services")
STREETS = (
    "Mill Lane",
    "High Street",
    "Station Road",
    "Church Walk",
    "Quay Street",
    "Orchard Close",
    "Bridge Street",
    "Market Place",
)
WORK = (
    "Oak counter, made and fitted",
    "Sash windows repaired",
    "Bespoke shelving",
    "Fire doors supplied and hung",
    "Staircase repair",
    "Reception desk",
    "Fitted cupboards",
    "Classroom benches",
    "Timber cladding",
    "Repairs, time and materials",
    "Worktops cut and oiled",
    "Display cabinets",
)
_PLAIN = str.maketrans("áàâäãåçéèêëíìîïñóòôöõøúùûüýß", "aaaaaaceeeeiiiinoooooouuuuys")


def person(chance: Random) -> tuple[str, str]:
    return chance.choice(FIRST), chance.choice(LAST)


def plain(text: str) -> str:
    """For addresses: small letters of the English alphabet and digits only."""
    return "".join(c for c in text.lower().translate(_PLAIN) if c.isascii() and c.isalnum())


def mail_domain(business: str) -> str:
    for ending in (" Ltd", " LLP", " SARL", " GmbH", " Co"):
        business = business.removesuffix(ending)
    return f"{plain(business.replace('&', 'and'))}.example"
