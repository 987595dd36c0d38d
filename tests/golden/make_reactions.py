"""Makes reactions.txt: textbook reactions as SMILES, one a line, for the chemical BERTs of the package `rxnfp`.

Each class of reactions is a template in SMARTS with the reagents of every combination of its two lists. RDKit applies
the template and writes canonical SMILES, the spelling that the models were trained on.

Run in an environment with rdkit, from this directory: python make_reactions.py
"""

import itertools
import os

from rdkit import Chem
from rdkit.Chem import rdChemReactions

HERE = os.path.dirname(os.path.abspath(__file__))
ACIDS = ("CC(=O)O", "CCC(=O)O", "CCCC(=O)O", "O=C(O)c1ccccc1", "O=C(O)Cc1ccccc1", "O=C(O)c1ccc(Cl)cc1", "O=C(O)/C=C/C")
CHLORIDES = ("CC(=O)Cl", "O=C(Cl)c1ccccc1", "CC(C)(C)C(=O)Cl", "O=C(Cl)c1ccc([N+](=O)[O-])cc1", "O=C(Cl)c1ccco1")
SULFONYL_CHLORIDES = ("CS(=O)(=O)Cl", "Cc1ccc(S(=O)(=O)Cl)cc1")
ALCOHOLS = ("CO", "CCO", "CC(C)O", "OCc1ccccc1", "OC1CCCCC1", "C=CCO", "CCCCO")
PHENOLS = ("Oc1ccccc1", "COc1ccc(O)cc1", "O=Cc1ccc(O)cc1", "Oc1ccc(F)cc1")
AMINES = ("CN", "CCCCN", "NCc1ccccc1", "Nc1ccccc1", "C1CCNCC1", "C1COCCN1")
HALIDES = ("CI", "CCBr", "BrCc1ccccc1", "C=CCBr", "CCOC(=O)CBr")
ARYL_BROMIDES = ("Brc1ccccc1", "COc1ccc(Br)cc1", "Brc1cccnc1", "N#Cc1ccc(Br)cc1", "Brc1ccc2ccccc2c1", "Brc1ccsc1")
BORONIC_ACIDS = ("OB(O)c1ccccc1", "COc1ccc(B(O)O)cc1", "OB(O)c1ccc(F)cc1", "OB(O)c1ccco1", "CC(=O)c1ccc(B(O)O)cc1")
ALDEHYDES = ("O=Cc1ccccc1", "CCC=O", "COc1ccc(C=O)cc1", "O=Cc1ccncc1", "O=Cc1ccco1", "CC(C)C=O")
NITRO = ("O=[N+]([O-])c1ccccc1", "Cc1ccc([N+](=O)[O-])cc1", "COC(=O)c1ccc([N+](=O)[O-])cc1", "O=[N+]([O-])c1ccc(Cl)cc1")
CARBAMATES = ("CC(C)(C)OC(=O)NCc1ccccc1", "CC(C)(C)OC(=O)N1CCCCC1", "CC(C)(C)OC(=O)NCCCO")
# Reagents that the template leaves out of the product, the template, what is combined.
CLASSES = {
    "Fischer esterification": (
        "OS(=O)(=O)O",
        "[C:1](=[O:2])[OH].[C;!$(C=O):3][OH:4]>>[C:1](=[O:2])[O:4][C:3]",
        ACIDS,
        ALCOHOLS,
    ),
    "acylation of an amine": (
        "CCN(CC)CC",
        "[C:1](=[O:2])Cl.[N;H1,H2;!$(N-C=O):3]>>[C:1](=[O:2])[N:3]",
        CHLORIDES,
        AMINES,
    ),
    "sulfonamide": (
        "c1ccncc1",
        "[S:1](=[O:2])(=[O:4])Cl.[N;H1,H2:3]>>[S:1](=[O:2])(=[O:4])[N:3]",
        SULFONYL_CHLORIDES,
        AMINES,
    ),
    "Williamson ether synthesis": (
        "O=C([O-])[O-].[K+].[K+]",
        "[c:1][OH:2].[C;!$(C=O):3][Br,I]>>[c:1][O:2][C:3]",
        PHENOLS,
        HALIDES,
    ),
    "Suzuki coupling": (
        "O=C([O-])[O-].[Na+].[Na+]",
        "[c:1]Br.[c:2]B(O)O>>[c:1][c:2]",
        ARYL_BROMIDES,
        BORONIC_ACIDS,
    ),
    "reductive amination": (
        "[Na+].[BH3-]C#N",
        "[CH:1]=O.[N;H1,H2;!$(N-c):2]>>[C:1][N:2]",
        ALDEHYDES,
        AMINES,
    ),
    "Wittig olefination": (
        "C1CCOC1",
        "[CH:1]=O.[C:2]=P(c1ccccc1)(c1ccccc1)c1ccccc1>>[C:1]=[C:2]",
        ALDEHYDES,
        ("CCOC(=O)C=P(c1ccccc1)(c1ccccc1)c1ccccc1", "C=P(c1ccccc1)(c1ccccc1)c1ccccc1"),
    ),
    "reduction of a nitro group": ("CO", "[c:1][N+](=O)[O-].[Pd]>>[c:1]N", NITRO, ("[Pd]",)),
    "reduction of an aldehyde": ("CO.[Na+]", "[CH:1]=[O:2].[BH4-]>>[C:1][O:2]", ALDEHYDES, ("[BH4-]",)),
    "removal of Boc": (
        "ClCCl",
        "[N:1]C(=O)OC(C)(C)C.O=C(O)C(F)(F)F>>[N:1]",
        CARBAMATES,
        ("O=C(O)C(F)(F)F",),
    ),
    "Grignard addition": (
        "C1CCOC1",
        "[CH:1]=[O:2].[C,c:3][Mg]Br>>[C:1]([O:2])[C,c:3]",
        ALDEHYDES,
        ("C[Mg]Br", "Br[Mg]c1ccccc1"),
    ),
}
# The example in the description of the package, with its fingerprint: https://pypi.org/project/rxnfp/0.1.0/
PUBLISHED = (
    "Nc1cccc2cnccc12.O=C(O)c1cc([N+](=O)[O-])c(Sc2c(Cl)cncc2Cl)s1>>"
    "O=C(Nc1cccc2cnccc12)c1cc([N+](=O)[O-])c(Sc2c(Cl)cncc2Cl)s1"
)


def reactions():
    """Every combination for which the template applies, without repetitions."""
    yield PUBLISHED
    for others, template, first, second in CLASSES.values():
        rule = rdChemReactions.ReactionFromSmarts(template)
        for pair in itertools.product(first, second):
            products = rule.RunReactants([Chem.MolFromSmiles(molecule) for molecule in pair])
            if products:
                yield f"{canonical('.'.join([*pair, others]))}>>{canonical(Chem.MolToSmiles(products[0][0]))}"


def canonical(molecules: str) -> str:
    return Chem.MolToSmiles(Chem.MolFromSmiles(molecules))


def main():
    with open(os.path.join(HERE, "reactions.txt"), "w", encoding="utf-8") as file:
        file.writelines(f"{reaction}\n" for reaction in dict.fromkeys(reactions()))


if __name__ == "__main__":
    main()
