"""HubSpot's published descriptions of its interface, as far as the stand-in's routes reach.

`python -m sandbox.hubspot.descriptions FOLDER` makes them anew out of the whole ones, which HubSpot
publishes as github.com/HubSpot/HubSpot-public-api-spec-collection; see the key in docs/hubspot-facts.md.
"""

from pathlib import Path

FOLDER = Path(__file__).parent
