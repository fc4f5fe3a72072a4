"""How sphinx-gallery runs the examples: with `--quick`, and with the pictures that they write as their thumbnails."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from sphinx_gallery.scrapers import figure_rst

__all__ = ["copy_examples", "quick_arguments", "scrape_pictures"]


def copy_examples(source: Path, target: Path) -> None:
    """Copy the scripts, so that what they write beside themselves never meets the results of a full run."""
    target.mkdir(parents=True, exist_ok=True)
    for stale in target.glob("*.py"):
        if not (source / stale.name).exists():
            stale.unlink()
    for file in (*source.glob("*.py"), *source.glob("*.rst")):
        shutil.copy2(file, target)


def quick_arguments(gallery_conf: dict[str, Any], script_vars: dict[str, Any]) -> list[str]:
    """Return the command line of every example."""
    return ["--quick"]


def scrape_pictures(block: tuple, block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:
    """Move every PNG that the example has written beside itself into the gallery, and return its reST."""
    source = Path(block_vars["src_file"])
    moved = []
    for picture in sorted(source.parent.glob(f"{source.stem}*.png")):
        target = Path(next(block_vars["image_path_iterator"]))
        target.write_bytes(picture.read_bytes())
        picture.unlink()
        moved.append(str(target))
    return figure_rst(moved, gallery_conf["src_dir"])
