"""What is told of SAM2's weights before anything is built."""

from auralsam2.models.backbones.sam2.sizes import checkpoint_problem


def test_problem_names_path_published_file_and_key() -> None:
    problem = checkpoint_problem("tiny", "2.1", "/nowhere/x.pt", False)
    for part in (
        "/nowhere/x.pt",
        "sam2.1_hiera_tiny.pt",
        "github.com",
        "model.backbone.checkpoint",
    ):
        assert part in str(problem)
    assert isinstance(problem, FileNotFoundError)
    unnamed = checkpoint_problem("large", "2.0", None, False)
    assert isinstance(unnamed, ValueError) and "random_weights" in str(unnamed)
    assert checkpoint_problem("large", "2.0", None, True) is None
    contrary = checkpoint_problem("large", "2.0", "x.pt", True)
    assert isinstance(contrary, ValueError) and "both" in str(contrary)
