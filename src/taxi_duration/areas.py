"""Chicago's 77 community areas: numbers, names and centroids.

The numbers and names are the City's; a centroid is the middle of the area's boundary in degrees
(WGS 84), as the City's boundary file gives it.
"""

from typing import Final, NamedTuple


class Area(NamedTuple):
    """One community area; latitude and longitude of its centroid in degrees."""

    number: int
    name: str
    latitude: float
    longitude: float


OHARE: Final = 76
# Midway Airport lies in Garfield Ridge; the City counts its trips there.
MIDWAY: Final = 56
AIRPORTS: Final = (OHARE, MIDWAY)
LOOP: Final = 32

AREAS: Final[tuple[Area, ...]] = (
    Area(1, "Rogers Park", 42.009624, -87.670168),
    Area(2, "West Ridge", 42.001572, -87.695013),
    Area(3, "Uptown", 41.965812, -87.655879),
    Area(4, "Lincoln Square", 41.975171, -87.687515),
    Area(5, "North Center", 41.947792, -87.683835),
    Area(6, "Lake View", 41.944227, -87.655999),
    Area(7, "Lincoln Park", 41.922686, -87.64949),
    Area(8, "Near North Side", 41.899602, -87.633309),
    Area(9, "Edison Park", 42.007613, -87.813781),
    Area(10, "Norwood Park", 41.985015, -87.804531),
    Area(11, "Jefferson Park", 41.97883, -87.771167),
    Area(12, "Forest Glen", 41.993931, -87.758356),
    Area(13, "North Park", 41.983636, -87.723583),
    Area(14, "Albany Park", 41.968069, -87.72156),
    Area(15, "Portage Park", 41.954028, -87.7634),
    Area(16, "Irving Park", 41.953582, -87.723452),
    Area(17, "Dunning", 41.946511, -87.80602),
    Area(18, "Montclare", 41.929298, -87.798033),
    Area(19, "Belmont Cragin", 41.927261, -87.765502),
    Area(20, "Hermosa", 41.924348, -87.73474),
    Area(21, "Avondale", 41.938666, -87.711211),
    Area(22, "Logan Square", 41.92276, -87.699156),
    Area(23, "Humboldt Park", 41.90007, -87.720919),
    Area(24, "West Town", 41.901207, -87.676357),
    Area(25, "Austin", 41.894101, -87.763112),
    Area(26, "West Garfield Park", 41.878595, -87.730232),
    Area(27, "East Garfield Park", 41.878915, -87.705897),
    Area(28, "Near West Side", 41.874005, -87.663518),
    Area(29, "North Lawndale", 41.86019, -87.717219),
    Area(30, "South Lawndale", 41.839087, -87.714002),
    Area(31, "Lower West Side", 41.850266, -87.667568),
    Area(32, "Loop", 41.878866, -87.625192),
    Area(33, "Near South Side", 41.857184, -87.620335),
    Area(34, "Armour Square", 41.842077, -87.633974),
    Area(35, "Douglas", 41.835118, -87.618678),
    Area(36, "Oakland", 41.82375, -87.603216),
    Area(37, "Fuller Park", 41.809086, -87.632425),
    Area(38, "Grand Boulevard", 41.812949, -87.61786),
    Area(39, "Kenwood", 41.808916, -87.596183),
    Area(40, "Washington Park", 41.792358, -87.617931),
    Area(41, "Hyde Park", 41.79409, -87.592311),
    Area(42, "Woodlawn", 41.778876, -87.594925),
    Area(43, "South Shore", 41.761578, -87.572783),
    Area(44, "Chatham", 41.740206, -87.61597),
    Area(45, "Avalon Park", 41.7442, -87.586349),
    Area(46, "South Chicago", 41.741243, -87.551429),
    Area(47, "Burnside", 41.728182, -87.596476),
    Area(48, "Calumet Heights", 41.729676, -87.572718),
    Area(49, "Roseland", 41.70659, -87.623366),
    Area(50, "Pullman", 41.706127, -87.598255),
    Area(51, "South Deering", 41.690637, -87.570057),
    Area(52, "East Side", 41.707314, -87.534902),
    Area(53, "West Pullman", 41.67382, -87.63574),
    Area(54, "Riverdale", 41.660137, -87.602849),
    Area(55, "Hegewisch", 41.660535, -87.546575),
    Area(56, "Garfield Ridge", 41.796186, -87.76424),
    Area(57, "Archer Heights", 41.81088, -87.726363),
    Area(58, "Brighton Park", 41.817367, -87.698861),
    Area(59, "McKinley Park", 41.829922, -87.672503),
    Area(60, "Bridgeport", 41.836151, -87.648788),
    Area(61, "New City", 41.809019, -87.659167),
    Area(62, "West Elsdon", 41.792982, -87.724208),
    Area(63, "Gage Park", 41.795431, -87.696435),
    Area(64, "Clearing", 41.779581, -87.768511),
    Area(65, "West Lawn", 41.769779, -87.726929),
    Area(66, "Chicago Lawn", 41.771849, -87.695666),
    Area(67, "West Englewood", 41.77593, -87.666596),
    Area(68, "Englewood", 41.777198, -87.642497),
    Area(69, "Greater Grand Crossing", 41.763247, -87.616134),
    Area(70, "Ashburn", 41.745757, -87.708365),
    Area(71, "Auburn Gresham", 41.744205, -87.656307),
    Area(72, "Beverly", 41.71315, -87.675075),
    Area(73, "Washington Heights", 41.717494, -87.648896),
    Area(74, "Mount Greenwood", 41.69488, -87.713192),
    Area(75, "Morgan Park", 41.68973, -87.669054),
    Area(76, "O'Hare", 41.975684, -87.893701),
    Area(77, "Edgewater", 41.986712, -87.663416),
)
