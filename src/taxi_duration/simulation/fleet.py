"""The taxis: each belongs to a company, and a company's meters have their own habits."""

from dataclasses import dataclass
from hashlib import sha512

import numpy as np
import pyarrow as pa

from taxi_duration.simulation import calibration as measured
from taxi_duration.simulation.geography import Floats, Ints, Mask

# The full day of 2022 has 1,606 taxis.
TAXIS = 1_600
# Names that the City's data spells in two ways, and the share of the second.
SPELLINGS = {
    "Taxicab Insurance Agency, LLC": ("Taxicab Insurance Agency Llc", 0.2),
    "Metro Jet Taxi A": ("Metro Jet Taxi A.", 0.5),
    "Top Cab Affiliation": ("Top Cab", 0.05),
    "Nova Taxi Affiliation Llc": ("Nova Taxi Affiliation LLC", 0.1),
}


@dataclass(frozen=True)
class Fleet:
    """Arrays over taxis; shares are of a taxi's trips."""

    taxi_id: pa.StringArray
    company: pa.StringArray
    whole_minutes: Mask  # the meter counts minutes, not seconds
    zero_seconds: Floats
    zero_miles: Floats
    no_areas: Floats

    @classmethod
    def of(cls, seed: int) -> "Fleet":
        """The fleet of the city that the seed makes."""
        rng = np.random.default_rng([seed, TAXIS])
        table = np.array([company[1:] for company in measured.COMPANIES]) / 1000
        share, whole_minutes, zero_seconds, zero_miles, no_areas = table.T
        company = rng.choice(len(table), TAXIS, p=share / share.sum())
        return cls(
            taxi_id=pa.array([sha512(f"{seed} {n}".encode()).hexdigest() for n in range(TAXIS)]),
            company=pa.array(spelled(company, rng)),
            whole_minutes=rng.random(TAXIS) < whole_minutes[company],
            zero_seconds=zero_seconds[company],
            zero_miles=zero_miles[company],
            no_areas=no_areas[company],
        )


def spelled(company: Ints, rng: np.random.Generator) -> list[str]:
    """The company's name as each taxi reports it."""
    names = [measured.COMPANIES[number][0] for number in company]
    other = [SPELLINGS.get(name, (name, 0.0)) for name in names]
    chosen = rng.random(len(names)) < [share for _, share in other]
    return [other[n][0] if chosen[n] else name for n, name in enumerate(names)]
