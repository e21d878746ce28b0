"""U(1) couplings by every map of the circle; eight layers update every link."""

from flow_laws import Sample

from lqcd_hpc.actions.wilson import Wilson
from lqcd_hpc.ml.flows.circular import Circular
from lqcd_hpc.ml.nets.convolutional import Convolutional
from lqcd_hpc.ml.targets import target

NET = Convolutional(hidden=[6], kernel=3)
SQUARE = target(Wilson(beta=2.0), (4, 4), "U(1)")
OBLONG = target(Wilson(beta=1.0), (4, 8), "U(1)")
SYMMETRIES = ("gauge", "translations by 4")

SAMPLES = [
    Sample(Circular(layers=8, map="spline", components=5, net=NET), SQUARE),
    Sample(Circular(layers=8, map="moebius", components=3, net=NET), SQUARE),
    Sample(Circular(layers=8, map="noncompact", components=3, net=NET), SQUARE),
    Sample(Circular(layers=8, map="spline", components=4, net=NET), OBLONG, SYMMETRIES),
]
