"""Fail where a wheel lacks types or the module, or holds what belongs to the repository alone."""

import re
import sys
import zipfile

WANTED = (
    r"pyconv/__init__\.py",
    r"pyconv/py\.typed",
    r"pyconv/_cpu\.pyi",
    r"pyconv/_cpu\.[^/]*\.so",
    r"pyconv-[^/]*\.dist-info/licenses/LICENSE",
)
ALLOWED = r"pyconv/.*\.(py|pyi|so)|pyconv/py\.typed|pyconv-[^/]*\.dist-info/.*"

names = zipfile.ZipFile(sys.argv[1]).namelist()
missing = [wanted for wanted in WANTED if not any(re.fullmatch(wanted, name) for name in names)]
unwanted = [name for name in names if not re.fullmatch(ALLOWED, name)]
if missing or unwanted:
    sys.exit(f"{sys.argv[1]} lacks {missing} and holds {unwanted}")
