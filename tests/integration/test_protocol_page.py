"""docs/protocol.md: its JSON has the form that the contract demands, its codes are those of the contract."""

import json
import re

from conftest import CONTRACT
from processes import ROOT

PAGE = (ROOT / "docs/protocol.md").read_text()
EXAMPLES = re.findall(r"^```json (\w+)\n(.*?)^```", PAGE, re.M | re.S)


def test_every_example_is_valid():
    schemas = CONTRACT.document["components"]["schemas"]
    assert {"Info", "Resolve", "Resolved", "SingleRecord", "Digests", "Missing", "Publish", "Published", "Problem",
            "Explain", "Explained", "Signature", "Lease", "Leased"} == \
           {name for name, _ in EXAMPLES}
    for name, text in EXAMPLES:
        CONTRACT.validate(json.loads(text), schemas[name])


def test_every_code_is_told():
    told = set(re.findall(r"^\| \d{3} \| `([a-z-]+)` \|", PAGE, re.M))
    assert told == set(CONTRACT.document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"])


def test_codes_and_statuses_are_those_of_the_server():
    table = (ROOT / "server/http/problem.h").read_text()
    served = set(re.findall(r'X\(\w+, (\d{3}), "([a-z-]+)"\)', table))
    assert served == set(re.findall(r"^\| (\d{3}) \| `([a-z-]+)` \|", PAGE, re.M))
