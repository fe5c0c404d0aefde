"""What is told of SAM2's weights before anything is built."""

from auralsam2.models.backbones.sam2.checkpoint import checkpoint_problem


def test_problem_names_path_published_file_and_key() -> None:
    problem = checkpoint_problem("tiny", "2.1", "/nowhere/x.pt", False)
    for part in (
        "/nowhere/x.pt",
        "sam2.1_hiera_tiny.pt",
        "github.com",
        "model.backbone.checkpoint",
    ):
        assert part in problem
    assert "random_weights" in checkpoint_problem("large", "2.0", None, False)
    assert checkpoint_problem("large", "2.0", None, True) == ""
    assert "both" in checkpoint_problem("large", "2.0", "x.pt", True)
