"""Writes the files of a cluster from its numbers: python -m deploy.render"""

from pathlib import Path

import yaml

from deploy import kuberay, launcher, numbers
from deploy.numbers import Numbers

ROOT = numbers.FOLDER.parent
HEADER = "# Rendered from deploy/numbers.toml by `python -m deploy.render`. Change the numbers, not this file.\n"
WIDTH = 120


def files(given: Numbers) -> dict[Path, str]:
    """Every rendered file with its text."""
    return {
        ROOT / "cluster.yaml": HEADER + _yaml(launcher.cluster(given)),
        ROOT / "deploy" / "node.env": HEADER + launcher.node_environment(given),
        ROOT / "deploy" / "kuberay.yaml": HEADER + _yaml(kuberay.service(given).document()),
    }


def main() -> None:
    """Write them."""
    for path, text in files(numbers.read()).items():
        path.write_text(text)
        print(path.relative_to(ROOT))


def _yaml(document: object) -> str:
    text: str = yaml.dump(document, Dumper=_DUMPER, sort_keys=False, width=WIDTH)
    return text


def _scalar(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """Texts of several lines are written as such."""
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_DUMPER = type("_Dumper", (yaml.SafeDumper,), {})
yaml.add_representer(str, _scalar, Dumper=_DUMPER)


if __name__ == "__main__":
    main()
