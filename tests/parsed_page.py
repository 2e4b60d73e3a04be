"""A page of the report as a browser would read it."""

import base64
import json
import re
import zlib
from html.parser import HTMLParser

import numpy as np


class Parsed(HTMLParser):
    """Elements, text and scripts of a page."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.texts, self.scripts, self.data, self.inside = [], [], [], {}, None
        self.feed(page)
        self.text = re.sub(r"\s+", " ", "".join(self.texts)).replace("\xa0", " ")

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag in {"style", "script"}:
            self.inside = dict(attrs)

    def handle_endtag(self, tag):
        if tag in {"style", "script"}:
            self.inside = None

    def handle_data(self, data):
        if self.inside is None:
            self.texts.append(data)
        elif "id" in self.inside:
            self.data[self.inside["id"]] = data
        else:
            self.scripts.append(data)

    def images(self, words):
        return [found for tag, found in self.elements if tag == "img" and words in found["alt"]]

    @property
    def genes(self):
        return {gene["name"]: gene for gene in json.loads(self.data["page-data"])["genes"]}

    def values(self, name):
        """Observed and predicted of a gene by section, as the page unpacks them."""
        known = json.loads(self.data["page-data"])
        index = [gene["name"] for gene in known["genes"]].index(name)
        packed = np.frombuffer(zlib.decompress(base64.b64decode(self.data[f"map-{index}"])), np.uint8)
        about, found, start = known["genes"][index]["map"], {}, 0
        for section in known["sections"]:
            for kind in ("observed", "predicted") if section["tested"] else ("predicted",):
                levels = packed[start : start + section["spots"]].astype(float)
                levels[levels == 255] = np.nan
                found[section["section"], kind] = about[kind][0] + about[kind][1] * levels
                start += section["spots"]
        assert start == len(packed)
        return found
