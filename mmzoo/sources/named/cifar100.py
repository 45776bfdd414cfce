"""CIFAR-100."""

from __future__ import annotations

from mmzoo.sources.formats.cifar import read_cifar100
from mmzoo.sources.named.entry import NamedSet, OfficialFile

_FINE = """
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus
    butterfly camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch
    crab crocodile cup dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo
    keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain mouse
    mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy
    porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper
    snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television
    tiger tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm
"""
_COARSE = """
    aquatic_mammals fish flowers food_containers fruit_and_vegetables household_electrical_devices
    household_furniture insects large_carnivores large_man-made_outdoor_things
    large_natural_outdoor_scenes large_omnivores_and_herbivores medium_mammals
    non-insect_invertebrates people reptiles small_mammals trees vehicles_1 vehicles_2
"""

CIFAR100 = NamedSet(
    name="cifar100",
    description="Photographs of 100 kinds of things in 20 groups, 32x32, colour.",
    homepage="https://www.cs.toronto.edu/~kriz/cifar.html",
    licence="none stated by the authors, who ask to be cited",
    citation='Krizhevsky, "Learning multiple layers of features from tiny images", 2009',
    examples={"train": 50_000, "test": 10_000},
    classes={"label": tuple(_FINE.split()), "coarse_label": tuple(_COARSE.split())},
    files=(
        OfficialFile(
            "cifar-100-binary.tar.gz",
            168_513_733,
            "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
        ),
    ),
    mirrors=("https://www.cs.toronto.edu/~kriz", "https://cave.cs.toronto.edu/kriz"),
    read=read_cifar100,
)
