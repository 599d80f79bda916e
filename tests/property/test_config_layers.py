"""Whatever is laid over what: the value that counts, and where it is from, are those of a computation path by path."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from cambist.config.document import Origin
from cambist.config.layers import read_document

#: A tree of tables: `use` names a component, so that one in the place of another starts anew.
KEYS = st.sampled_from(["a", "b", "k-1"])
LEAVES = st.integers(0, 3) | st.booleans() | st.sampled_from(["", "5", "x"])
TREES = st.recursive(
    LEAVES,
    lambda inner: st.tuples(
        st.dictionaries(KEYS, inner, min_size=1, max_size=3), st.dictionaries(st.just("use"), LEAVES, max_size=1)
    ).map(lambda parts: parts[0] | parts[1]),
    max_leaves=8,
)
TABLES = st.dictionaries(st.sampled_from(["x", "y", "z"]), TREES, min_size=1, max_size=3)
#: What the environment or the command line says: one value at one place.
WAYS = st.lists(KEYS, min_size=1, max_size=3).flatmap(
    lambda way: st.sampled_from(["x", "y"]).map(lambda top: (top, *way))
)
SAID = st.lists(st.tuples(WAYS, LEAVES), max_size=3, unique_by=lambda one: one[0])


def leaves(tree, way=()):
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, (*way, key))
        else:
            yield (*way, key), value


def at(tree, way):
    for key in way:
        if not isinstance(tree, dict) or key not in tree:
            return None
        tree = tree[key]
    return tree


def written(tree):
    """Write a tree as TOML, a header for each table; gives the text and the line of each leaf."""
    lines, numbers = [], {}

    def table(node, way):
        if way:
            lines.append(f"[{'.'.join(way)}]")
        for key, value in node.items():
            if not isinstance(value, dict):
                lines.append(f"{key} = {json.dumps(value)}")
                numbers[*way, key] = len(lines)
        for key, value in node.items():
            if isinstance(value, dict):
                table(value, (*way, key))

    table(tree, ())
    return "\n".join(lines), numbers


def expected(layers):
    """Return path -> (value, number of the layer): a path counts until a higher layer says something else at it."""
    alive = {}
    for number, layer in enumerate(layers):
        uses = {way[:-1]: value for way, (value, _) in alive.items() if way[-1] == "use"}
        own = dict(leaves(layer))

        def goes_on(way, layer=layer, uses=uses, own=own):
            for length in range(1, len(way) + 1):
                above = at(layer, way[:length])
                if above is None:
                    return True
                if not isinstance(above, dict) or length == len(way):
                    return False
                names = above.get("use")
                if names is not None and names != uses.get(way[:length]):
                    return False
            return True

        alive = {way: said for way, said in alive.items() if goes_on(way)}
        alive |= {way: (value, number) for way, value in own.items()}
    return alive


def nested(way, value):
    return {way[0]: nested(way[1:], value)} if way else value


@settings(max_examples=100)
@given(st.lists(TABLES, min_size=1, max_size=3), SAID, SAID)
def test_each_value_is_that_of_the_highest_that_says_it_and_names_it(files, environment, options):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        origins = []
        for number, tables in enumerate(files):
            text, lines = written(tables)
            head = f'extends = "{number - 1}.toml"\n' if number else ""
            (folder / f"{number}.toml").write_text(f"{head}{text}\n")
            path = str(folder / f"{number}.toml")
            origins.append({way: Origin("file", path, line + bool(number)) for way, line in lines.items()})
        variables = {f"CAMBIST__{'__'.join(way).upper()}": (way, value) for way, value in environment}
        layers = list(files)
        for variable, (way, value) in sorted(variables.items(), key=lambda one: (one[1][0][-1] != "use", one[0])):
            layers.append(nested(way, value))
            origins.append({way: Origin("environment", variable)})
        for way, value in sorted(options, key=lambda one: one[0][-1] != "use"):
            layers.append(nested(way, value))
            origins.append({way: Origin("option", f"--set {'.'.join(way)}")})
        document = read_document(
            folder / f"{len(files) - 1}.toml",
            [f"{'.'.join(way)}={json.dumps(value)}" for way, value in options],
            {variable: json.dumps(value) for variable, (_, value) in variables.items()},
        )
        wanted = expected(layers)
        assert dict(leaves(document.tables)) == {way: value for way, (value, _) in wanted.items()}
        for way, (_, number) in wanted.items():
            assert document.origin_of(way) == origins[number][way]
