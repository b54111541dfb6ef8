#!/usr/bin/env python3
"""The public names of the crate: every item with a path of its own, from rustdoc's JSON.

    names.py DOCUMENTED.json ALL.json LIMIT

The first file has the documented items alone, the second the hidden ones too. Modules, types, traits,
functions, constants and macros count; methods, fields, variants and impls do not. An item under two paths
counts twice. A glob of a module that is public itself counts once: it adds a path, but nothing that a reader
does not know. Prints the names by module and the counts; ends with status 1 above the limit.
"""

import collections
import json
import sys
import textwrap

# Rustdoc's words for what has a name of its own.
KINDS = {"constant", "enum", "function", "macro", "module", "proc_macro", "static", "struct", "trait",
         "trait_alias", "type_alias", "union"}


class Names:
    """Lists of (path, kind): `found`, what counts; `repeated`, what globs of public modules hold again."""

    def __init__(self, file):
        with open(file, encoding="utf-8") as text:
            document = json.load(text)
        self.index, self.elsewhere = document["index"], document["paths"]
        self.found, self.repeated, self.globs, self.modules = [], [], [], set()
        self.walk(self.index[str(document["root"])], (), self.found, ())
        # A glob of a private module is how its items become public: they count as if they stood there.
        while private := [glob for glob in self.globs if glob[0]["id"] not in self.modules]:
            self.globs = [glob for glob in self.globs if glob[0]["id"] in self.modules]
            for target, folder in private:
                self.glob(target, folder, self.found)
        for target, folder in self.globs:
            self.found.append(((*folder, "*"), "glob"))
            self.glob(target, folder, self.repeated)
        self.found.sort()

    def glob(self, target, folder, into):
        """The names of a module in another; those that stand there by themselves win."""
        there = {path for path, _ in self.found}
        names = []
        self.walk(target, folder, names, ())
        into.extend(name for name in names if name[0] not in there)

    def walk(self, item, folder, into, within):
        """The children of a module or an enum."""
        (kind, inner), = item["inner"].items()
        if item["id"] in within:
            return
        for number in inner["items" if kind == "module" else "variants"]:
            child = self.index.get(str(number))
            if child is not None and child["visibility"] == "public":
                self.visit(child, child["name"], folder, into, (*within, item["id"]))

    def visit(self, item, name, folder, into, within):
        (kind, inner), = item["inner"].items()
        if kind == "use":
            target = self.index.get(str(inner["id"]))
            if target is None:
                # Another crate, whose names are not ours to count; without a place in `paths`, a hidden item.
                if self.elsewhere.get(str(inner["id"]), {"crate_id": 0})["crate_id"] != 0:
                    into.append(((*folder, inner["name"]), "crate"))
            elif inner["is_glob"]:
                self.globs.append((target, folder))
            else:
                self.visit(target, inner["name"], folder, into, within)
        elif kind in KINDS:
            path = (*folder, name)
            into.append((path, kind))
            if kind == "module":
                self.modules.add(item["id"])
                self.walk(item, path, into, within)


def main():
    documented, everything, limit = Names(sys.argv[1]), Names(sys.argv[2]), int(sys.argv[3])
    count, hidden = len(documented.found), len(everything.found) - len(documented.found)
    if count == 0 or hidden < 0:
        sys.exit("names: these are not the documents of one crate")
    modules = collections.defaultdict(list)
    for path, kind in documented.found:
        # The first line of a module is itself; what stands at the root comes under `crate`.
        module = path[0] if len(path) > 1 or kind == "module" else "crate"
        modules[module].append("::".join(path[1:]) or ("" if kind == "module" else path[0]))
    for module, names in sorted(modules.items()):
        line = f"{module} ({len(names)}): {' '.join(filter(None, names))}"
        print(textwrap.fill(line, 110, subsequent_indent="    ", break_on_hyphens=False))
    again = len(documented.repeated)
    print(f"{count} public names, {limit} at most; {again} of them again by a glob; {hidden} hidden names")
    sys.exit(count > limit)


main()
