"""A policy as YAML: what is written is read back as the same policy."""

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from marketplace.program.policy.document import Policy
from marketplace.program.policy.documents import DocumentError, Problem, read_policy

MAX_BYTES = 512 * 1024
HEADER = """\
# The partner program: types of partners, tiers, metrics, benefits, goals and rights.
# Amounts are whole numbers: minor units of the currency (cents), hundredths of a star, minutes,
# days. Tiers go from the lowest to the highest. Check a change, then publish it:
#   flask --app wsgi program plan FILE
#   flask --app wsgi program apply FILE
"""
FOLDER = Path(__file__).parent / "templates"
# The policies that a program can start from: name and what each is for.
TEMPLATES: dict[str, tuple[str, str]] = {
    "api_platform": (
        "API platform",
        "Developers build on your API; agencies, consultants and resellers bring it to customers.",
    ),
    "saas_app_store": (
        "SaaS app store",
        "Apps extend your product, and certified experts set it up for customers.",
    ),
    "reseller_channel": (
        "Reseller channel",
        "Partners sell for you: by margin, by territory, by registered deals.",
    ),
}


def policy_to_yaml(policy: Policy) -> str:
    """The policy as YAML: keys in the order of the model, without what is as it is by default."""
    data: dict[str, Any] = {"format": policy.format, "name": policy.name}
    data |= policy.model_dump(mode="json", exclude_defaults=True)
    body = yaml.dump(
        data,
        Dumper=_Writer,
        sort_keys=False,
        allow_unicode=True,
        width=96,
        default_flow_style=False,
    )
    return HEADER + "\n" + str(body)


def policy_from_yaml(text: str | bytes) -> Policy:
    """The policy that a file says. Raises DocumentError, whose problems name their place."""
    if len(text) > MAX_BYTES:
        raise DocumentError([Problem((), f"The file is larger than {MAX_BYTES // 1024} KB.")])
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8-sig")
        data = yaml.load(text, Loader=_Reader)  # noqa: S506 - a SafeLoader that refuses more
    except UnicodeDecodeError as error:
        raise DocumentError([Problem((), "The file is not UTF-8 text.")]) from error
    except RecursionError as error:
        raise DocumentError([Problem((), "The file is nested too deeply.")]) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"Line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise DocumentError(
            [Problem((), f"{where}{error.problem or 'this is no YAML'}.")]
        ) from error
    except (yaml.YAMLError, ValueError, LookupError, AttributeError, OverflowError) as error:
        raise DocumentError([Problem((), "The file is no YAML that can be read.")]) from error
    if not isinstance(data, dict):
        raise DocumentError([Problem((), "The file says no policy: names with values are needed.")])
    return read_policy(data)


def template(name: str) -> Policy:
    """One of TEMPLATES. Raises KeyError."""
    if name not in TEMPLATES:
        raise KeyError(name)
    return policy_from_yaml((FOLDER / f"{name}.yaml").read_bytes())


class _Reader(yaml.SafeLoader):
    """Safe YAML without aliases (which can blow up), without tags (which promise what the text may
    not keep), without a key that is there twice, and without dates and numbers of base 60: a
    policy has none, and `1:30` is meant as it is written."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Refuse `*alias` and `!tag`."""
        event = self.peek_event()  # type: ignore[no-untyped-call]  # yaml's stubs leave it out
        mark: Any = event.start_mark
        if isinstance(event, yaml.AliasEvent):
            raise yaml.composer.ComposerError(None, None, "aliases (*name) are not used here", mark)
        if getattr(event, "tag", None) is not None:
            raise yaml.composer.ComposerError(None, None, "tags (!name) are not used here", mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        """Refuse a key that is there twice: the second would silently replace the first."""
        seen = set()
        for key_node, _value in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key} is there twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


_INT, _FLOAT, _TIME = (f"tag:yaml.org,2002:{each}" for each in ("int", "float", "timestamp"))
_Reader.yaml_implicit_resolvers = {
    first: [each for each in known if each[0] not in (_INT, _FLOAT, _TIME)]
    for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
# YAML 1.1's own, but for base 60.
_Reader.add_implicit_resolver(
    _INT,
    re.compile(r"[-+]?(?:0b[01_]+|0[0-7_]+|0|[1-9][0-9_]*|0x[0-9a-fA-F_]+)$"),
    list("-+0123456789"),
)
_Reader.add_implicit_resolver(
    _FLOAT,
    re.compile(
        r"(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
    ),
    list("-+0123456789."),
)


class _Writer(yaml.SafeDumper):
    """Long texts in blocks, lists indented under their key, no aliases."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Indent lists."""
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        """The same value twice is written twice."""
        return True


def _text(writer: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return writer.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Writer.add_representer(str, _text)
