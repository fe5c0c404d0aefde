"""AVSBench's network (TPAVI) on PVT-v2-b5, AVSBench V1M: the larger backbone of its authors."""

_base_ = ["./tpavi_v1m.py"]

model = dict(
    # Of github.com/whai362/PVT; None trains from the start.
    image_encoder=dict(_delete_=True, type="PVTv2Stages", weights="weights/pvt_v2_b5.pth")
)
