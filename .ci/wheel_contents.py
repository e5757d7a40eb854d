"""Fail where a wheel lacks types or a module, or holds what belongs to the repository alone.

``wheel_contents.py WHEEL [MODULE...]``: the native modules that it must have, ``_cpu`` by default,
and no others.
"""

import re
import sys
import zipfile

wheel, *modules = sys.argv[1:]
modules = modules or ["_cpu"]
native = rf"pyconv/({'|'.join(modules)})\.[^/]*\.so"
wanted = [rf"pyconv/{module}\.[^/]*\.so" for module in modules]
wanted += [r"pyconv/__init__\.py", r"pyconv/py\.typed", r"pyconv/_cpu\.pyi"]
wanted += [r"pyconv-[^/]*\.dist-info/licenses/LICENSE"]
allowed = rf"pyconv/.*\.pyi?|{native}|pyconv/py\.typed|pyconv-[^/]*\.dist-info/.*"

names = zipfile.ZipFile(wheel).namelist()
missing = [pattern for pattern in wanted if not any(re.fullmatch(pattern, n) for n in names)]
unwanted = [name for name in names if not re.fullmatch(allowed, name)]
if missing or unwanted:
    sys.exit(f"{wheel} lacks {missing} and holds {unwanted}")
